import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {Pulse} from './pulse.js';

class FakeWorker {
  static all: FakeWorker[] = [];
  onmessage: (() => void) | null = null;
  onerror: (() => void) | null = null;
  every = 0;
  constructor() {
    FakeWorker.all.push(this);
  }
  postMessage(every: number): void {
    this.every = every;
  }
  terminate(): void {}
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  FakeWorker.all = [];
});

function start(every: number) {
  const pulse = new Pulse();
  let ticks = 0;
  pulse.on('tick', () => ticks++);
  pulse.beat(every);
  return {pulse, ticks: () => ticks};
}

describe('Pulse', () => {
  it('ticks, faster, slower, and not at all', () => {
    const {pulse, ticks} = start(100);
    vi.advanceTimersByTime(1_000);
    expect(ticks()).toBe(10);
    pulse.beat(1_000);
    vi.advanceTimersByTime(3_000);
    expect(ticks()).toBe(13);
    pulse.close();
    vi.advanceTimersByTime(3_000);
    expect(ticks()).toBe(13);
  });

  it('stands still while the page does', () => {
    const {pulse} = start(100);
    vi.advanceTimersByTime(1_000);
    vi.setSystemTime(Date.now());
    const frozen = performance.now() + 60_000;
    vi.spyOn(performance, 'now').mockReturnValue(frozen);
    expect(pulse.awake).toBe(1_300);
    vi.advanceTimersByTime(100); // the first tick after the thaw
    expect(pulse.awake).toBe(1_300);
    vi.mocked(performance.now).mockRestore();
  });

  it('takes its beat from a worker, and does without when that fails', () => {
    vi.stubGlobal('Worker', FakeWorker);
    const {pulse, ticks} = start(100);
    const [worker] = FakeWorker.all as [FakeWorker];
    expect(worker.every).toBe(100);
    worker.onmessage?.();
    vi.advanceTimersByTime(500);
    expect(ticks()).toBe(1);
    worker.onerror?.();
    vi.advanceTimersByTime(500);
    expect(ticks()).toBe(6);
    pulse.close();
  });

  it('tells of sleep by the clock on the wall, which alone goes on while a machine is closed', () => {
    vi.stubGlobal('Worker', FakeWorker);
    const {pulse} = start(1_000);
    const slept: number[] = [];
    pulse.on('slept', (ms) => slept.push(Math.round(ms)));
    const [worker] = FakeWorker.all as [FakeWorker];
    const tick = (ms: number) => {
      vi.advanceTimersByTime(ms);
      worker.onmessage?.();
    };
    tick(1_000);
    tick(4_000); // busy
    expect(slept).toEqual([]);
    vi.setSystemTime(Date.now() + 3_600_000);
    tick(1_000);
    tick(1_000);
    expect(slept).toEqual([3_600_000]);
    pulse.close();
  });

  it('does not take a hidden page, whose own timers are slow, for asleep', () => {
    const {pulse} = start(1_000);
    const slept: number[] = [];
    pulse.on('slept', (ms) => slept.push(ms));
    vi.setSystemTime(Date.now() + 60_000);
    vi.advanceTimersByTime(3_000);
    expect(slept).toEqual([]);
    pulse.close();
  });

  it('does not begin again once it is closed', () => {
    vi.stubGlobal('Worker', FakeWorker);
    const {pulse} = start(100);
    pulse.close();
    pulse.beat(1_000);
    expect([vi.getTimerCount(), FakeWorker.all.length]).toEqual([0, 1]);
  });
});
