import {describe, expect, it, vi} from 'vitest';
import {Heart} from './heart.js';
import {FakeDataChannel} from './peerconnection.fake.js';

function make() {
  const channel = new FakeDataChannel('beat');
  channel.readyState = 'open';
  const state = {now: 0, stamp: 0, bytes: 0, look: () => {}};
  const sources = () => {
    state.look();
    return state.stamp ? [{timestamp: state.stamp} as never] : [];
  };
  const heart = new Heart(channel as unknown as RTCDataChannel, {
    clock: () => state.now,
    receivers: () => [{getSynchronizationSources: sources}],
    getStats: async () => new Map([['t', {type: 'transport', bytesReceived: state.bytes}]]) as never,
  });
  /** Ticks every 100 ms; `come` says what arrives at each of them. */
  const pass = async (ms: number, come: () => void = () => {}) => {
    for (const end = state.now + ms; state.now < end; ) {
      state.now += 100;
      come();
      heart.tick(200, heart.patience(true));
      await Promise.resolve();
      await Promise.resolve();
    }
  };
  const beat = (kind: number, id: number) => {
    const bytes = new DataView(new ArrayBuffer(9));
    bytes.setUint8(0, kind);
    bytes.setUint32(1, id);
    bytes.setUint32(5, performance.now() >>> 0);
    channel.onmessage?.({data: bytes.buffer});
  };
  return {heart, channel, state, pass, beat};
}

const stalled = (heart: Heart) => heart.stalled(heart.patience(true));

describe('Heart', () => {
  it('beats, answers, and forgives a peer that does neither', async () => {
    const {heart, channel, pass, beat} = make();
    await pass(1_000);
    expect(channel.sent).toHaveLength(5);
    expect(channel.sent.every((data) => (data as ArrayBuffer).byteLength === 9)).toBe(true);
    expect(stalled(heart)).toBe(false);
    beat(0, 7);
    expect(new Uint8Array(channel.sent.at(-1) as ArrayBuffer)[0]).toBe(1);
  });

  it('knows a stall by silence, and its end', async () => {
    const {heart, pass, beat} = make();
    await pass(1_000, () => beat(0, 1));
    await pass(300);
    expect(stalled(heart)).toBe(false);
    await pass(300);
    expect(stalled(heart)).toBe(true);
    beat(0, 1);
    expect(stalled(heart)).toBe(false);
  });

  it.each<[string, (state: {stamp: number; bytes: number}) => void]>([
    ['a packet of sound', (state) => void state.stamp++],
    ['a byte of anything', (state) => void state.bytes++],
  ])('hears %s', async (_, come) => {
    const {heart, state, pass, beat} = make();
    beat(0, 1);
    await pass(3_000, () => come(state));
    expect(stalled(heart)).toBe(false);
    await pass(1_500);
    expect(stalled(heart)).toBe(true);
  });

  it('looks for media less often where a look takes long, but not when nothing else is heard', async () => {
    const {heart, state, pass, beat} = make();
    let looks = 0;
    state.look = () => {
      looks++;
      state.now += 30;
      state.stamp++;
    };
    await pass(3_000, () => beat(0, 1));
    expect(looks).toBeGreaterThan(4);
    expect(looks).toBeLessThan(12);
    looks = 0;
    await pass(3_000);
    expect(looks).toBeGreaterThan(8);
    expect(stalled(heart)).toBe(false);
  });

  it('asks for more silence where there was much of it of late, and forgets that', async () => {
    const {heart, pass, beat, state} = make();
    beat(0, 1);
    expect(heart.patience(true)).toBe(350);
    state.now += 300;
    beat(0, 1);
    expect(heart.patience(true)).toBe(600);
    await pass(20_000, () => beat(0, 1));
    expect(heart.patience(true)).toBe(350);
    expect(heart.patience(false)).toBe(3_000);
  });

  it('needs little silence for a while when something else says that the network may be gone', async () => {
    const {heart, pass, beat} = make();
    await pass(1_000, () => beat(0, 1));
    heart.alarm();
    await pass(200);
    expect(stalled(heart)).toBe(false);
    await pass(100);
    expect(stalled(heart)).toBe(true);
    await pass(3_000, () => beat(0, 1));
    expect(heart.patience(true)).toBeGreaterThanOrEqual(350);
  });

  it('waits for nothing under way where there is no network at all', async () => {
    const {heart, pass, beat, channel} = make();
    await pass(1_000, () => beat(0, 1));
    const asked = new DataView(channel.sent.at(-1) as ArrayBuffer);
    asked.setUint8(0, 1);
    asked.setUint32(5, performance.now() - 100); // the way there and back takes 100 ms
    channel.onmessage?.({data: asked.buffer} as MessageEvent);
    heart.alarm();
    expect(heart.patience(true)).toBeGreaterThan(350);
    vi.stubGlobal('navigator', {onLine: false});
    expect(heart.patience(true)).toBe(200);
    vi.unstubAllGlobals();
  });

  it('takes another way for a sign of life after a silence, and beats at once', async () => {
    const {heart, pass, beat, channel, state} = make();
    await pass(1_000, () => beat(0, 1));
    state.now += 100;
    heart.revive();
    expect(heart.silence).toBe(100); // a way that is gone may have been changed for one that is no better
    state.now += 600;
    expect(heart.lively).toBe(false);
    heart.tick(200, 350);
    const before = channel.sent.length;
    heart.tick(200, 350);
    expect(channel.sent).toHaveLength(before);
    heart.revive();
    expect(heart.lively).toBe(true);
    heart.tick(200, 350);
    expect(channel.sent).toHaveLength(before + 1);
  });

  it('knows a direction from both', async () => {
    const {heart, pass, beat} = make();
    await pass(400, () => beat(0, 9));
    expect(heart.unanswered).toBe(Number.POSITIVE_INFINITY);
    beat(1, 99); // never asked
    expect(heart.unanswered).toBe(Number.POSITIVE_INFINITY);
    beat(1, 1);
    expect(heart.unanswered).toBe(0);
  });

  it('lets nothing pile up on a dead path, and takes no nonsense', async () => {
    const {heart, channel, pass} = make();
    channel.bufferedAmount = 1_000;
    await pass(2_000);
    expect(channel.sent).toEqual([]);
    for (const data of ['x', new ArrayBuffer(0), new ArrayBuffer(10)]) channel.onmessage?.({data});
    expect(heart.silence).toBe(2_000);
  });

  it('answers a flood no faster than the path takes the answers, and survives a channel that closes', async () => {
    const {channel, beat} = make();
    channel.send = (data: unknown) => {
      channel.sent.push(data);
      channel.bufferedAmount += 9;
    };
    for (let i = 0; i < 10_000; i++) beat(0, i);
    expect(channel.sent).toHaveLength(65);
    channel.bufferedAmount = 0;
    channel.send = () => {
      throw new DOMException('closing', 'InvalidStateError');
    };
    expect(() => beat(0, 1)).not.toThrow();
  });

  it('believes no round trip so far that a silence would never be one', async () => {
    const {heart, pass, beat} = make();
    await pass(1_000, () => beat(0, 1));
    const bytes = new DataView(new ArrayBuffer(9));
    bytes.setUint8(0, 1);
    bytes.setUint32(5, (performance.now() - 59_000) >>> 0);
    for (let i = 0; i < 50; i++) heart.channel.onmessage?.({data: bytes.buffer} as MessageEvent);
    expect(heart.patience(true)).toBe(1_500);
    heart.alarm();
    expect(heart.patience(true)).toBe(1_500);
  });
});
