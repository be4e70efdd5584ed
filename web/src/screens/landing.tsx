import '../style/landing.css';
import {useState} from 'preact/hooks';
import {pastedFragment, randomRoomName} from '../logic/landing-name';
import {visitedAt} from '../logic/landing-time';
import type {Memory} from '../logic/memory';
import {cleanRoomName} from '../logic/room-name';
import {roomPath} from '../logic/route';
import {Icon} from '../parts/icon';
import {Mark, Table} from '../parts/mark';
import {language, words} from '../words/words';
import {landingWords} from './landing-words';

interface LandingProps {
  memory: Memory;
  /** Goes to an address of this app. */
  go: (address: string) => void;
}

/** One field and one button: a name, or nothing at all, and you are at a room's door. */
export function Landing({memory, go}: LandingProps) {
  const [text, setText] = useState('');
  const [rooms, setRooms] = useState(memory.rooms);
  const w = words();
  const l = landingWords();
  const clean = cleanRoomName(text);

  const enter = (e: Event): void => {
    e.preventDefault();
    go(roomPath(clean || randomRoomName()) + pastedFragment(text));
  };
  const forget = (room: string): void => {
    memory.forget(room);
    setRooms(memory.rooms);
  };

  return (
    <main class="landing">
      <Table you={true} them={false} />
      <div class="landing-table">
        <h1>
          <Mark />
          Parley
        </h1>
        <p class="lede">{w.app.line}</p>
        <form onSubmit={enter}>
          <label for="room">{l.field}</label>
          <div class="row">
            <input
              id="room"
              class="field"
              value={text}
              placeholder={l.placeholder}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              maxLength={400}
              onInput={(e) => setText(e.currentTarget.value)}
            />
            <button type="submit" class="btn primary">
              {l.go}
              <Icon name="next" />
            </button>
          </div>
          <p class="hint" aria-live="polite">
            {clean !== '' && clean !== text ? `${location.host}${roomPath(clean)}` : ''}
          </p>
        </form>
        {rooms.length > 0 && (
          <section class="recent" aria-labelledby="recent">
            <h2 id="recent">{l.recent}</h2>
            <ul>
              {rooms.map(({room, at}) => (
                <li key={room}>
                  <a
                    href={roomPath(room)}
                    onClick={(e) => {
                      if (e.metaKey || e.ctrlKey || e.shiftKey) return;
                      e.preventDefault();
                      go(roomPath(room));
                    }}
                  >
                    <b>{room}</b>
                    <span>{visitedAt(at, Date.now(), l, language())}</span>
                  </a>
                  <button type="button" class="icon-btn" aria-label={l.forget(room)} onClick={() => forget(room)}>
                    <Icon name="close" />
                  </button>
                </li>
              ))}
            </ul>
          </section>
        )}
        {memory.hasCalls && <Calls go={go} />}
      </div>
    </main>
  );
}

/** The calls that this device took part in, folded: most people come for the next one. */
function Calls({go}: Pick<LandingProps, 'go'>) {
  const [code, setCode] = useState<typeof import('../record/recent') | null>(null);
  const open = (e: Event): void => {
    if ((e.currentTarget as HTMLDetailsElement).open) void import('../record/recent').then(setCode, () => undefined);
  };
  return (
    <details class="recent" onToggle={open}>
      <summary id="calls">{landingWords().calls}</summary>
      {code && <code.RecentCalls go={go} />}
    </details>
  );
}
