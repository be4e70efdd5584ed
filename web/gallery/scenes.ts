/** Every screen and every trouble, by name. */

import type {DeviceEvent, NetworkVerdict, Path, SourceStatus} from '@parley-rtc/sdk';
import type {Visit} from '../src/visit/visit';
import {crowd} from './crowd';
import {FakeHistory, FakeMedia, FakePerson, FakeRoom} from './fakes';
import {cameraTrack, screenTrack} from './pictures';

export interface Scene {
  room: FakeRoom;
  media: FakeMedia;
  /** What the person has done since. */
  act?: (visit: Visit) => void;
}

export type Make = () => Scene;

const base = (): Scene => ({
  room: new FakeRoom(),
  media: new FakeMedia(
    () => new MediaStream().getAudioTracks()[0] ?? cameraTrack('me', 16, 16),
    () => cameraTrack('me'),
  ),
});

const ann = (change: Partial<FakePerson> = {}): FakePerson =>
  new FakePerson('Ann Okafor', 2, {tracks: new Map([['camera', cameraTrack('ann')]]), ...change});
const me = (change: Partial<FakePerson> = {}): FakePerson =>
  new FakePerson('Robin', 1, {isMe: true, path: {kind: 'none'}, ...change});

function door(change: (s: Scene) => void = () => undefined): Make {
  return () => {
    const scene = base();
    change(scene);
    return scene;
  };
}

const devices = (microphone: SourceStatus, camera: SourceStatus): Make =>
  door(({media}) => {
    media.microphone.set(microphone);
    media.camera.set(camera);
    if (microphone === 'missing') media.microphones = [];
    if (camera === 'missing') media.cameras = [];
  });

const verdict = (kind: NetworkVerdict['kind'], directLikely = false): Make =>
  door(({room}) => {
    room.network.verdict = {kind, directLikely};
  });

function call(people: () => FakePerson[], act?: (visit: Visit, scene: Scene) => void): Make {
  return () => {
    const scene = base();
    scene.room.status = 'joined';
    scene.room.people = people();
    return {...scene, ...(act ? {act: (visit: Visit) => act(visit, scene)} : {})};
  };
}

const path = (p: Path): Make => call(() => [me(), ann({path: p})]);

const press = (id: string): void => document.getElementById(id)?.click();
const soon = (f: () => void): void => void setTimeout(f, 150);
const later = (f: () => void): void => void setTimeout(f, 450);

function host(visit: Visit, {room}: Scene): void {
  room.info = {name: room.name, exists: true, may: 'join', role: 'host', waitingRoom: true, host: 'k3y'};
  if (room.me) room.me.role = 'host';
  room.emit('info', room.info);
  room.people = [
    ...room.people,
    new FakePerson('Ben Hartmann', 3, {state: 'waiting', note: 'the plumber, about the tap'}),
  ];
  room.emit('people', room.people);
  visit.lastLeft.value = '';
}

function talk(room: FakeRoom): void {
  const at = Date.UTC(2026, 10, 21, 9, 41);
  const say = (from: string, name: string, text: string, minute: number, sent = true, unsaved = false): void => {
    const mine = from === 'seat-1';
    room.chat.push({id: `c${room.chat.length}`, from, name, text, at: at + minute * 60_000, mine, sent, unsaved});
  };
  say('seat-2', 'Ann Okafor', 'Here is the plan for the beds:', 0);
  say('seat-2', 'Ann Okafor', 'https://garden.example/plan?draft=2 (second draft)', 0);
  say('seat-1', 'Robin', 'Looks good. Where do the apples go?', 1);
  say('seat-2', 'Ann Okafor', 'East side, so that the bench keeps its evening sun.', 2, true, true);
  say('seat-1', 'Robin', 'Then I order two trees.', 4, false);
  room.emit('chat', {...(room.chat[0] as (typeof room.chat)[0]), from: ''});
}

/** Transfers on their way. */
function move({transfers}: FakeRoom): void {
  const film = {name: 'apple trees.mp4', sizes: [841_034_000], bytes: 311e6};
  transfers.put({...film, state: 'waiting', direction: 'out'});
  transfers.put({name: 'accounts.ods', sizes: [84_034_000], bytes: 31e6, state: 'missing', direction: 'out'});
  transfers.put({name: 'beds', sizes: [4e6, 5e6, 3e6], bytes: 7e6, state: 'paused', pausedBy: 'them'});
  transfers.put({...film, speedBps: 12.4e6, leftMs: 43e3});
  transfers.put({
    name: 'Garden plan, third draft, with all the remarks of the neighbours.pdf',
    sizes: [2e6],
    state: 'offered',
  });
}

