import type {Participant} from '@parley-rtc/sdk';
import {useState} from 'preact/hooks';
import {Icon} from '../call/icon';
import {Knocker} from '../call/knocker';
import {CopyButton, guestLink, hostLink} from '../call/link';
import {words} from '../call/words/words';
import {useTurns, useWatch} from '../hooks';
import {clipName, MAX_NOTE} from '../logic/person-name';
import {Avatar} from '../parts/avatar';
import {useVisit} from '../visit/visit';
import {ask} from './acts';
import type {Assembly} from './assembly';
import {Glyph} from './icon';
import {networkWords} from './network';
import {conferenceWords} from './words';

/** Who is here: who wants to speak, who speaks, whose network is bad and why, and what a host can do about it. */
export function People({assembly}: {assembly: Assembly}) {
  const visit = useVisit();
  const w = words();
  const inside = visit.people.value.filter((p) => p.state !== 'waiting');
  const outside = visit.outside.value;
  const hands = assembly.hands.value;
  const watching = visit.info.value?.watching ?? 0;
  return (
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
      {hands.length > 0 && <Hands hands={hands} />}
      <section>
        <h3>{w.people.inRoom(inside.length)}</h3>
        <ul>
          {inside.map((person) => (
            <Row key={person.id} person={person} hosts={inside.filter((p) => p.role === 'host').length} />
          ))}
        </ul>
      </section>
      {watching > 0 && <p class="quiet">{conferenceWords().watching(watching)}</p>}
      {inside.length > 1 && <CopyButton text={guestLink(visit.room.name)} label={w.alone.copy} />}
      {visit.isHost.value && <HostControls many={inside.length > 2} />}
    </div>
  );
}

