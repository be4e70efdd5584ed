import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {connectMs, maxRestarts, Recovery, type TransportState} from './recovery.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function make(leads = true) {
  const log: string[] = [];
  const link = {
    leads,
    connected: true,
    online: () => link.connected,
    restart: () => void log.push(`restart ${Math.round(performance.now() - start)}`),
    replace: () => {
      log.push('replace');
      recovery.close();
    },
  };
  const start = performance.now();
  const recovery = new Recovery(link);
  return {recovery, log, link};
}

describe('Recovery', () => {
  it.each<[string, boolean, [TransportState, number][], string[]]>([
    ['connects in time', true, [['connected', 60_000]], []],
    ['never connects', true, [['connecting', connectMs + 1]], ['restart 10000']],
    [
      'a blip heals',
      true,
      [
        ['connected', 0],
        ['disconnected', 1_000],
        ['connected', 60_000],
      ],
      [],
    ],
    [
      'a loss',
      true,
      [
        ['connected', 100],
        ['disconnected', 1_500],
        ['connected', 60_000],
      ],
      ['restart 1600'],
    ],
    [
      'a loss, seen by the side that follows',
      false,
      [
        ['connected', 100],
        ['disconnected', 2_499],
        ['connected', 60_000],
      ],
      [],
    ],
    [
      'a failure',
      true,
      [
        ['connected', 100],
        ['failed', 1],
        ['connected', 60_000],
      ],
      ['restart 100'],
    ],
    [
      'failures in a row are spaced',
      true,
      [
        ['connected', 0],
        ['failed', 1],
        ['connecting', 9],
        ['failed', 1_000],
        ['connecting', 1],
        ['failed', 1_999],
      ],
      ['restart 0', 'restart 1010'],
    ],
  ])('%s', (_, leads, steps, expected) => {
    const {recovery, log} = make(leads);
    for (const [state, ms] of steps) {
      recovery.change(state);
      vi.advanceTimersByTime(ms);
    }
    expect(log).toEqual(expected);
  });

  it('gives up after a bounded number of restarts', () => {
    const {recovery, log} = make();
    recovery.change('connected');
    recovery.change('failed');
    vi.advanceTimersByTime(600_000);
    expect(log.filter((l) => l.startsWith('restart'))).toHaveLength(maxRestarts);
    expect(log.at(-1)).toBe('replace');
  });

  it('does not restart what is above ICE', () => {
    const {recovery, log} = make();
    recovery.change('failed', true);
    vi.advanceTimersByTime(600_000);
    expect(log).toEqual(['replace']);
  });

  it('waits while nobody hears it, and hurries when somebody does', () => {
    const {recovery, log, link} = make();
    recovery.change('connected');
    link.connected = false;
    recovery.change('failed');
    vi.advanceTimersByTime(120_000);
    expect(log).toEqual([]);
    link.connected = true;
    recovery.hurry();
    vi.advanceTimersByTime(1);
    expect(log).toHaveLength(1);
  });

  it('takes two views of one loss as one', () => {
    const {recovery, log} = make();
    recovery.change('connected');
    recovery.asked();
    recovery.change('disconnected');
    recovery.asked();
    recovery.change('connected');
    vi.advanceTimersByTime(60_000);
    expect(log).toHaveLength(1);
  });

  it('leaves a first connection in peace', () => {
    const {recovery, log} = make();
    recovery.hurry();
    vi.advanceTimersByTime(connectMs - 1);
    expect(log).toEqual([]);
  });
});
