/** What happens in the room, as the herald tells it: each thing once. */

import type {DeviceEvent, Participant, Source} from '@parley-rtc/sdk';
import type {Visit} from '../visit/visit';
import {deviceNews} from './device-words';
import {Gather} from './gather';
import {presence, settled} from './presence';
import {words} from './words/words';

/** What was last told of a person. */
interface Seen {
  microphone: boolean;
  screen: boolean;
  waiting: boolean;
}

/** Tells the news of a visit from the moment the stage stands; returns what stops it. */
export function tellNews(visit: Visit): () => void {
  const {room, media, herald} = visit;
  const w = words();
  const seen = new Map<string, Seen>();
  compare(visit, room.people, seen);
  herald.say(w.say.inRoom(room.name));
  const came = new Gather(herald.calm, (name, n) =>
    herald.show(n === 0 ? w.say.joined(name) : w.say.joinedMany(name, n)),
  );
  const went = new Gather(herald.calm, (name, n) => herald.show(n === 0 ? w.say.left(name) : w.say.leftMany(name, n)));
  const stops = [
    room.on('joined', (person) => {
      if (!person.isMe) came.add(person.name);
    }),
    room.on('left', ({person, reason}) => {
      seen.delete(person.id);
      if (reason === 'removed') herald.show(w.say.removed(person.name));
      else if (reason === 'no-hub') herald.show(w.say.noHub(person.name));
      else went.add(person.name);
    }),
    () => {
      came.stop();
      went.stop();
    },
    room.on('chat', (message) => {
      if (message.mine) return;
      const spoken = w.say.chat(message.name, message.text);
      if (visit.panel.value === 'chat') herald.say(spoken);
      else herald.show(message.text, message.name, spoken);
    }),
    room.on('muted', ({source, by}) => herald.show(mutedWords(source, by))),
    room.on('trouble', ({kind, person}) => {
      // Without a seat the door says it, and a step that went wrong on a path that stands is no loss.
      const linked = person !== undefined && settled(person.path.kind);
      if (kind === 'refused' && room.status === 'joined') herald.show(w.notice.refused);
      else if (person && !linked && kind !== 'signalling') herald.show(w.notice.noLink(person.name));
    }),
    room.on('people', (people) => compare(visit, people, seen)),
    media.on('device', (event) => tellDevice(visit, event)),
    media.on('speakingWhileMuted', () => {
      herald.show(matchMedia('(hover: hover)').matches ? w.notice.hint : w.notice.hintTouch);
    }),
  ];
  stops.push(tellAbsences(visit));
  return () => {
    for (const stop of stops) stop();
  };
}

/** Tells what changed about people since they were last looked at. */
function compare({herald}: Visit, people: readonly Participant[], seen: Map<string, Seen>): void {
  const {say: w} = words();
  for (const person of people) {
    if (person.isMe) continue;
    const now: Seen = {...person.media, waiting: person.state === 'waiting'};
    const before = seen.get(person.id);
    seen.set(person.id, now);
    if (now.waiting) {
      if (before === undefined) herald.say(w.waits(person.name));
      continue;
    }
    if (before === undefined || before.waiting) continue;
    if (now.microphone !== before.microphone && !herald.calm())
      herald.say((now.microphone ? w.theirMicOn : w.theirMicOff)(person.name));
    if (now.screen !== before.screen) herald.say((now.screen ? w.shares : w.sharesEnd)(person.name));
  }
}

/** Tells what a device did by itself. What is wrong with one for a while stands in a notice of its own. */
function tellDevice(visit: Visit, event: DeviceEvent): void {
  const {herald, device, tried} = visit;
  switch (event.kind) {
    case 'lost':
    case 'revoked':
    case 'silenced':
      device.value = null;
      tried.value = true;
      break;
    case 'heard':
      herald.show(words().devices.heard[event.sources[0] === 'camera' ? 'camera' : 'microphone']);
      break;
    default:
      device.value = event;
      herald.say(deviceNews(event, words()).text);
  }
}

/** A gap that is over before anybody would speak of it, such as a reload, is not announced; in milliseconds. */
const ABSENT_MS = 2000;

/** Tells who is reconnecting, and that they are back; nothing while it is my own line that is broken. */
function tellAbsences({room, herald, severed}: Visit): () => void {
  const {say: w} = words();
  const people = new Map<string, Absence>();
  const stops: (() => void)[] = [];
  const look = (person: Participant): void => {
    const known = people.get(person.id);
    if (known === undefined) return;
    const is = presence(person, known.wasHere);
    if (is === 'here') {
      clearTimeout(known.timer);
      if (known.told) herald.say(w.backAgain(person.name));
      people.set(person.id, {wasHere: true, told: false, timer: undefined});
    } else if (is === 'reconnecting' && known.timer === undefined) {
      known.timer = setTimeout(() => {
        if (severed.value || herald.calm() || !room.people.includes(person)) return;
        known.told = true;
        herald.say(w.lost(person.name));
      }, ABSENT_MS);
    }
  };
  const meet = (all: readonly Participant[]): void => {
    for (const person of all) {
      if (person.isMe || person.state === 'waiting') continue;
      if (!people.has(person.id)) {
        people.set(person.id, {wasHere: false, told: false, timer: undefined});
        stops.push(person.on('path', () => look(person)));
      }
      look(person);
    }
  };
  meet(room.people);
  stops.push(
    room.on('people', meet),
    room.on('left', ({person}) => {
      clearTimeout(people.get(person.id)?.timer);
      people.delete(person.id);
    }),
    () => {
      for (const {timer} of people.values()) clearTimeout(timer);
    },
  );
  return () => {
    for (const stop of stops) stop();
  };
}

interface Absence {
  wasHere: boolean;
  told: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

function mutedWords(source: Source, by: Participant | null): string {
  const {notice} = words();
  if (source === 'camera') return notice.camOffBy;
  if (source !== 'microphone') return notice.shareOffBy;
  return by === null ? notice.mutedHost : notice.mutedBy(by.name);
}
