/** The calls that this device took part in, each leading to its record. The code comes when somebody opens the list. */

import {useState} from 'preact/hooks';
import {visitedAt} from '../logic/landing-time';
import {clock} from '../logic/numbers';
import {Icon} from '../parts/icon';
import {landingWords} from '../screens/landing-words';
import {language} from '../words/words';
import {forgetCall, type KnownCall, knownCalls, recordPath} from './calls';

/** How many fit on a page that nobody has to scroll far. */
const SHOWN = 8;

export function RecentCalls({go}: {go: (address: string) => void}) {
  const [calls, setCalls] = useState(knownCalls);
  const w = landingWords();
  const when = ({at}: KnownCall): string => {
    const day = visitedAt(at, Date.now(), w, language());
    const time = clock(at, language());
    return day.endsWith(time) ? day : `${day}, ${time}`;
  };
  const forget = (id: string): void => {
    forgetCall(id);
    setCalls(knownCalls());
    document.getElementById('calls')?.focus(); // the button that had it is gone
  };
  return (
    <ul>
      {calls.slice(0, SHOWN).map((call) => (
        <li key={call.id}>
          <a
            href={recordPath(call.id)}
            onClick={(e) => {
              if (e.metaKey || e.ctrlKey || e.shiftKey) return;
              e.preventDefault();
              go(recordPath(call.id));
            }}
          >
            <b>{call.room}</b>
            <span>{when(call)}</span>
          </a>
          <button
            type="button"
            class="icon-btn"
            aria-label={w.forgetCall(call.room, when(call))}
            onClick={() => forget(call.id)}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
