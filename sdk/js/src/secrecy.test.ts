import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import type {Room} from './api.js';
import {makeKey} from './e2ee/key.js';
import {Secret, sealedChat} from './e2ee/secret.js';
import {FakePeerConnection} from './peerconnection.fake.js';
import {openRoom} from './room.js';
import {FakeWebSocket, type Message} from './websocket.fake.js';
import type {RoomState, Seat} from './wire.gen.js';

const silent = {microphone: false, camera: false, screen: false, screenAudio: false};
const ann: Seat = {id: 'A', name: 'Ann', role: 'host', state: 'present', session: 'me', order: 1, media: silent};
const empty: RoomState = {name: 'tea', exists: false, may: 'create', role: 'host', seats: []};
const inside: RoomState = {...empty, exists: true, may: 'join', seats: [ann]};

const opened: Room[] = [];
let threads = 0; // that seal

/** A browser that can seal frames; none come here. */
beforeEach(async () => {
  // So that the code is there at once.
  await Promise.all([import('./upkeep.js'), import('./pair.js'), import('./host.js'), import('./e2ee/veil.js')]);
  vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance']});
  FakeWebSocket.all = [];
  FakePeerConnection.all = [];
  vi.stubGlobal('WebSocket', FakeWebSocket);
  vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
  vi.stubGlobal('MediaStream', class {});
  threads = 0;
  vi.stubGlobal(
    'Worker',
    class {
      constructor() {
        threads++;
      }
      postMessage(): void {}
      terminate(): void {}
    },
  );
  vi.stubGlobal(
    'RTCRtpSender',
    class {
      get createEncodedStreams(): null {
        return null;
      }
    },
  );
});
afterEach(() => {
  for (const room of opened.splice(0)) room.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Lets go on what waits for no clock: the cipher works in threads of its own. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await crypto.subtle.digest('SHA-256', new Uint8Array(1));
}

/** Waits for what the cipher has yet to do. */
async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !done(); i++) await turns();
  expect(done()).toBe(true);
}

function enter(key?: string) {
  const room = openRoom({room: 'tea', server: 'https://parley.example', storage: null, ...(key && {key})});
  opened.push(room);
  let n = 0;
  const server = {
    ws: (FakeWebSocket.all.at(-1) as FakeWebSocket).open(),
    say: (message: object) => server.ws.say({...message, n: ++n}),
    sent: (type: string): Message[] => server.ws.got.filter((m) => m.type === type),
    joined: (state: RoomState = inside, seat = 'A') =>
      server.say({type: 'joined', re: server.sent('join').at(-1)?.n, seat, token: 'T', room: state}),
    /** The network goes and comes back. */
    again(welcome: object) {
      server.ws.die();
      const next = () => FakeWebSocket.all.at(-1) as FakeWebSocket;
      while (next().readyState === 3) vi.advanceTimersByTime(100); // each try has its time
      server.ws = next().open();
      server.ws.welcome({session: 'me', ...welcome});
    },
  };
  server.ws.welcome({session: 'me', room: empty});
  return {room, server};
}

async function joined(key?: string) {
  const all = enter(key);
  const promise = all.room.join('Ann');
  await until(() => all.server.sent('join').length > 0);
  all.server.joined();
  await promise;
  return all;
}

describe('the chat of an encrypted room', () => {
  it('shows no plain words, also before the code is there that opens others', async () => {
    const {room, server} = enter(makeKey());
    const chat = {type: 'chat', id: 'c1', text: 'pay to account 666', from: 'B', name: 'Bob', at: 1};
    server.say(chat);
    server.say({type: 'history', messages: [{...chat, type: undefined, seq: 1}]});
    expect(room.chat).toEqual([]);
    void room.join('Ann').catch(() => {});
    await until(() => server.sent('join').length > 0);
    server.say(chat);
    await turns();
    expect(room.chat).toEqual([]);
  });

  it('sends none either, but seals them when it can', async () => {
    const {room, server} = enter(makeKey());
    room.sendChat('hello');
    expect(server.sent('chat')).toEqual([]);
    await until(() => server.sent('chat').length > 0);
    expect(server.sent('chat').map(({text}) => String(text).startsWith(sealedChat))).toEqual([true]);
  });

  it('is sealed again when it is sent again, from the seat that one has by then', async () => {
    const key = makeKey();
    const {room, server} = await joined(key);
    const {id} = room.sendChat('are you there?');
    await until(() => server.sent('chat').length > 0);
    server.again({reset: true, room: {...inside, encrypted: true}});
    expect(server.sent('chat')).toEqual([]);
    const seats = [{...ann, id: 'A2', order: 3}];
    const re = server.sent('join').at(-1)?.n;
    server.ws.say({type: 'joined', n: 1, re, seat: 'A2', token: 'T2', room: {...inside, encrypted: true, seats}});
    await until(() => server.sent('chat').length > 0);
    const secret = (await Secret.of('tea', key)) as Secret;
    const text = server.sent('chat')[0]?.text as string;
    expect(await secret.openChat(id, text)).toEqual({text: 'are you there?', name: 'Ann', seat: 'A2'});
  });
});

