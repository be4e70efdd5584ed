import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {Page} from './page.js';
import {Pulse} from './pulse.js';
import {backoffMs, Socket} from './socket.js';
import {FakeWebSocket} from './websocket.fake.js';

beforeEach(() => {
  vi.useFakeTimers();
  FakeWebSocket.all = [];
  vi.stubGlobal('WebSocket', FakeWebSocket);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const make = (pulse = new Pulse()) =>
  new Socket('wss://x/ws', () => ({client: {name: 'test'}, room: 'r'}), new Page(), pulse);

function connect() {
  const pulse = new Pulse();
  const socket = make(pulse);
  const log: string[] = [];
  socket.on('online', (on) => log.push(`online ${on}`));
  socket.on('network', () => log.push('moved'));
  socket.on('welcome', ({lost}) => log.push(`welcome ${lost.length}`));
  socket.on('message', (m) => log.push(`${m.type} ${m.n}`));
  socket.on('bye', ({reason}) => log.push(`bye ${reason}`));
  socket.on('unreachable', () => log.push('unreachable'));
  socket.on('refused', ({code}) => log.push(`refused ${code}`));
  return {socket, pulse, log, ws: (FakeWebSocket.all[0] as FakeWebSocket).open()};
}

/** The newest socket, opened; time moves on as far as the retry needs. */
function next(ms = 100): FakeWebSocket {
  vi.advanceTimersByTime(ms);
  return (FakeWebSocket.all.at(-1) as FakeWebSocket).open();
}

describe('Socket', () => {
  it('says hello, then numbers what it sends', () => {
    const {socket, ws, log} = connect();
    expect(ws.protocol).toBe('parley.v1');
    expect(ws.got).toEqual([{type: 'hello', client: {name: 'test'}, room: 'r'}]);
    ws.welcome();
    expect(log).toEqual(['welcome 0', 'online true']);
    expect(socket.send('leave', {})).toBe(1);
    expect(socket.send('chat', {id: 'i', text: 'hi'})).toBe(2);
    expect(ws.got.slice(1)).toEqual([
      {type: 'leave', n: 1},
      {type: 'chat', id: 'i', text: 'hi', n: 2},
    ]);
  });

  it('acknowledges within a second, or with the sixteenth message, or with what it sends', () => {
    const {socket, ws} = connect();
    ws.welcome();
    ws.say({type: 'seat', n: 1});
    vi.advanceTimersByTime(999);
    expect(ws.got).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(ws.got.at(-1)).toEqual({type: 'ack', ack: 1});
    for (let n = 2; n <= 17; n++) ws.say({type: 'seat', n});
    expect(ws.got.at(-1)).toEqual({type: 'ack', ack: 17});
    ws.say({type: 'seat', n: 18});
    socket.send('leave', {});
    expect(ws.got.at(-1)).toEqual({type: 'leave', n: 1, ack: 18});
    const count = ws.got.length;
    vi.advanceTimersByTime(5_000);
    expect(ws.got).toHaveLength(count);
  });

  it('resumes with replay, nothing lost or doubled', () => {
    const {socket, ws, log} = connect();
    ws.welcome();
    socket.send('leave', {});
    socket.send('chat', {id: 'a', text: 'a'});
    ws.say({type: 'seat', n: 1});
    ws.die();
    socket.send('chat', {id: 'b', text: 'b'});
    const again = next();
    expect(again.got).toEqual([{type: 'hello', client: {name: 'test'}, room: 'r', resume: 't1', received: 1}]);
    again.welcome({resumed: true, resume: 't2', received: 1});
    expect(again.got.slice(1).map((m) => [m.type, m.n, m.ack])).toEqual([
      ['chat', 2, 1],
      ['chat', 3, 1],
    ]);
    again.say({type: 'seat', n: 1});
    again.say({type: 'seat', n: 2});
    expect(log).toEqual(['welcome 0', 'online true', 'seat 1', 'online false', 'online true', 'seat 2']);
    again.die();
    expect(next().got[0]).toMatchObject({resume: 't2', received: 2});
  });

  it('makes the new token the valid one even with nothing to send', () => {
    const {ws} = connect();
    ws.welcome().die();
    const again = next();
    again.welcome({resumed: true, resume: 't2', received: 0});
    expect(again.got.at(-1)).toEqual({type: 'ack'});
  });

  it('starts over when the server forgot the session, and tells what was lost', () => {
    const {socket, ws, log} = connect();
    ws.welcome();
    socket.send('chat', {id: 'a', text: 'a'});
    ws.die();
    const again = next().welcome();
    expect(log.slice(2)).toEqual(['online false', 'welcome 1', 'online true']);
    expect(again.got).toHaveLength(1);
    expect(socket.send('leave', {})).toBe(1);
  });

  it('resumes after a gap', () => {
    const {ws, log} = connect();
    ws.welcome();
    ws.say({type: 'seat', n: 1});
    ws.say({type: 'seat', n: 3});
    expect(ws.closed).toBe(true);
    expect(next().got[0]).toMatchObject({resume: 't1', received: 1});
    expect(log).toEqual(['welcome 0', 'online true', 'seat 1', 'online false']);
  });

  it('notices a socket that is dead without saying so', () => {
    const {ws, log} = connect();
    ws.welcome();
    vi.advanceTimersByTime(20_000);
    expect(ws.got.at(-1)).toMatchObject({type: 'ping', id: 1});
    ws.say({type: 'pong', id: 1});
    vi.advanceTimersByTime(20_000);
    expect(log).toHaveLength(2);
    vi.advanceTimersByTime(5_000);
    expect(log.at(-1)).toBe('online false');
  });

  it('answers a ping', () => {
    const {ws} = connect();
    ws.welcome().say({type: 'ping', id: 7});
    expect(ws.got.at(-1)).toEqual({type: 'pong', id: 7});
  });

  it.each([
    ['bye', {type: 'bye', reason: 'removed'}, 'bye removed'],
    ['an error instead of welcome', {type: 'error', code: 'malformed', words: 'w'}, 'refused malformed'],
  ])('stops at %s', (_, message, last) => {
    const {ws, log} = connect();
    ws.say(message);
    expect(log).toEqual([last]);
    vi.advanceTimersByTime(600_000);
    expect(FakeWebSocket.all).toHaveLength(1);
  });

  it.each([
    ['text that is no JSON', '{'],
    ['a busy server', '{"type":"error","code":"busy","words":"w"}'],
  ])('tries again after %s', (_, data) => {
    const {ws} = connect();
    ws.onmessage?.({data});
    next().welcome();
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it('gives up on a server that never answers after half a minute', () => {
    const {log, ws} = connect();
    ws.die();
    for (let i = 0; i < 60; i++) {
      vi.advanceTimersByTime(1_000);
      FakeWebSocket.all.at(-1)?.die();
    }
    expect(log).toEqual(['unreachable']);
    const tried = FakeWebSocket.all.length;
    expect(tried).toBeGreaterThan(5);
    vi.advanceTimersByTime(600_000);
    expect(FakeWebSocket.all).toHaveLength(tried);
  });

  it('keeps a bounded outbox: too much unsent ends the session, not the page', () => {
    const {socket, ws} = connect();
    ws.welcome().die();
    for (let i = 0; i < 1_026; i++) socket.send('leave', {});
    expect(next(1_000).got[0]).not.toHaveProperty('resume');
  });

  describe('with a pulse', () => {
    function fast() {
      const all = connect();
      all.ws.welcome();
      all.pulse.beat(50);
      all.socket.pace(250);
      return all;
    }
    const live = (ws: FakeWebSocket, ms: number) => {
      for (let t = 0; t < ms; t += 50) {
        ws.say({type: 'pong', id: 0});
        vi.advanceTimersByTime(50);
      }
    };

    it('says how often it pings, and when that ends', () => {
      const {socket, ws} = fast();
      live(ws, 1_000);
      const pings = ws.got.filter((m) => m.type === 'ping');
      expect(pings.length).toBeGreaterThanOrEqual(4);
      expect(pings.every((m) => m.every === 250)).toBe(true);
      socket.pace(0);
      expect(ws.got.at(-1)).toEqual({type: 'ping', id: pings.length + 1});
      vi.advanceTimersByTime(3_000);
      expect(FakeWebSocket.all).toHaveLength(1);
    });

    it('promises no more than a busy machine can keep', () => {
      const {ws} = fast();
      live(ws, 500);
      const now = performance.now.bind(performance);
      const busy = vi.spyOn(performance, 'now').mockImplementation(() => now() + 900);
      live(ws, 300);
      busy.mockRestore();
      expect(ws.got.filter((m) => m.type === 'ping').at(-1)?.every).toBe(750);
    });

    it('tries another socket on the quiet, before the silence counts as a loss', () => {
      const {socket, ws, log} = fast();
      live(ws, 1_000);
      vi.advanceTimersByTime(450);
      expect(FakeWebSocket.all).toHaveLength(2);
      expect(socket.online).toBe(true);
      next(0).welcome({resumed: true, resume: 't2', received: 0});
      expect(ws.closed).toBe(true);
      expect(log).toEqual(['welcome 0', 'online true', 'moved']); // nobody was offline
    });

    it('does that too when things come and nothing is answered: only one direction may be gone', () => {
      const {ws, log} = fast();
      live(ws, 1_000);
      for (let n = 1; n <= 9; n++) {
        vi.advanceTimersByTime(50);
        ws.say({type: 'seat', n});
      }
      expect(FakeWebSocket.all).toHaveLength(2);
      ws.say({type: 'seat', n: 10});
      next(0).welcome({resumed: true, resume: 't2', received: 0});
      expect(ws.closed).toBe(true);
      expect(log.filter((line) => !line.startsWith('seat'))).toEqual(['welcome 0', 'online true', 'moved']);
    });

    it('does that as often as it helps', () => {
      const {ws, log} = fast();
      let [line, i] = [ws, 0];
      for (; i < 5; i++) {
        live(line, 600);
        vi.advanceTimersByTime(450);
        line = next(0);
        line.welcome({resumed: true, resume: `t${i + 2}`, received: 0});
      }
      expect(FakeWebSocket.all).toHaveLength(1 + i);
      expect(log).toEqual(['welcome 0', 'online true', ...Array(i).fill('moved')]);
    });

    it('does that rarely, and not when the old one speaks in time', () => {
      const {socket, ws} = fast();
      for (let i = 0; i < 20; i++) {
        live(ws, 100);
        vi.advanceTimersByTime(450); // as on a network that loses much
      }
      live(ws, 100);
      expect(FakeWebSocket.all).toHaveLength(3); // in eleven seconds
      expect(FakeWebSocket.all[0]?.closed).toBe(false);
      expect(socket.online).toBe(true);
    });

    it('closes one that is not needed when it is open, not before: browsers would report a fault', () => {
      const {socket, ws} = fast();
      live(ws, 1_000);
      vi.advanceTimersByTime(450);
      live(ws, 5_000);
      const spare = FakeWebSocket.all[1] as FakeWebSocket;
      expect([FakeWebSocket.all.length, spare.closed]).toEqual([2, false]);
      expect(spare.open().closed).toBe(true);
      expect(spare.got).toEqual([]);
      live(ws, 5_000);
      expect([FakeWebSocket.all.length, ws.closed, socket.online]).toEqual([2, false, true]);
    });

    it('opens a new one when one that was not needed stands still and the old one is closed', () => {
      const {socket, ws, log} = fast();
      ws.say({type: 'pong', id: ws.got.filter((m) => m.type === 'ping').at(-1)?.id});
      live(ws, 1_000);
      vi.advanceTimersByTime(450);
      live(ws, 2_000);
      ws.die();
      expect(FakeWebSocket.all[1]?.closed).toBe(true);
      next(100).welcome({resumed: true, resume: 't2', received: 0});
      expect([FakeWebSocket.all.length, socket.online]).toEqual([3, true]);
      expect(log.slice(2)).toEqual(['online false', 'online true']);
    });

    it.each([1, 2, 3])('does not wait for long for the first try that stands still after %d that failed', (fails) => {
      const {ws} = fast();
      ws.say({type: 'pong', id: ws.got.filter((m) => m.type === 'ping').at(-1)?.id});
      live(ws, 1_000);
      ws.die();
      for (let tries = 1; tries <= fails; tries++) {
        while (FakeWebSocket.all.length === tries) vi.advanceTimersByTime(10);
        FakeWebSocket.all.at(-1)?.die(); // no interface
      }
      while (FakeWebSocket.all.length === fails + 1) vi.advanceTimersByTime(10);
      const lost = FakeWebSocket.all.at(-1); // its first packet is
      vi.advanceTimersByTime(600);
      expect(lost?.closed).toBe(true);
      vi.advanceTimersByTime(500);
      expect(FakeWebSocket.all).toHaveLength(fails + 3);
    });

    it('does not wait for a slow try that the old one has made needless, when it is needed again', () => {
      const {socket, ws} = fast();
      ws.say({type: 'pong', id: ws.got.filter((m) => m.type === 'ping').at(-1)?.id});
      live(ws, 1_000);
      for (let tries = 0; tries < 2; tries++) {
        const before = FakeWebSocket.all.length;
        while (FakeWebSocket.all.length === before) vi.advanceTimersByTime(50);
        FakeWebSocket.all.at(-1)?.die();
      }
      const before = FakeWebSocket.all.length;
      while (FakeWebSocket.all.length === before) vi.advanceTimersByTime(50);
      ws.say({type: 'pong', id: 0}); // the third try has all the time
      vi.advanceTimersByTime(1_300);
      expect(socket.online).toBe(false);
      expect(FakeWebSocket.all.length).toBe(before + 2);
    });

    it('opens a new one when one that was not needed stands still and the old one falls silent', () => {
      const {socket, ws} = fast();
      ws.say({type: 'pong', id: ws.got.filter((m) => m.type === 'ping').at(-1)?.id});
      live(ws, 1_000);
      vi.advanceTimersByTime(450);
      live(ws, 5_000);
      vi.advanceTimersByTime(1_200);
      expect(socket.online).toBe(false);
      expect(FakeWebSocket.all.map((each) => each.closed)).toEqual([false, true, false]);
      next(0).welcome({resumed: true, resume: 't2', received: 0});
      expect(socket.online).toBe(true);
    });

    it('does not end a session that was online for longer than it may be offline', () => {
      const {socket, ws, log} = fast();
      ws.say({type: 'pong', id: ws.got.filter((m) => m.type === 'ping').at(-1)?.id});
      live(ws, 605_000); // it may be offline for 600 s
      vi.advanceTimersByTime(1_050); // one try on the quiet has failed
      expect(FakeWebSocket.all.length).toBeGreaterThan(1);
      expect(log).not.toContain('unreachable undefined');
      ws.say({type: 'pong', id: 0});
      expect(socket.online).toBe(true);
    });

    it('gives another try up soon at first, later than that then', () => {
      const {ws} = fast();
      ws.say({type: 'pong', id: ws.got.filter((m) => m.type === 'ping').at(-1)?.id});
      live(ws, 1_000);
      const since: number[] = [];
      for (let t = 0; t < 16_000; t += 50) {
        const before = FakeWebSocket.all.length;
        vi.advanceTimersByTime(50);
        if (FakeWebSocket.all.length > before) since.push(t);
      }
      const gaps = since.slice(1).map((t, i) => t - (since[i] ?? 0));
      expect(gaps[0]).toBeLessThan(1_000);
      expect(gaps.some((gap) => gap > 1_400 && gap < 2_100)).toBe(true);
      expect(gaps.some((gap) => gap > 8_000)).toBe(true); // a slow network has all the time
    });

    it('opens another socket at a short silence, keeps the old one, and resumes once', () => {
      const {socket, ws, log} = fast();
      live(ws, 1_000);
      vi.advanceTimersByTime(1_200);
      expect(FakeWebSocket.all).toHaveLength(2);
      expect([ws.closed, socket.online]).toEqual([false, false]);
      socket.send('chat', {id: 'a', text: 'a'});
      const again = next(0);
      again.welcome({resumed: true, resume: 't2', received: 0});
      expect(ws.closed).toBe(true);
      expect(again.got.filter((m) => m.n).map((m) => m.n)).toEqual([1]);
      expect(log).toEqual(['welcome 0', 'online true', 'online false', 'online true']);
      expect(FakeWebSocket.all).toHaveLength(2);
    });

    it('goes on with the old socket when that speaks before the new one has said hello', () => {
      const {socket, ws} = fast();
      vi.advanceTimersByTime(1_200);
      ws.say({type: 'pong', id: 1});
      const other = FakeWebSocket.all[1]?.open();
      expect([socket.online, other?.closed, other?.got]).toEqual([true, true, []]);
      live(ws, 5_000);
      expect(FakeWebSocket.all).toHaveLength(2);
    });

    it('does not go on with an old socket that the server has let go of', () => {
      const {socket, ws} = fast();
      vi.advanceTimersByTime(1_800);
      ws.say({type: 'pong', id: 1});
      expect([socket.online, ws.closed]).toEqual([false, true]);
    });

    it('lets the new socket have the session once it has said hello, whatever the old one says', () => {
      const {socket, ws, log} = fast();
      vi.advanceTimersByTime(1_200);
      const again = next(0);
      ws.say({type: 'seat', n: 1}); // was under way
      expect(socket.online).toBe(true);
      again.welcome({resumed: true, resume: 't2', received: 0});
      again.say({type: 'seat', n: 1});
      again.say({type: 'seat', n: 2});
      expect(log.filter((line) => line.startsWith('seat'))).toEqual(['seat 1', 'seat 2']);
      expect(ws.closed).toBe(true);
    });

    it('acknowledges nothing that hello has not said until that is answered', () => {
      const {ws} = fast();
      ws.say({type: 'seat', n: 1});
      vi.advanceTimersByTime(1_200);
      const again = next(0);
      expect(again.got[0]).toMatchObject({type: 'hello', received: 1});
      for (let n = 2; n < 40; n++) ws.say({type: 'seat', n});
      vi.advanceTimersByTime(300);
      expect(Math.max(...ws.got.map(({ack}) => Number(ack ?? 0)))).toBe(1);
      again.welcome({resumed: true, resume: 't2', received: 0});
      expect(again.got.at(-1)?.ack).toBe(39);
    });

    it('acknowledges again when the answer does not come', () => {
      const {ws} = fast();
      vi.advanceTimersByTime(1_200);
      next(0).die();
      ws.say({type: 'seat', n: 1});
      live(ws, 2_000);
      expect(ws.got.at(-1)?.ack).toBe(1);
    });

    it('does not take its own standstill for silence', () => {
      const {ws} = fast();
      live(ws, 500);
      const frozen = performance.now() + 60_000;
      vi.spyOn(performance, 'now').mockReturnValue(frozen);
      vi.advanceTimersByTime(100);
      vi.mocked(performance.now).mockRestore();
      expect(FakeWebSocket.all).toHaveLength(1);
    });

    it('needs less silence when media fell silent too', () => {
      const {socket, ws} = fast();
      live(ws, 500);
      socket.suspect(true);
      vi.advanceTimersByTime(600);
      expect(FakeWebSocket.all).toHaveLength(2);
    });

    it('tries every second at the least while somebody looks', () => {
      fast();
      const times: number[] = [];
      for (let t = 0; t < 30_000; t += 50) {
        const before = FakeWebSocket.all.length;
        vi.advanceTimersByTime(50);
        if (FakeWebSocket.all.length === before) continue;
        times.push(t);
        FakeWebSocket.all.at(-1)?.die();
      }
      const gaps = times.slice(1).map((t, i) => t - (times[i] ?? 0));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(1_100);
      expect(times.length).toBeGreaterThan(25);
    });
  });

  it('tries another network at once, and as long as the old socket is silent', () => {
    const page = new Page();
    const socket = new Socket('wss://x/ws', () => ({client: {name: 'test'}, room: 'r'}), page, new Pulse());
    const ws = (FakeWebSocket.all[0] as FakeWebSocket).open().welcome();
    socket.renew();
    expect(FakeWebSocket.all).toHaveLength(2);
    FakeWebSocket.all[1]?.die();
    vi.advanceTimersByTime(200);
    expect(FakeWebSocket.all).toHaveLength(3);
    expect(socket.online).toBe(true);
    ws.say({type: 'pong', id: 1});
    expect(FakeWebSocket.all[2]?.open().closed).toBe(true);
  });

  it('begins to count anew when the server lost its memory but knows the session', () => {
    const {socket, ws} = connect();
    const lost: string[][] = [];
    socket.on('reset', (reset) => lost.push(reset.lost.map((m) => m.type)));
    ws.welcome();
    socket.send('leave', {});
    socket.send('chat', {id: 'a', text: 'a'});
    ws.say({type: 'seat', n: 1});
    ws.die();
    const again = next().welcome({reset: true, resume: 't2'});
    expect(lost).toEqual([['leave', 'chat']]);
    expect(socket.send('leave', {})).toBe(1);
    again.say({type: 'seat', n: 1});
    again.die();
    expect(next().got[0]).toMatchObject({resume: 't2', received: 1});
  });

  it('says bye only when asked to', () => {
    for (const bye of [true, false]) {
      const socket = make();
      const ws = (FakeWebSocket.all.at(-1) as FakeWebSocket).open().welcome();
      socket.close(bye);
      expect(ws.got.some((m) => m.type === 'bye')).toBe(bye);
      expect(ws.closed).toBe(true);
    }
  });
});

it('backs off: at once first, then doubling with jitter, bounded', () => {
  expect(backoffMs(0, 1)).toBeLessThanOrEqual(100);
  expect(backoffMs(1, 0)).toBe(250);
  expect(backoffMs(1, 1)).toBe(500);
  expect(backoffMs(3, 1)).toBe(2_000);
  for (let attempt = 0; attempt < 2_000; attempt++) expect(backoffMs(attempt, 1)).toBeLessThanOrEqual(10_000);
  expect([1, 2, 3, 7, 8, 99].map((attempt) => backoffMs(attempt, 1, true))).toEqual([200, 400, 500, 500, 1_000, 1_000]);
});

it('gives up a session whose outbox is too long once, not with every message', () => {
  const {socket, ws, log} = connect();
  ws.welcome();
  ws.die();
  for (let i = 0; i < 1_025; i++) socket.send('leave', {});
  vi.advanceTimersByTime(500);
  const opening = FakeWebSocket.all.at(-1) as FakeWebSocket;
  for (let i = 0; i < 10; i++) socket.send('leave', {});
  expect(opening.closed).toBe(false);
  opening.open().welcome();
  expect(log.filter((line) => line.startsWith('welcome'))).toEqual(['welcome 0', 'welcome 1035']);
});

it.each(['null', '7', '{}', '"x"', '[', '{"type":7}'])('lets go of a server that says %s', (text) => {
  const {ws} = connect();
  ws.welcome();
  ws.onmessage?.({data: text});
  expect(ws.closed).toBe(true);
  vi.advanceTimersByTime(200);
  expect(FakeWebSocket.all).toHaveLength(2);
});