/** The raised hands in their order; a host lowers them. */
function Hands({hands}: {hands: readonly Participant[]}) {
  const visit = useVisit();
  const w = conferenceWords();
  return (
    <section>
      <h3>{w.hands}</h3>
      <ol class="hands">
        {hands.map((person) => (
          <li key={person.id}>
            <Glyph name="hand" />
            <span class="person-name" dir="auto">
              {person.isMe ? words().stage.youName(person.name) : person.name}
            </span>
            {visit.isHost.value && person.role === 'listener' && !person.invited && (
              <button
                type="button"
                class="btn small primary"
                aria-label={w.inviteWho(person.name)}
                onClick={() => void ask(visit, visit.room.invite(person, true))}
              >
                {w.invite}
              </button>
            )}
            {(visit.isHost.value || person.isMe) && (
              <button
                type="button"
                class="btn small"
                aria-label={person.isMe ? w.handDown : w.lowerWho(person.name)}
                onClick={() => void ask(visit, visit.room.hand(false, person))}
              >
                {w.handDown}
              </button>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Row({person, hosts}: {person: Participant; hosts: number}) {
  useWatch(person, 'change', 'quality', 'path');
  const visit = useVisit();
  const [open, setOpen] = useState(false);
  const w = words();
  const c = conferenceWords();
  const {microphone, camera, screen} = person.media;
  const facts = [
    ...(person.role === 'host' ? [w.people.host] : []),
    ...(person.role === 'listener' ? [person.invited ? c.invited : c.listener] : []),
    ...(person.door ? [c.door[person.door]] : []),
    ...(person.state === 'away' ? [w.people.away] : []),
    ...(screen ? [w.people.sharing] : []),
  ];
  const network = networkWords(person);
  const acts = visit.isHost.value && (!person.isMe || hosts > 1);
  return (
    <li class="person" data-away={person.state === 'away'}>
      <Avatar name={person.name} />
      <span class="person-name">
        <bdi>{person.isMe ? w.stage.youName(person.name) : person.name}</bdi>
        {facts.length > 0 && <small>{facts.join(' · ')}</small>}
        {network !== '' && <small class="person-network">{network}</small>}
      </span>
      {microphone && <Voice person={person} />}
      {person.role !== 'listener' && (
        <>
          <span class="person-state" data-off={!microphone}>
            <Icon name={microphone ? 'mic' : 'mic-off'} />
            <span class="hidden">{microphone ? w.people.micOn : w.people.micOff}</span>
          </span>
          <span class="person-state" data-off={!camera}>
            <Icon name={camera ? 'camera' : 'camera-off'} />
            <span class="hidden">{camera ? w.people.camOn : w.people.camOff}</span>
          </span>
        </>
      )}
      {acts && <Acts person={person} open={open} setOpen={setOpen} />}
    </li>
  );
}

/** A dot that lives with the voice, straight on the element. */
function Voice({person}: {person: Participant}) {
  const [element, setElement] = useState<HTMLElement | null>(null);
  useTurns(() => {
    if (element) element.dataset.on = String(person.level() > 0.45);
  }, 100);
  return <i class="person-voice" ref={setElement} aria-hidden="true" />;
}

interface ActsProps {
  person: Participant;
  open: boolean;
  setOpen: (open: boolean) => void;
}

/** What a host may do about somebody: the two things done most, and the rest behind a button. */
function Acts({person, open, setOpen}: ActsProps) {
  useWatch(person, 'change'); // the row's own does not reach here: the person is the same
  const visit = useVisit();
  const {room} = visit;
  const [asking, setAsking] = useState(false);
  const w = words().people;
  const c = conferenceWords();
  const {name} = person;
  const act = (label: string, who: string, request: () => Promise<void>, disabled = false) => (
    <button
      type="button"
      class="btn small"
      aria-label={who}
      disabled={disabled}
      onClick={() => {
        setOpen(false);
        void ask(visit, request());
      }}
    >
      {label}
    </button>
  );
  if (asking) {
    return (
      <div class="person-acts">
        <p>{w.removeAsk(name)}</p>
        <button type="button" class="btn small danger" onClick={() => void ask(visit, room.remove(person))}>
          {w.remove}
        </button>
        <button type="button" class="btn small" onClick={() => setAsking(false)}>
          {w.keep}
        </button>
      </div>
    );
  }
  const listens = person.role === 'listener';
  const machine = person.door !== null;
  if (person.isMe) {
    return <div class="person-acts">{act(c.handOver, c.handOver, () => room.role(person, 'speaker'))}</div>;
  }
  return (
    <div class="person-acts">
      {!listens &&
        !machine &&
        act(w.mute, w.muteWho(name), () => room.mute(person, 'microphone'), !person.media.microphone)}
      {listens && !person.invited && act(c.invite, c.inviteWho(name), () => room.invite(person, true))}
      {listens && person.invited && act(c.uninvite, c.uninviteWho(name), () => room.invite(person, false))}
      <button type="button" class="btn small" aria-label={w.removeWho(name)} onClick={() => setAsking(true)}>
        {w.remove}
      </button>
      {!machine && (
        <button
          type="button"
          class="btn small person-more"
          aria-label={c.acts(name)}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <Icon name="more" />
        </button>
      )}
      {open && (
        <div class="person-rest">
          {person.role === 'host'
            ? act(c.unhost, c.unhostWho(name), () => room.role(person, 'speaker'))
            : act(c.makeHost, c.makeHostWho(name), () => room.role(person, 'host'))}
          {!listens && act(c.listen, c.listenWho(name), () => room.role(person, 'listener'))}
        </div>
      )}
    </div>
  );
}

function HostControls({many}: {many: boolean}) {
  const visit = useVisit();
  const w = words().people;
  const c = conferenceWords();
  const info = visit.info.value;
  const secret = info?.host ?? visit.memory.host(visit.room.name);
  const [told, setTold] = useState('');
  const waiting = info?.waitingRoom ?? false;
  return (
    <section class="host">
      <h3>{w.host}</h3>
      {many && (
        <button
          type="button"
          class="btn"
          onClick={() =>
            void ask(visit, visit.room.muteAll('microphone')).then((done) => done && visit.herald.show(c.mutedAll))
          }
        >
          {c.muteAll}
        </button>
      )}
      <Switch
        label={w.lock}
        line={w.lockLine}
        on={info?.locked ?? false}
        set={(on) => void ask(visit, visit.room.lock(on))}
      />
      <Switch
        label={w.waitingRoom}
        line={w.waitingRoomLine}
        on={waiting}
        set={(on) => void ask(visit, visit.room.waitingRoom(on, on ? clipName(told, MAX_NOTE) : ''))}
      />
      {waiting && <WaitingWords told={told} setTold={setTold} />}
      {secret !== '' && (
        <>
          <CopyButton text={hostLink(visit.room.name, secret)} label={w.hostLink} />
          <p class="quiet">{w.hostLinkLine}</p>
        </>
      )}
    </section>
  );
}

/** What those who wait are told. */
function WaitingWords({told, setTold}: {told: string; setTold: (words: string) => void}) {
  const visit = useVisit();
  const c = conferenceWords();
  const send = (e: Event): void => {
    e.preventDefault();
    void ask(visit, visit.room.waitingRoom(true, clipName(told, MAX_NOTE))).then(
      (done) => done && visit.herald.show(c.told),
    );
  };
  return (
    <form class="waiting-words" onSubmit={send}>
      <label for="waiting-words">{c.waitingWords}</label>
      <div class="row">
        <input
          id="waiting-words"
          class="field"
          value={told}
          maxLength={100}
          placeholder={c.waitingWordsHint}
          onInput={(e) => setTold(e.currentTarget.value)}
        />
        <button type="submit" class="btn">
          {c.say}
        </button>
      </div>
    </form>
  );
}

/** A switch shows what the server says, not what was pressed: the answer takes one round trip. */
export function Switch({label, line, on, set}: {label: string; line: string; on: boolean; set: (on: boolean) => void}) {
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