/** Transfers that are over. */
function end({transfers}: FakeRoom): void {
  transfers.put({name: 'film.mkv', sizes: [84e8], state: 'offered', obstacle: 'no-space'});
  transfers.put({name: 'notes.txt', sizes: [1_200], state: 'failed', reason: 'changed', direction: 'out'});
  transfers.put({name: 'list.txt', sizes: [640], state: 'refused', reason: 'declined', direction: 'out'});
  transfers.put({name: 'beds', sizes: [4e6, 5e6, 3e6], bytes: 12e6, state: 'done'});
  transfers.put({name: 'Garden plan.pdf', sizes: [2_481_034], bytes: 2_481_034, state: 'done', saved: true});
  transfers.put({name: 'trees.csv', sizes: [12_034], state: 'done', direction: 'out', bytes: 12_034});
}

function withFiles(count: number): DataTransfer {
  const data = new DataTransfer();
  for (let i = 0; i < count; i++) data.items.add(new File(['words'], `note ${i + 1}.txt`));
  return data;
}
const paste = (count: number): void =>
  void window.dispatchEvent(new ClipboardEvent('paste', {clipboardData: withFiles(count), cancelable: true}));
const hover = (): void => void window.dispatchEvent(new DragEvent('dragenter', {dataTransfer: withFiles(1)}));

const jabra = {id: 'microphone-2', label: 'Jabra Link 380 (0b0e:24c8)'};
const built = {id: 'microphone-1', label: 'Built-in microphone'};

