import type {Participant} from '@parley-rtc/sdk';
import {useState} from 'preact/hooks';
import {useWatch} from '../hooks';
import {Avatar} from '../parts/avatar';
import {useVisit} from '../visit/visit';
import {EncryptionSwitch} from './encryption';
import {Icon} from './icon';
import {CopyButton, guestLink, hostLink} from './link';
import {Panel} from './panel';
import {words} from './words/words';

export function PeoplePanel() {
  const visit = useVisit();
  const w = words();
  const inside = visit.people.value.filter((p) => p.state !== 'waiting');
  const outside = visit.outside.value;
  return (
    <Panel name="people" title={w.people.title}>
      <div class="people">
        {outside.length > 0 && (
          <section>
            <h3>{w.people.waiting}</h3>
            <ul>
              {outside.map((person) => (
                <Knocker key={person.id} person={person} line={person.name} />
              ))}
            </ul>
          </section>
        )}
        <section>
          <h3>{w.people.inRoom(inside.length)}</h3>
          <ul>
            {inside.map((person) => (
              <Row key={person.id} person={person} />
            ))}
          </ul>
        </section>
        {inside.length > 1 && <CopyButton text={guestLink(visit.room.name, visit.room.key)} label={w.alone.copy} />}
        {visit.isHost.value && <HostControls />}
      </div>
    </Panel>
  );
}

/** Calls the server and leaves the words for a refusal to the herald. */
function useAsk(): (ask: Promise<void>) => void {
  const {herald} = useVisit();
  return (ask) => void ask.catch(() => herald.show(words().notice.refused));
}

/** Somebody in the waiting room, and the host's two answers. */
export function Knocker({person, line}: {person: Participant; line: string}) {
  const visit = useVisit();
  const ask = useAsk();
  const w = words().people;
  return (
    <li class="person">
      <Avatar name={person.name} />
      <span class="person-name" dir="auto">
        {line}
      </span>
      <button
        type="button"
        class="btn small primary"
        aria-label={w.admitWho(person.name)}
        onClick={() => ask(visit.room.admit(person))}
      >
        {w.admit}
      </button>
      <button
        type="button"
        class="btn small"
        aria-label={w.refuseWho(person.name)}
        onClick={() => ask(visit.room.remove(person))}
      >
        {w.refuse}
      </button>
    </li>
  );
}

function Row({person}: {person: Participant}) {
  useWatch(person, 'change');
  const visit = useVisit();
  const ask = useAsk();
  const [asking, setAsking] = useState(false);
  const w = words();
  const {microphone, camera, screen} = person.media;
  const facts = [
    ...(person.role === 'host' ? [w.people.host] : []),
    ...(person.state === 'away' ? [w.people.away] : []),
    ...(screen ? [w.people.sharing] : []),
  ];
  return (
    <li class="person" data-away={person.state === 'away'}>
      <Avatar name={person.name} />
      <span class="person-name">
        <bdi>{person.isMe ? w.stage.youName(person.name) : person.name}</bdi>
        {facts.length > 0 && <small>{facts.join(' · ')}</small>}
      </span>
      <span class="person-state" data-off={!microphone}>
        <Icon name={microphone ? 'mic' : 'mic-off'} />
        <span class="hidden">{microphone ? w.people.micOn : w.people.micOff}</span>
      </span>
      <span class="person-state" data-off={!camera}>
        <Icon name={camera ? 'camera' : 'camera-off'} />
        <span class="hidden">{camera ? w.people.camOn : w.people.camOff}</span>
      </span>
      {visit.isHost.value && !person.isMe && (
        <div class="person-acts">
          {asking ? (
            <>
              <p>{w.people.removeAsk(person.name)}</p>
              <button type="button" class="btn small danger" onClick={() => ask(visit.room.remove(person))}>
                {w.people.remove}
              </button>
              <button type="button" class="btn small" onClick={() => setAsking(false)}>
                {w.people.keep}
              </button>
            </>
          ) : (
            <>
              <button
                type="button"
                class="btn small"
                aria-label={w.people.muteWho(person.name)}
                disabled={!microphone}
                onClick={() => ask(visit.room.mute(person, 'microphone'))}
              >
                {w.people.mute}
              </button>
              <button
                type="button"
                class="btn small"
                aria-label={w.people.removeWho(person.name)}
                onClick={() => setAsking(true)}
              >
                {w.people.remove}
              </button>
            </>
          )}
        </div>
      )}
    </li>
  );
}

function HostControls() {
  const visit = useVisit();
  const ask = useAsk();
  const w = words().people;
  const info = visit.info.value;
  const secret = info?.host ?? visit.memory.host(visit.room.name);
  return (
    <section class="host">
      <h3>{w.host}</h3>
      <Switch label={w.lock} line={w.lockLine} on={info?.locked ?? false} set={(on) => ask(visit.room.lock(on))} />
      <Switch
        label={w.waitingRoom}
        line={w.waitingRoomLine}
        on={info?.waitingRoom ?? false}
        set={(on) => ask(visit.room.waitingRoom(on))}
      />
      <EncryptionSwitch />
      {secret !== '' && (
        <>
          <CopyButton text={hostLink(visit.room.name, visit.room.key, secret)} label={w.hostLink} />
          <p class="quiet">{w.hostLinkLine}</p>
        </>
      )}
    </section>
  );
}

/** A switch shows what the server says, not what was pressed: the answer takes one round trip. */
function Switch({label, line, on, set}: {label: string; line: string; on: boolean; set: (on: boolean) => void}) {
  return (
    <button type="button" class="switch" role="switch" aria-checked={on} onClick={() => set(!on)}>
      <span>
        <b>{label}</b>
        <small>{line}</small>
      </span>
      <i />
    </button>
  );
}
