import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import type {Room} from './api.js';
import type {Store} from './memory.js';
import {FakePeerConnection} from './peerconnection.fake.js';
import {openRoom} from './room.js';
import {FakeWebSocket, type Message} from './websocket.fake.js';
import type {RoomState, Seat} from './wire.gen.js';

const silent = {microphone: false, camera: false, screen: false, screenAudio: false};
const ann: Seat = {id: 'A', name: 'Ann', role: 'host', state: 'present', session: 'ann', order: 1, media: silent};
const bob: Seat = {id: 'B', name: 'Bob', role: 'speaker', state: 'present', session: 'me', order: 2, media: silent};
const lobby: RoomState = {name: 'r', exists: true, may: 'join', role: 'speaker', seats: [ann]};
const inside: RoomState = {...lobby, seats: [ann, bob]};

const opened: Room[] = [];

/** Ticks when the test says so. */
class FakeWorker {
  static all: FakeWorker[] = [];
  onmessage: (() => void) | null = null;
  ended = false;
  constructor() {
    FakeWorker.all.push(this);
  }
  postMessage(): void {}
  terminate(): void {
    this.ended = true;
  }
}

function memoryStore(): Store {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

beforeEach(async () => {
  // So that the links have them at once.
  await Promise.all([import('./upkeep.js'), import('./pair.js'), import('./streams.js'), import('./host.js')]);
  vi.useFakeTimers();
  FakeWebSocket.all = [];
  FakePeerConnection.all = [];
  FakeWorker.all = [];
  vi.stubGlobal('WebSocket', FakeWebSocket);
  vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
  vi.stubGlobal('MediaStream', class {});
});
afterEach(() => {
  for (const room of opened.splice(0)) room.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A room and the server's end of it. `say` numbers like a server; `sent` gives what the room sent, by type. */
function enter(storage: Store | null = memoryStore()) {
  const room = openRoom({room: 'r', server: 'https://parley.example', storage});
  opened.push(room);
  const log: string[] = [];
  room.on('status', (s) => log.push(s));
  room.on('joined', (p) => log.push(`+${p.name}`));
  room.on('left', ({person, reason}) => log.push(`-${person.name} ${reason}`));
  room.on('trouble', ({kind, detail}) => log.push(`${kind}: ${detail}`));
  let n = 0;
  const server = {
    ws: (FakeWebSocket.all.at(-1) as FakeWebSocket).open(),
    welcome(session = 'me', state: RoomState = lobby) {
      n = 0;
      server.ws.welcome({session, room: state});
    },
    say: (message: object) => server.ws.say({...message, n: ++n}),
    sent: (type: string): Message[] => server.ws.got.filter((m) => m.type === type),
    joined: (state: RoomState = inside) =>
      server.say({type: 'joined', re: server.sent('join').at(-1)?.n, seat: 'B', token: 'T', room: state}),
    reconnect() {
      server.ws.die();
      vi.advanceTimersByTime(100);
      server.ws = (FakeWebSocket.all.at(-1) as FakeWebSocket).open();
    },
  };
  return {room, server, log};
}

async function outcome(promise: Promise<void>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error) => error.code,
  );
}

async function joined(storage?: Store) {
  const all = enter(storage);
  all.server.welcome();
  const promise = all.room.join('Bob');
  all.server.joined();
  await promise;
  all.log.length = 0;
  return all;
}

describe('joining', () => {
  it('goes from the lobby to a seat', async () => {
    const {room, server, log} = enter();
    expect(server.ws.url).toBe('wss://parley.example/ws');
    expect(room.status).toBe('connecting');
    const promise = room.join('Bob'); // waits for welcome
    server.welcome();
    expect(server.sent('join')).toMatchObject([{name: 'Bob', media: silent}]);
    server.joined();
    expect(await outcome(promise)).toBe('resolved');
    expect(log).toEqual(['lobby', 'joining', 'joined']);
    expect(room.me?.name).toBe('Bob');
    expect(room.people.map((p) => [p.name, p.isMe])).toEqual([
      ['Ann', false],
      ['Bob', true],
    ]);
  });

  it('waits for a host, and can be refused', async () => {
    const {room, server, log} = enter();
    server.welcome('me', {...lobby, may: 'knock', waitingRoom: true});
    const promise = room.join('Bob');
    server.say({type: 'waiting', re: 1, token: 'W'});
    expect(room.status).toBe('waiting');
    server.say({type: 'error', re: 1, code: 'removed', words: 'no'});
    expect(await outcome(promise)).toBe('removed');
    expect(log).toEqual(['lobby', 'joining', 'waiting', 'lobby']);
  });

  it('sends the offer right behind the join, and takes no refusal of it to heart', async () => {
    const {room, server, log} = enter();
    server.welcome();
    void room.join('Bob').catch(() => {});
    await vi.advanceTimersByTimeAsync(1);
    expect(server.ws.got.slice(1).map((m) => m.type)).toEqual(['join', 'offer']);
    server.say({type: 'error', re: 1, code: 'full', words: 'full'});
    server.say({type: 'error', re: 2, code: 'order', words: 'not joined'});
    expect(log).toEqual(['lobby', 'joining', 'lobby']);
    expect(FakePeerConnection.all.every((pc) => pc.closed)).toBe(true);
  });

  it('takes the seat again after a reload', async () => {
    const storage = memoryStore();
    await joined(storage);
    const {room, server} = enter(storage);
    expect(room.previous).toEqual({id: 'B', name: 'Bob'});
    server.welcome('me2');
    void room.join('Bob').catch(() => {});
    expect(server.sent('join')).toMatchObject([{seat: 'T'}]);
  });

  it('stays a host after a reload and a new session', async () => {
    const storage = memoryStore();
    const first = enter(storage);
    first.server.welcome();
    void first.room.join('Bob').catch(() => {});
    first.server.joined({...inside, role: 'host', host: 'H'});
    first.server.say({type: 'room', room: {...lobby, role: 'host'}});
    expect(first.room.info?.host).toBe('H');
    first.server.reconnect();
    expect(first.server.sent('hello')).toMatchObject([{host: 'H'}]);
    expect(enter(storage).server.sent('hello')).toMatchObject([{host: 'H'}]);
  });

  it('does not sit down after it has left', async () => {
    const {room, server, log} = enter();
    server.welcome();
    const promise = outcome(room.join('Bob'));
    room.leave();
    server.joined();
    server.say({type: 'left', seat: 'B', reason: 'left'});
    expect(await promise).toBe('closed');
    expect(log).toEqual(['lobby', 'joining', 'lobby']);
    expect(server.sent('leave')).toHaveLength(1);
  });

  it('takes the seat of the last join, not of one that was taken back', async () => {
    const {room, server, log} = enter();
    server.welcome();
    const first = outcome(room.join('Bob'));
    room.leave();
    const second = room.join('Bob');
    const [, {n} = {n: 0}] = server.sent('join');
    server.say({type: 'joined', re: 1, seat: 'X', token: 'X', room: {...lobby, seats: [ann, {...bob, id: 'X'}]}});
    server.say({type: 'left', seat: 'X', reason: 'left'});
    server.say({type: 'joined', re: n, seat: 'B', token: 'T', room: inside});
    expect(await first).toBe('closed');
    expect(await outcome(second)).toBe('resolved');
    expect([room.status, room.me?.id]).toEqual(['joined', 'B']);
    expect(log).toEqual(['lobby', 'joining', 'lobby', 'joining', 'joined']);
  });

  it('says who it was when it knocks again after a host sent it away', async () => {
    const storage = memoryStore();
    const {server} = await joined(storage);
    server.say({type: 'left', seat: 'B', reason: 'removed'});
    server.ws.say({type: 'bye', reason: 'removed'});
    const again = enter(storage);
    again.server.welcome('me2');
    expect(again.room.previous).toBeNull();
    void again.room.join('Bob').catch(() => {});
    expect(again.server.sent('join')).toMatchObject([{seat: 'T'}]);
  });

  it('forgets who is inside when the door closes, and asks for a relay when it opens', () => {
    const {room, server} = enter();
    server.welcome();
    expect(room.people).toHaveLength(1);
    server.say({type: 'room', room: {...lobby, may: 'no', locked: true, seats: undefined}});
    expect(room.people).toHaveLength(0);
    expect(server.sent('ice-servers')).toHaveLength(0);
    server.say({type: 'room', room: {...lobby, seats: undefined}});
    server.say({type: 'seat', seat: ann});
    expect(room.people).toHaveLength(1);
    expect(server.sent('ice-servers')).toHaveLength(1);
    server.say({type: 'error', re: server.sent('ice-servers')[0]?.n, code: 'forbidden', words: 'w'});
  });

  it('is told that a host link does not fit, though nothing asked for that', () => {
    const {server, log} = enter();
    server.welcome();
    server.say({type: 'error', code: 'bad-secret', field: 'host', words: 'no good'});
    expect(log).toEqual(['lobby', 'refused: bad-secret host: no good']);
  });

  it('forgets the seat on leaving', async () => {
    const storage = memoryStore();
    const {room, server} = await joined(storage);
    room.leave();
    expect(server.sent('leave')).toHaveLength(1);
    expect([room.status, room.me, room.previous]).toEqual(['lobby', null, null]);
    expect(room.people.map((p) => p.name)).toEqual(['Ann']);
  });
});

describe('a seat', () => {
  it('keeps the link that it answers when an error answers nothing', async () => {
    const {server, log} = await joined();
    server.say({type: 'seat', seat: {...ann, id: 'C', session: 'cyd', order: 3}});
    server.say({type: 'offer', from: 'cyd', link: 'l', sdp: 'o', tracks: []});
    await vi.advanceTimersByTimeAsync(10);
    const link = FakePeerConnection.all.find((pc) => pc.remoteDescription?.sdp === 'o');
    expect(link?.closed).toBe(false);
    server.ws.say({type: 'error', code: 'out-of-order', words: 'w'});
    expect(link?.closed).toBe(false);
    expect(log.at(-1)).toBe('refused: out-of-order : w');
  });

  it('sees people come, change and go', async () => {
    const {room, server, log} = await joined();
    const first = room.people[0];
    server.say({type: 'seat', seat: {...ann, state: 'away'}});
    server.say({type: 'seat', seat: {...ann, id: 'W', name: 'Wil', state: 'waiting', order: 4, session: 'wil'}});
    server.say({type: 'seat', seat: {...ann, id: 'C', name: 'Cat', order: 3, session: 'cat'}});
    expect(room.people.map((p) => p.name)).toEqual(['Ann', 'Bob', 'Cat', 'Wil']);
    expect(room.people[0]).toBe(first);
    expect(first?.state).toBe('away');
    server.say({type: 'left', seat: 'W', reason: 'left'});
    server.say({type: 'left', seat: 'C', reason: 'removed'});
    server.say({type: 'left', seat: 'C', reason: 'removed'});
    expect(log).toEqual(['+Cat', '-Cat removed']);
  });

  it('survives a server that forgot everything, with the words that were not heard', async () => {
    const {room, server, log} = await joined();
    room.sendChat('are you there?');
    server.reconnect();
    server.welcome('me3', {...lobby, may: 'create', exists: false, seats: []});
    expect(room.status).toBe('joined');
    expect(server.sent('join')).toMatchObject([{name: 'Bob', seat: 'T'}]);
    server.joined({...inside, seats: [{...bob, session: 'me3'}]});
    expect(server.sent('chat')).toMatchObject([{text: 'are you there?'}]);
    expect(room.people.map((p) => p.name)).toEqual(['Bob']);
    expect(log).toEqual([]);
  });

  describe('when the server lost its memory but knows the session', () => {
    /** In a call with Ann, something unacknowledged under way, and the socket back after a restart of the server. */
    async function restarted(seats: Seat[]) {
      const all = await joined();
      const {room, server} = all;
      await vi.advanceTimersByTimeAsync(1);
      const {n, link} = server.sent('offer')[0] as Message;
      server.say({type: 'answer', from: 'ann', link, sdp: 'a', tracks: [], ack: n});
      await vi.advanceTimersByTimeAsync(1);
      FakePeerConnection.all.find((pc) => !pc.closed)?.turn('connected');
      room.sendChat('are you there?');
      server.reconnect();
      server.ws.welcome({session: 'me', reset: true, room: {...lobby, seats}});
      return all;
    }
    const again = {...inside, seats: [bob]};

    it('announces itself, and says again what nobody acknowledged, in its order', async () => {
      const {server, log} = await restarted([bob]);
      const numbered = server.ws.got.filter((m) => m.n && m.type !== 'report');
      expect(numbered.map((m) => [m.n, m.type])).toEqual([
        [1, 'join'],
        [2, 'chat'],
      ]);
      expect(numbered[0]).toMatchObject({name: 'Bob', seat: 'T'});
      server.ws.say({type: 'joined', n: 1, re: 1, seat: 'B', token: 'T2', room: again});
      expect(server.sent('chat')).toHaveLength(1);
      expect(log).toEqual([]);
    });

    it('keeps the people whom the server does not know yet, and their links', async () => {
      const {room, server, log} = await restarted([bob]);
      server.ws.say({type: 'joined', n: 1, re: 1, seat: 'B', token: 'T2', room: again});
      expect(room.people.map((p) => [p.name, p.state])).toEqual([
        ['Ann', 'away'],
        ['Bob', 'present'],
      ]);
      server.ws.say({type: 'seat', n: 2, seat: ann});
      await vi.advanceTimersByTimeAsync(60_000);
      expect(room.people[0]?.state).toBe('present');
      expect(FakePeerConnection.all.some((pc) => !pc.closed)).toBe(true);
      expect(log).toEqual([]);
    });

    it('lets go of those who do not come', async () => {
      const {room, server, log} = await restarted([bob]);
      server.ws.say({type: 'joined', n: 1, re: 1, seat: 'B', token: 'T2', room: again});
      await vi.advanceTimersByTimeAsync(29_000);
      expect(room.people).toHaveLength(2);
      await vi.advanceTimersByTimeAsync(1_500);
      expect(room.people.map((p) => p.name)).toEqual(['Bob']);
      expect(log).toEqual(['-Ann expired']);
    });
  });

  it('shows words of before a restart once, though they come back from another seat', async () => {
    const {room, server} = await joined();
    const {id} = room.sendChat('are you there?');
    server.reconnect();
    server.welcome('me3');
    const later = room.sendChat('hello?'); // the session has no seat yet
    expect(server.sent('chat')).toEqual([]);
    server.say({type: 'joined', re: 1, seat: 'B2', token: 'T2', room: {...lobby, seats: [{...bob, id: 'B2'}]}});
    expect(server.sent('chat').map((m) => m.id)).toEqual([id, later.id]);
    server.say({type: 'chat', id, text: 'are you there?', from: 'B2', name: 'Bob', at: 5});
    expect(room.chat.map((m) => [m.text, m.mine, m.sent])).toEqual([
      ['are you there?', true, true],
      ['hello?', true, false],
    ]);
  });

  it('says when the seat is lost because the server that forgot it has no other', async () => {
    const {room, server, log} = await joined();
    server.reconnect();
    server.welcome('me3', {...lobby, may: 'no'});
    server.say({type: 'error', re: 1, code: 'full', words: 'taken'});
    expect(room.status).toBe('lobby');
    expect(log).toEqual(['lobby', 'refused: full : taken']);
  });

  it('lets go of the path to somebody whose session is over while the seat is kept', async () => {
    const {room, server} = await joined();
    const [first] = room.people;
    await vi.advanceTimersByTimeAsync(1);
    server.say({type: 'answer', from: 'ann', link: server.sent('offer')[0]?.link, sdp: 'a', tracks: []});
    expect(first?.path.kind).toBe('connecting');
    server.say({type: 'seat', seat: {...ann, session: undefined, state: 'away'}});
    expect([first?.path.kind, first?.tracks.size]).toEqual(['none', 0]);
    expect(FakePeerConnection.all[0]?.closed).toBe(true);
  });

  it('marks a chat message as sent when it comes back', async () => {
    const {room, server} = await joined();
    const {id} = room.sendChat('hi');
    expect(room.chat).toMatchObject([{text: 'hi', mine: true, sent: false}]);
    server.say({type: 'chat', id, text: 'hi', from: 'B', name: 'Bob', at: 5});
    server.say({type: 'chat', id, text: 'hello', from: 'A', name: 'Ann', at: 6});
    expect(room.chat.map((m) => [m.text, m.mine, m.sent])).toEqual([
      ['hi', true, true],
      ['hello', false, true],
    ]);
  });

  it.each<[string, (room: Room) => Promise<void>, object, string]>([
    ['lock', (r) => r.lock(true), {type: 'room', room: {...lobby, locked: true}}, 'resolved'],
    ['lock, refused', (r) => r.lock(true), {type: 'error', re: 2, code: 'forbidden', words: 'w'}, 'forbidden'],
    ['unlock an open room', (r) => r.lock(false), {type: 'ignored'}, 'resolved'],
    ['waiting room', (r) => r.waitingRoom(true), {type: 'room', room: {...lobby, waitingRoom: true}}, 'resolved'],
    ['remove', (r) => r.remove(r.people[0] as never), {type: 'left', seat: 'A', reason: 'removed'}, 'resolved'],
    ['a hand', (r) => r.hand(true), {type: 'seat', seat: {...bob, hand: 4}}, 'resolved'],
    ["somebody's hand", (r) => r.hand(true, r.people[0]), {type: 'seat', seat: {...ann, hand: 4}}, 'resolved'],
    ['a reaction', (r) => r.react('love'), {type: 'reaction', from: 'B', kind: 'love'}, 'resolved'],
    ["somebody's reaction", (r) => r.react('love'), {type: 'reaction', from: 'A', kind: 'love'}, 'timeout'],
    ['too many reactions', (r) => r.react('love'), {type: 'error', re: 2, code: 'busy', words: 'w'}, 'busy'],
    ['to listen', (r) => r.speak(false), {type: 'seat', seat: {...bob, role: 'listener'}}, 'resolved'],
    ['to speak while speaking', (r) => r.speak(true), {type: 'ignored'}, 'resolved'],
    [
      'a host',
      (r) => r.role(r.people[0] as never, 'speaker'),
      {type: 'seat', seat: {...ann, role: 'speaker'}},
      'resolved',
    ],
    ['an invitation for a speaker', (r) => r.invite(r.people[0] as never, true), {type: 'ignored'}, 'resolved'],
    ['mute all, all muted', (r) => r.muteAll('microphone'), {type: 'ignored'}, 'resolved'],
    [
      'topology',
      (r) => r.setTopology('hub'),
      {type: 'room', room: {...lobby, topology: {kind: 'direct', epoch: 1, policy: 'hub'}}},
      'resolved',
    ],
    ['no answer', (r) => r.lock(true), {type: 'ignored'}, 'timeout'],
  ])('asks as a host: %s', async (_, ask, answer, expected) => {
    const {room, server} = await joined();
    await vi.advanceTimersByTimeAsync(1); // the offer to Ann is number 2
    server.say({type: 'error', re: 2, code: 'no-peer', words: 'w'});
    const before = server.ws.got.length;
    const promise = outcome(ask(room));
    await vi.advanceTimersByTimeAsync(1);
    const asked = server.ws.got[before];
    server.say('re' in answer ? {...answer, re: asked?.n} : answer);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await promise).toBe(expected);
  });

  it.each<[object, string, string | undefined]>([
    [{type: 'bye', reason: 'removed'}, 'ended', undefined],
    [{type: 'bye', reason: 'replaced'}, 'ended', 'Bob'],
    [{type: 'bye', reason: 'draining', retry: 5}, 'joined', 'Bob'],
  ])('hears %j', async (bye, status, previous) => {
    const {room, server} = await joined();
    server.ws.say(bye);
    expect([room.status, room.previous?.name]).toEqual([status, previous]);
    expect(FakeWebSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(10_000);
    expect(FakeWebSocket.all.length > 1).toBe(status === 'joined');
  });

  it('mutes all: who speaks up again meanwhile has been muted all the same', async () => {
    const loud = {...silent, microphone: true};
    const cyd: Seat = {...ann, id: 'C', name: 'Cyd', role: 'speaker', session: 'cyd', order: 3, media: loud};
    const {room, server} = await joined();
    server.say({type: 'seat', seat: cyd});
    const promise = outcome(room.muteAll('microphone'));
    await vi.advanceTimersByTimeAsync(1);
    expect(server.sent('mute-all')).toMatchObject([{source: 'microphone'}]);
    server.say({type: 'seat', seat: {...cyd, media: silent}});
    server.say({type: 'seat', seat: cyd});
    expect(await promise).toBe('resolved');
  });

  it('tells the waiting what the hosts say, the hosts who waits and why, and the removed what they were told', async () => {
    const {room, server} = enter();
    server.welcome('me', {...lobby, may: 'knock', waitingRoom: true});
    const heard: string[] = [];
    room.on('waitingWords', (words) => heard.push(words));
    void room.join('Bob', {note: 'the plumber'}).catch(() => {});
    expect(server.sent('join')).toMatchObject([{name: 'Bob', note: 'the plumber'}]);
    const re = server.sent('join')[0]?.n;
    server.say({type: 'waiting', re, token: 'T', words: 'Five minutes.'});
    server.say({type: 'waiting', re, token: 'T', words: 'Ten minutes.'});
    expect([room.status, room.waitingWords, heard]).toEqual([
      'waiting',
      'Ten minutes.',
      ['Five minutes.', 'Ten minutes.'],
    ]);
    server.joined();
    server.say({type: 'seat', seat: {...ann, id: 'D', state: 'waiting', note: 'the gardener'}});
    expect(room.people.map((p) => p.note)).toEqual(['', 'the gardener', '']);
    server.ws.say({type: 'bye', reason: 'removed', words: 'Next week, please.'});
    expect(room.ending).toEqual({reason: 'removed', retry: 0, words: 'Next week, please.'});
  });

  it('hears reactions, and sends nothing while it listens', async () => {
    const {room, server} = await joined();
    const seen: string[] = [];
    room.on('reaction', ({person, kind}) => seen.push(`${person.name} ${kind}`));
    server.say({type: 'reaction', from: 'A', kind: 'applause'});
    server.say({type: 'reaction', from: 'nobody', kind: 'applause'});
    expect(seen).toEqual(['Ann applause']);
    server.say({type: 'seat', seat: {...bob, role: 'listener', invited: true}});
    expect([room.me?.role, room.me?.invited]).toEqual(['listener', true]);
    const promise = outcome(room.speak(true));
    await vi.advanceTimersByTimeAsync(1);
    server.say({type: 'seat', seat: bob});
    expect(await promise).toBe('resolved');
  });

  it('rejects what is under way when it closes', async () => {
    const {room} = await joined();
    const promises = [outcome(room.lock(true)), outcome(room.waitingRoom(true))];
    room.close();
    promises.push(outcome(room.lock(true)), outcome(room.join('x')));
    expect(await Promise.all(promises)).toEqual(['closed', 'closed', 'closed', 'closed']);
    expect(room.ending).toEqual({reason: 'left', retry: 0});
    expect(FakePeerConnection.all.every((pc) => pc.closed)).toBe(true);
  });

  it('does not take links of a session that is gone for its own when the server forgets again', async () => {
    const {server} = await joined();
    await vi.advanceTimersByTimeAsync(1);
    const [first] = FakePeerConnection.all;
    server.reconnect();
    server.welcome('me2'); // a new session: the join is on its way
    server.reconnect();
    server.ws.welcome({session: 'me2', reset: true, room: inside});
    server.ws.say({type: 'joined', n: 1, re: 1, seat: 'B', token: 'T2', room: inside});
    await vi.advanceTimersByTimeAsync(1);
    expect(first?.closed).toBe(true);
  });

  it('tries at once when it is asked to', async () => {
    const {room, server} = await joined();
    server.ws.die();
    for (let i = 0; i < 6; i++) {
      await vi.advanceTimersByTimeAsync(1_100);
      (FakeWebSocket.all.at(-1) as FakeWebSocket).die();
    }
    const tried = FakeWebSocket.all.length;
    room.retry();
    expect(FakeWebSocket.all).toHaveLength(tried + 1);
    room.retry(); // while the try is young, it is tried from the beginning, not twice
    expect(FakeWebSocket.all.filter((ws) => !ws.closed && ws.readyState === 0)).toHaveLength(1);
  });

  it('tells the record of sleep, and looks after everything at once', async () => {
    vi.stubGlobal('Worker', FakeWorker);
    const {server} = await joined();
    await vi.advanceTimersByTimeAsync(1);
    const worker = FakeWorker.all.at(-1) as FakeWorker;
    worker.onmessage?.();
    vi.setSystemTime(Date.now() + 90_000);
    worker.onmessage?.();
    await vi.advanceTimersByTimeAsync(6_000);
    const notes = server.sent('report').flatMap((m) => m.events as {cause?: string; ms?: number}[]);
    expect(notes.find(({cause}) => cause === 'asleep')?.ms).toBeGreaterThan(80_000);
    expect(server.sent('ping').length).toBeGreaterThan(0);
  });

  it.each<[string, (room: Room) => void]>([
    ['is left and closed', (room) => room.leave()],
    ['is closed', () => {}],
    ['is closed while it recovers', () => (FakeWebSocket.all.at(-1) as FakeWebSocket).die()],
  ])('leaves no timer, transport or thread behind when it %s', async (_, before) => {
    vi.stubGlobal('Worker', FakeWorker);
    const {room} = await joined();
    room.data('game').send('x');
    await vi.advanceTimersByTimeAsync(2_000);
    before(room);
    room.close();
    await vi.advanceTimersByTimeAsync(60_000); // what may run out, such as looks at a fresh transport
    expect(vi.getTimerCount()).toBe(0);
    expect(FakePeerConnection.all.every((pc) => pc.closed)).toBe(true);
    expect(FakeWebSocket.all.every((ws) => ws.readyState === 3)).toBe(true);
    expect(FakeWorker.all.map((w) => w.ended)).toEqual(FakeWorker.all.map(() => true));
    const links = FakePeerConnection.all.length;
    room.retry();
    room.warm();
    room.leave();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([vi.getTimerCount(), FakePeerConnection.all.length]).toEqual([0, links]);
  });
});