describe('a host who encrypts the room', () => {
  const key = makeKey();

  /** A host alone, who has asked for it; `said` becomes what came of it. */
  async function asking({offline = false} = {}) {
    const all = await joined();
    const {room, server} = all;
    if (offline) server.ws.die();
    const outcome = {said: ''};
    room.encrypt(key).then(
      () => {
        outcome.said = 'done';
      },
      ({code}) => {
        outcome.said = code;
      },
    );
    await until(() => threads > 0);
    await turns();
    return Object.assign(all, {outcome});
  }

  it('has the key from the question on', async () => {
    const {room, server, outcome} = await asking();
    expect(server.sent('encrypt')).toHaveLength(1);
    expect([room.key, outcome.said]).toEqual([key, '']);
    server.say({type: 'room', room: {...inside, encrypted: true}});
    await turns();
    expect([room.key, outcome.said]).toEqual([key, 'done']);
  });

  it.each(['order', 'forbidden'])('has none when the server refuses: %s', async (code) => {
    const {room, server, outcome} = await asking();
    const re = server.sent('encrypt')[0]?.n;
    server.say({type: 'error', re: (re ?? 0) + 1, code, words: 'about something else'});
    await turns();
    expect(room.key).toBe(key);
    server.say({type: 'error', re, code, words: 'no'});
    await turns();
    expect([room.key, outcome.said, room.people[0]?.encryption]).toEqual(['', code, 'none']);
  });

  describe('while the server is away for long', () => {
    async function away() {
      const all = await asking({offline: true});
      await vi.advanceTimersByTimeAsync(60_000);
      await turns();
      expect([all.room.key, all.outcome.said]).toEqual([key, '']);
      return all;
    }

    it('still has the key when it hears of it and obeys', async () => {
      const {room, server, outcome} = await away();
      server.again({resumed: true, received: 1});
      expect(server.sent('encrypt')).toHaveLength(1);
      server.say({type: 'room', room: {...inside, encrypted: true}});
      await turns();
      expect([room.key, outcome.said, room.people[0]?.encryption]).toEqual([key, 'done', 'known']);
    });

    it('has none when somebody came before it heard of it', async () => {
      const {room, server, outcome} = await away();
      server.again({resumed: true, received: 1});
      server.say({type: 'error', re: server.sent('encrypt')[0]?.n, code: 'order', words: 'others are here'});
      await turns();
      expect([room.key, outcome.said, room.people[0]?.encryption]).toEqual(['', 'order', 'none']);
    });

    it('takes nothing that another session says for the answer', async () => {
      const {room, server, outcome} = await away();
      server.again({reset: true, room: inside});
      const re = server.sent('join')[0]?.n;
      for (let other = 1; other < 9; other++)
        if (other !== re) server.ws.say({type: 'error', n: other, re: other, code: 'order', words: 'no'});
      await turns();
      expect([room.key, outcome.said]).toEqual([key, '']);
    });

    it('has none when another session is not let into the room, which is as it was', async () => {
      const {room, server, outcome} = await away();
      server.again({session: 'me2', room: {...inside, seats: []}});
      server.ws.say({type: 'error', n: 1, re: server.sent('join')[0]?.n, code: 'encrypted', words: 'it is not'});
      await turns();
      expect([room.status, room.key, outcome.said]).toEqual(['lobby', '', 'order']);
    });

    it('keeps it when another session finds the room encrypted', async () => {
      const {room, server, outcome} = await away();
      server.again({session: 'me2', room: {...inside, seats: [], encrypted: true}});
      await turns();
      expect([room.key, outcome.said]).toEqual([key, 'done']);
      expect(server.sent('join')).toMatchObject([{identity: expect.any(String)}]);
    });

    it('keeps the key when the page gives the room up', async () => {
      const {room, outcome} = await away();
      room.close();
      await turns();
      expect([room.key, outcome.said]).toEqual([key, 'closed']);
    });
  });
});
