import type {Participant} from '@parley-rtc/sdk';
import {Avatar} from '../parts/avatar';
import {useVisit} from '../visit/visit';
import {words} from './words/words';

/** Somebody in the waiting room, what they say of themselves, and the host's two answers. */
export function Knocker({person, line}: {person: Participant; line: string}) {
  const {room, herald} = useVisit();
  const ask = (request: Promise<void>): void => void request.catch(() => herald.show(words().notice.refused));
  const w = words().people;
  return (
    <li class="person">
      <Avatar name={person.name} />
      <span class="person-name" dir="auto">
        {line}
        {person.note !== '' && <small>{w.note(person.note)}</small>}
      </span>
      <button
        type="button"
        class="btn small primary"
        aria-label={w.admitWho(person.name)}
        onClick={() => ask(room.admit(person))}
      >
        {w.admit}
      </button>
      <button
        type="button"
        class="btn small"
        aria-label={w.refuseWho(person.name)}
        onClick={() => ask(room.remove(person))}
      >
        {w.refuse}
      </button>
    </li>
  );
}
