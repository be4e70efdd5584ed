import type {Participant} from '@parley-rtc/sdk';
import {useEffect, useState} from 'preact/hooks';
import {useWatch} from '../hooks';
import {useVisit} from '../visit/visit';
import {Bars, worse} from './bars';
import {Icon} from './icon';
import {Panel} from './panel';
import {pathParts} from './path-words';
import {settled as isSettled} from './presence';
import {words} from './words/words';

/** How a person's media reaches us, and how well, always in sight while the controls are; it opens the figures. */
export function PathLine({person}: {person: Participant}) {
  const visit = useVisit();
  useWatch(person, 'path', 'quality');
  useMine();
  const w = words();
  const open = visit.panel.value === 'quality';
  const parts = pathParts(person.path, w);
  const settled = isSettled(person.path.kind);
  const level = settled ? worse(person.quality.level, visit.room.me?.quality.level ?? null) : null;
  // The figures wait for nobody: a moment after the call began, their code is here.
  useEffect(() => {
    const timer = setTimeout(() => void loadQuality(), 3000);
    return () => clearTimeout(timer);
  }, []);
  // While there is no path, the tile says so; the line stays only under a hand that holds it open.
  if (!settled && !(open && parts.length > 0)) return null;
  return (
    <div class="path">
      <button
        type="button"
        id="open-quality"
        class="path-line"
        aria-expanded={open}
        title={w.path.details}
        onClick={() => visit.show('quality')}
      >
        {settled ? <Icon name={person.path.kind === 'direct' ? 'direct' : 'relay'} /> : <i class="pulse" />}
        <span class="figures">
          {parts.map((part, i) => (
            <span key={part}>
              {part}
              {i < parts.length - 1 && ' · '}
            </span>
          ))}
        </span>
        {level !== null && <Bars level={level} label={w.quality.bars[level]} />}
      </button>
    </div>
  );
}

/** Draws again when my own quality changes. */
function useMine(): void {
  const {room} = useVisit();
  const [, again] = useState(0);
  const {me} = room;
  useEffect(() => me?.on('quality', () => again((n) => n + 1)), [me]);
}

type Loaded = typeof import('../quality');
let loaded: Loaded | null = null;

async function loadQuality(): Promise<Loaded | null> {
  try {
    loaded ??= await import('../quality').then(async (all) => {
      await all.speak();
      return all;
    });
  } catch {
    // tried again when somebody opens the panel
  }
  return loaded;
}

/** The figures behind the line, for everybody in the room. */
export function QualityPanel() {
  const [inner, setInner] = useState(loaded);
  useEffect(() => {
    if (inner === null) void loadQuality().then((all) => all !== null && setInner(all));
  }, [inner]);
  return (
    <Panel name="quality" title={words().quality.title}>
      {inner !== null && <inner.Quality />}
    </Panel>
  );
}
