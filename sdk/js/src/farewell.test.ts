import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {Page} from './page.js';
import {Pulse} from './pulse.js';
import {Socket} from './socket.js';
import {FakeWebSocket} from './websocket.fake.js';

beforeEach(async () => {
  await import('./farewell.js'); // as in a call
  vi.useFakeTimers();
  FakeWebSocket.all = [];
  vi.stubGlobal('WebSocket', FakeWebSocket);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A session with one message that is not acknowledged. */
function session() {
  const socket = new Socket('wss://x/ws', () => ({client: {name: 'test'}, room: 'r'}), new Page(), new Pulse());
  const [ws] = FakeWebSocket.all as [FakeWebSocket];
  ws.open().welcome();
  socket.send('chat', {id: 'i', text: 'bye all'});
  return {socket, ws};
}

/** What sockets said beside `first`, each an array of types. */
const others = (first: FakeWebSocket) =>
  FakeWebSocket.all.filter((ws) => ws !== first).map((ws) => ws.got.map((m) => m.type));

async function newest(ms: number): Promise<FakeWebSocket> {
  await vi.advanceTimersByTimeAsync(ms);
  return FakeWebSocket.all.at(-1) as FakeWebSocket;
}

it('says goodbye once where it is heard', async () => {
  const {socket, ws} = session();
  socket.close(true);
  expect(ws.got.at(-1)?.type).toBe('bye');
  await vi.advanceTimersByTimeAsync(120_000);
  expect(FakeWebSocket.all).toEqual([ws]);
});

it('says nothing on another socket when the session stays', async () => {
  const {socket, ws} = session();
  ws.deaf = true;
  socket.close(false);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(FakeWebSocket.all).toEqual([ws]);
});

it('says it again, with what was not acknowledged, when the socket turns out to be dead', async () => {
  const {socket, ws} = session();
  ws.deaf = true;
  socket.close(true);
  const next = (await newest(4_200)).open();
  expect(next.got).toMatchObject([{type: 'hello', room: 'r', resume: 't1', received: 0}]);
  next.welcome({resumed: true, received: 0});
  expect(next.got.slice(1)).toMatchObject([{type: 'chat', n: 1}, {type: 'bye'}]);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(FakeWebSocket.all).toHaveLength(2);
});

it('tries at once when the socket is known to be dead, and again until somebody answers', async () => {
  const {socket, ws} = session();
  ws.die();
  socket.close(true);
  (await newest(150)).die();
  const busy = (await newest(500)).open();
  expect(FakeWebSocket.all).toHaveLength(3);
  busy.say({type: 'error', code: 'busy', words: 'later'});
  const next = (await newest(1_000)).open();
  expect(FakeWebSocket.all).toHaveLength(4);
  next.welcome({session: 'another'}); // the old one is gone, and this one shall not stay either
  expect(next.got.map((m) => m.type)).toEqual(['hello', 'bye']);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(FakeWebSocket.all).toHaveLength(4);
  expect(others(ws)).toEqual([[], ['hello'], ['hello', 'bye']]);
});

it('goes on with the newest token when the path dies under a try', async () => {
  const {socket, ws} = session();
  ws.die();
  socket.close(true);
  const first = (await newest(150)).open();
  first.deaf = true;
  first.welcome({resumed: true, resume: 't2', received: 0});
  const second = (await newest(5_000)).open();
  expect(FakeWebSocket.all).toHaveLength(3);
  expect(second.got).toMatchObject([{type: 'hello', resume: 't2'}]);
  second.welcome({resumed: true, resume: 't3', received: 1});
  await vi.advanceTimersByTimeAsync(620_000);
  expect(FakeWebSocket.all).toHaveLength(3);
});

it('ends when nobody ever answers', async () => {
  const {socket, ws} = session();
  ws.die();
  socket.close(true);
  await vi.advanceTimersByTimeAsync(620_000);
  const tries = FakeWebSocket.all.length;
  expect(tries).toBeGreaterThan(30);
  expect(tries).toBeLessThan(100);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(FakeWebSocket.all).toHaveLength(tries);
  expect(vi.getTimerCount()).toBe(0);
});
