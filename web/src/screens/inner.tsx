import {useEffect, useState} from 'preact/hooks';
import {Table} from '../parts/mark';
import {type Phase, useVisit} from '../visit/visit';
import {language, words} from '../words/words';

type Loaded = typeof import('../call');

let loaded: Loaded | null = null;

/** Fetches the screens behind the door with their looks; the second time costs nothing. */
export async function loadInner(): Promise<Loaded | null> {
  try {
    if (loaded !== null) return loaded;
    const german = language().startsWith('de') ? import('../call/words/de') : null;
    const all = await import('../call');
    if (german !== null) all.speak((await german).de);
    loaded = all;
  } catch {
    // tried again when somebody goes through the door
  }
  return loaded;
}

/** A screen behind the door, as soon as its code is here; it is, unless the network broke meanwhile. */
export function Inner({phase}: {phase: Exclude<Phase, 'door' | 'returning'>}) {
  const [behind, setBehind] = useState(loaded);
  const [lost, setLost] = useState(false);
  useEffect(() => {
    if (behind === null) void loadInner().then((all) => (all === null ? setLost(true) : setBehind(all)));
  }, [behind]);
  if (behind === null) return lost ? <Stale /> : <Coming />;
  switch (phase) {
    case 'call':
      return <behind.Call />;
    case 'waiting':
      return <behind.Waiting />;
    default:
      return <behind.Goodbye />;
  }
}

/** While the code behind the door is still on its way. */
function Coming() {
  const visit = useVisit();
  return (
    <main class="between">
      <Table you={true} them={false} />
      <div class="between-table">
        <h1>{visit.room.name}</h1>
        <p role="status">{visit.phase.value === 'returning' ? words().door.back : words().door.joining}</p>
        <i class="pulse" />
      </div>
    </main>
  );
}

/** The server has newer files than this page knows of. */
export function Stale() {
  const {title, line, reload} = words().stale;
  return (
    <main class="between">
      <div class="between-table">
        <h1>{title}</h1>
        <p>{line}</p>
        <button type="button" class="btn primary" onClick={() => location.reload()}>
          {reload}
        </button>
      </div>
    </main>
  );
}