export const scenes: Record<string, Make> = {
  door: door(({room}) => {
    room.people = [ann()];
  }),
  'door-first': door(({room}) => {
    room.info = {name: room.name, exists: false, may: 'create', role: 'host'};
  }),
  'door-knock': door(({room}) => {
    room.info = {name: room.name, exists: true, may: 'knock', role: 'speaker', waitingRoom: true};
  }),
  'door-asking': devices('asking', 'asking'),
  'door-denied': devices('denied', 'denied'),
  'door-camera-denied': devices('on', 'denied'),
  'door-dismissed': devices('dismissed', 'dismissed'),
  'door-missing': devices('missing', 'missing'),
  'door-busy': devices('on', 'busy'),
  'door-insecure': devices('insecure', 'insecure'),
  'door-off': devices('muted', 'off'),
  'door-checking': verdict('checking'),
  'door-udp': verdict('udp'),
  'door-tcp': verdict('tcp'),
  'door-tls': verdict('tls'),
  'door-blocked': verdict('blocked'),
  'door-no-relay': verdict('no-relay'),
  'door-connecting': door(({room}) => {
    room.info = null;
    room.status = 'connecting';
  }),
  'door-no-room': door(({room}) => {
    room.info = {name: room.name, exists: false, may: 'no', role: 'speaker'};
  }),
  'door-locked': door(({room}) => {
    room.info = {name: room.name, exists: true, may: 'no', role: 'speaker', locked: true};
  }),
  'door-no-hub': door(({room}) => {
    room.info = {name: room.name, exists: true, may: 'no', why: 'no-hub', role: 'speaker'};
  }),
  'door-full': door(({room}) => {
    room.info = {name: room.name, exists: true, may: 'no', role: 'speaker'};
  }),
  returning: door(({room}) => {
    room.previous = {id: 'seat-1', name: 'Robin'};
    room.people = [new FakePerson('Robin', 1, {state: 'away'}), ann({path: {kind: 'connecting'}, tracks: new Map()})];
    room.join = () => new Promise(() => undefined);
  }),
  'returning-early': door(({room}) => {
    room.previous = {id: 'seat-1', name: 'Robin'};
    room.info = null;
    room.join = () => new Promise(() => undefined);
  }),
  waiting: door(({room}) => {
    room.status = 'waiting';
  }),
  'waiting-told': door(({room}) => {
    room.status = 'waiting';
    room.waitingWords = 'We are five minutes late. Tea is on the stove.';
  }),
  alone: call(() => [me()]),
  'alone-left': call(
    () => [me()],
    (visit) => {
      visit.lastLeft.value = 'Ann Okafor';
    },
  ),
  call: call(() => [me(), ann({loud: 0.8})]),
  'call-idle': call(
    () => [me(), ann()],
    () => {
      setTimeout(() => document.querySelector<HTMLElement>('.call')?.setAttribute('data-idle', ''), 900);
    },
  ),
  'call-relayed': path({kind: 'relayed', protocol: 'tls', server: 'relay.parley.example', rttMs: 80}),
  'call-connecting': call(() => [me(), ann({path: {kind: 'connecting'}, tracks: new Map()})]),
  'call-lost': path({kind: 'lost'}),
  'call-lost-still': call(
    () => [me(), ann()],
    (_, {room}) => {
      // Their tab was loaded again: the track is gone, the last picture is not.
      const person = room.people[1];
      if (!person) return;
      soon(() => {
        Object.assign(person, {state: 'away', path: {kind: 'connecting'}, tracks: new Map()});
        person.emit('track', {source: 'camera', track: null});
        person.emit('path', person.path);
      });
    },
  ),
  'call-lost-avatar': call(() => [
    me(),
    ann({path: {kind: 'lost'}, media: {microphone: true, camera: false, screen: false, screenAudio: false}}),
  ]),
  'call-away': call(() => [me(), ann({state: 'away', path: {kind: 'connecting'}})]),
  'call-camera-off': call(
    () => [
      me({media: {microphone: false, camera: false, screen: false, screenAudio: false}}),
      ann({media: {microphone: false, camera: false, screen: false, screenAudio: false}}),
    ],
    (_, {media}) => {
      media.microphone.stop();
      media.camera.stop();
    },
  ),
  'call-portrait': call(() => [me(), ann({tracks: new Map([['camera', cameraTrack('ann', 720, 1280)]])})]),
  'call-swapped': call(
    () => [me(), ann()],
    () => soon(() => document.querySelector<HTMLElement>('.grip')?.click()),
  ),
  'call-screen': call(() => [
    me(),
    ann({
      media: {microphone: true, camera: true, screen: true, screenAudio: false},
      tracks: new Map([
        ['camera', cameraTrack('ann')],
        ['screen', screenTrack()],
      ]),
    }),
  ]),
  'call-sharing': call(
    () => [me(), ann()],
    (_, {media}) => void media.screen.start('text'),
  ),
  'call-share-menu': call(
    () => [me(), ann()],
    () => soon(() => press('share-options')),
  ),
  'call-offline': call(
    () => [me(), ann()],
    (_, {room}) => {
      room.online = false;
      room.emit('online', false);
    },
  ),
  'call-offline-lost': call(() => [me(), ann({path: {kind: 'lost'}})], goOffline),
  'call-offline-long': call(
    () => [me(), ann({path: {kind: 'lost'}})],
    (visit, scene) => {
      goOffline(visit, scene);
      // Twenty seconds later, without waiting for them.
      const now = performance.now.bind(performance);
      setTimeout(() => {
        performance.now = () => now() + 20_000;
      }, 300);
    },
  ),
  'call-offline-healed': call(
    () => [me(), ann()],
    (visit, scene) => {
      goOffline(visit, scene);
      setTimeout(() => {
        scene.room.online = true;
        scene.room.emit('online', true);
      }, 1400);
    },
  ),
  'call-unshared': call(
    () => [me(), ann()],
    (visit) => {
      visit.unshared.value = 'text';
    },
  ),
  'call-device-switched': news({kind: 'switched', sources: ['microphone'], before: jabra, device: built}),
  'call-device-returned': news({kind: 'returned', sources: ['microphone'], before: built, device: jabra}),
  'call-device-followed': news({kind: 'followed', sources: ['microphone'], before: null, device: built}),
  'call-device-offered': news({kind: 'offered', sources: ['microphone', 'speaker'], before: null, device: jabra}),
  'call-device-speaker': news({kind: 'switched', sources: ['speaker'], before: jabra, device: null}),
  'call-device-held': trouble('held'),
  'call-device-busy': trouble('busy'),
  'call-device-missing': trouble('missing'),
  'call-hear': call(
    () => [me(), ann()],
    (visit) => {
      visit.soundHeld.value = true;
    },
  ),
  'call-hint': call(
    () => [me(), ann()],
    (_, {media, room}) => {
      media.microphone.stop();
      media.emit('speakingWhileMuted', undefined);
      room.emit('chat', {
        id: 'x',
        from: 'seat-2',
        name: 'Ann Okafor',
        text: 'I cannot hear you.',
        at: 0,
        mine: false,
        sent: true,
        unsaved: false,
      });
    },
  ),
  'call-mic-denied': call(
    () => [me(), ann()],
    (visit, {media}) => {
      media.microphone.set('denied');
      visit.tried.value = true;
    },
  ),
  'call-knock': call(() => [me(), ann()], host),
  'call-quality': call(
    () => [me(), ann()],
    (visit) => visit.show('quality'),
  ),
  'call-quality-figures': call(
    () => [me(), ann({path: {kind: 'relayed', protocol: 'udp', server: 'relay.parley.example', rttMs: 80}})],
    (visit) => {
      visit.show('quality');
      later(() => document.querySelector<HTMLElement>('.numbers summary')?.click());
    },
  ),
  'call-quality-upload': call(
    () => [me({quality: {level: 0, reason: 'upload-small', paused: true}}), ann({history: new FakeHistory(true)})],
    (visit) => visit.show('quality'),
  ),
  'call-quality-theirs': call(
    () => [me(), ann({quality: {level: 1, reason: 'their-network', sound: 3.3, paused: false}})],
    (visit) => visit.show('quality'),
  ),
  'call-paused': call(() => [me(), ann({quality: {level: 0, reason: 'their-network', sound: 4, paused: true}})]),
  'call-paused-small': call(
    () => [me(), ann({quality: {level: 0, reason: 'their-network', sound: 4, paused: true}})],
    () => soon(() => document.querySelector<HTMLElement>('.grip')?.click()),
  ),
  'call-paused-mine': call(() => [me({quality: {level: 0, reason: 'upload-small', paused: true}}), ann()]),
  'call-chat': call(
    () => [me(), ann()],
    (visit, {room}) => {
      talk(room);
      visit.show('chat');
    },
  ),
  'call-chat-empty': call(
    () => [me(), ann()],
    (visit) => visit.show('chat'),
  ),
  'call-files': call(
    () => [me(), ann()],
    (visit, {room}) => {
      move(room);
      visit.show('files');
    },
  ),
  'call-files-ends': call(
    () => [me(), ann()],
    (visit, {room}) => {
      end(room);
      visit.show('files');
    },
  ),
  'call-files-empty': call(
    () => [me(), ann()],
    (visit) => visit.show('files'),
  ),
  'call-files-whom': call(
    () => [me(), ann(), new FakePerson('Ben Hartmann', 3)],
    (visit) => {
      visit.show('files');
      soon(() => paste(3));
    },
  ),
  'call-files-drop': call(
    () => [me(), ann()],
    () => soon(hover),
  ),
  'call-files-offer': call(
    () => [me(), ann()],
    (_, {room}) => {
      room.transfers.put({name: 'Garden plan, third draft.pdf', sizes: [2_481_034], state: 'offered'});
      room.transfers.put({name: 'apple trees.mp4', sizes: [841_034_000], bytes: 311e6, speedBps: 12.4e6, leftMs: 43e3});
    },
  ),
  'call-files-chat': call(
    () => [me(), ann()],
    (visit, {room}) => {
      talk(room);
      room.transfers.put({name: 'Garden plan, third draft.pdf', sizes: [2_481_034], state: 'offered'});
      room.transfers.put({name: 'trees.csv', sizes: [12_034], state: 'done', direction: 'out', bytes: 12_034});
      visit.show('chat');
    },
  ),
  'call-people': call(
    () => [me(), ann()],
    (visit) => visit.show('people'),
  ),
  'call-people-host': call(
    () => [me(), ann()],
    (visit, scene) => {
      host(visit, scene);
      visit.show('people');
    },
  ),
  'call-people-remove': call(
    () => [me(), ann()],
    (visit, scene) => {
      host(visit, scene);
      visit.show('people');
      soon(() => document.querySelector<HTMLElement>('[aria-label="Remove Ann Okafor"]')?.click());
    },
  ),
  ...crowd(call),
  'call-settings': call(
    () => [me(), ann()],
    (visit) => visit.show('settings'),
  ),
  'call-shortcuts': call(
    () => [me(), ann()],
    () => soon(() => window.dispatchEvent(new KeyboardEvent('keydown', {key: '?'}))),
  ),
  'end-left': call(
    () => [me()],
    (visit) => visit.leave(),
  ),
  'end-removed': ended('removed'),
  'end-replaced': ended('replaced'),
  'end-draining': ended('draining', 20),
  'end-unreachable': ended('unreachable', 0),
};

function goOffline(_: Visit, {room}: Scene): void {
  room.online = false;
  room.emit('online', false);
}

/** A device did something by itself. */
function news(event: DeviceEvent): Make {
  return call(
    () => [me(), ann()],
    (_, {media}) => soon(() => media.emit('device', event)),
  );
}

/** A device is in trouble in the middle of a call. */
function trouble(status: SourceStatus): Make {
  return call(
    () => [me(), ann()],
    (_, {media}) =>
      soon(() => {
        media.microphone.set(status);
        if (status === 'missing') media.microphones = [];
        media.emit('device', {kind: 'lost', sources: ['microphone'], device: null, before: built});
        media.emit('change', undefined);
      }),
  );
}

function ended(reason: 'removed' | 'replaced' | 'draining' | 'unreachable', retry = 0): Make {
  return door(({room}) => {
    room.status = 'ended';
    room.ending = {reason, retry};
  });
}
