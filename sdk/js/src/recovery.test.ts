import {describe, expect, it} from 'vitest';
import {connectMs, type Reach, Recovery, sameLossMs} from './recovery.js';

const reach: Reach = {online: true, present: true, slack: 0, anew: false};

/** Asks every 100 ms until `until`, after `event` at each of its times; returns what was given and when. */
function run(
  until: number,
  events: [number, (recovery: Recovery, now: number) => void][],
  reachAt = (_: number) => reach,
) {
  const recovery = new Recovery(0, () => 0.5);
  const log: string[] = [];
  for (let now = 0; now <= until; now += 100) {
    for (const [at, event] of events) if (at === now) event(recovery, now);
    const remedy = recovery.next(now, reachAt(now));
    if (remedy) log.push(`${now} ${remedy}`);
  }
  return log;
}

const well = (recovery: Recovery, now: number) => recovery.well(now);
const ill = (recovery: Recovery, now: number) => recovery.ill(now);
const hurry = (recovery: Recovery, now: number) => recovery.hurry(now);

describe('Recovery', () => {
  it.each<[string, number, [number, (recovery: Recovery, now: number) => void][], string[]]>([
    ['leaves a link that works alone', 60_000, [[500, well]], []],
    ['leaves a first connection in peace', connectMs - 100, [[300, hurry]], []],
    [
      'gives a first connection its time, again and again',
      3 * connectMs,
      [],
      ['10000 restart', '20000 replace', '30000 replace-tls'],
    ],
    ['restarts at once when the first attempt fails', 5_000, [[2_000, ill]], ['2000 restart']],
    [
      'climbs: a restart, another transport, the relay by TLS',
      15_000,
      [
        [0, well],
        [1_000, ill],
      ],
      ['1000 restart', '1400 replace', '4900 replace-tls', '9900 replace'],
    ],
    [
      'stops when it is well',
      60_000,
      [
        [0, well],
        [1_000, ill],
        [1_300, well],
      ],
      ['1000 restart'],
    ],
    [
      'goes on where it was when it breaks again soon, and not at once',
      3_000,
      [
        [0, well],
        [1_000, ill],
        [1_200, well],
        [1_300, ill],
      ],
      ['1000 restart', '1400 replace'],
    ],
    [
      'starts over when it was well for a while',
      9_000,
      [
        [0, well],
        [1_000, ill],
        [1_300, well],
        [4_000, well],
        [4_500, ill],
      ],
      ['1000 restart', '4500 restart', '4900 replace', '8400 replace-tls'],
    ],
    [
      'starts over when the network comes back',
      8_000,
      [
        [0, well],
        [1_000, ill],
        [6_000, hurry],
        [6_100, hurry],
      ],
      ['1000 restart', '1400 replace', '4900 replace-tls', '6000 restart', '6400 replace'],
    ],
    [
      'starts over when something came back just before the loss was noticed',
      3_000,
      [
        [0, well],
        [1_000, ill],
        [1_500, well],
        [2_600, hurry],
        [2_700, ill],
      ],
      ['1000 restart', '1400 replace', '2700 restart'],
    ],
    [
      'takes what comes back right after a remedy for the same loss',
      3_000,
      [
        [0, well],
        [1_000, ill],
        [1_500, well],
        [1_600, hurry],
        [1_700, ill],
      ],
      ['1000 restart', '1400 replace'],
    ],
  ])('%s', (_, until, events, expected) => {
    expect(run(until, events)).toEqual(expected);
  });

  it('never gives up, and is slow in the end', () => {
    const log = run(600_000, [
      [0, well],
      [1_000, ill],
    ]);
    const times = log.map((line) => Number(line.split(' ')[0]));
    expect(times.at(-1)).toBeGreaterThan(580_000);
    expect(times.length).toBeLessThan(70);
  });

  it('says nothing to a server that does not hear it', () => {
    const log = run(
      9_000,
      [
        [0, well],
        [1_000, ill],
      ],
      (now) => ({...reach, online: now >= 7_000}),
    );
    expect(log[0]).toBe('7000 restart');
  });

  it('takes its time while media goes another way', () => {
    const log = run(
      7_000,
      [
        [0, well],
        [1_000, ill],
      ],
      () => ({...reach, slack: 2_000}),
    );
    expect(log).toEqual(['1000 restart', '3400 replace']);
  });

  it('leaves one message with somebody who is away', () => {
    const log = run(
      100_000,
      [
        [0, well],
        [1_000, ill],
        [90_000, hurry],
      ],
      (now) => ({...reach, present: now >= 90_000}),
    );
    expect(log.slice(0, 2)).toEqual(['1000 restart', '90000 restart']);
  });

  it('takes two views of one loss as one, and helps somebody who does not hear us', () => {
    const recovery = new Recovery(0, () => 0.5);
    recovery.well(0);
    expect(recovery.asked(1_000, false)).toBe('restart');
    expect(recovery.asked(1_000 + sameLossMs - 1, false)).toBeNull();
    recovery.ill(1_200);
    expect(recovery.next(1_300, reach)).toBeNull();
    expect(recovery.asked(2_000, true)).toBe('replace');
    expect(recovery.asked(3_000, true)).toBe('replace-tls');
  });

  it('takes no restart for an answer to somebody who is elsewhere', () => {
    const recovery = new Recovery(0, () => 0.5);
    recovery.well(0);
    expect(recovery.asked(1_000, false)).toBe('restart');
    expect(recovery.asked(1_100, true, true)).toBe('replace');
    expect(recovery.asked(1_200, true, true)).toBeNull();
    const young = new Recovery(0, () => 0.5);
    expect([100, 200, 300].map((now) => young.asked(now, true, true))).toEqual(['restart', null, null]);
  });

  it('makes another transport first where the network is another one, unless there was no first connection', () => {
    const elsewhere = {...reach, anew: true};
    const recovery = new Recovery(0, () => 0.5);
    expect(recovery.next(connectMs, elsewhere)).toBe('restart');
    recovery.well(11_000);
    recovery.well(20_000);
    recovery.ill(20_100);
    expect(recovery.next(20_100, elsewhere)).toBe('replace');
    expect(recovery.next(21_200, reach)).toBeNull();
    expect(recovery.next(21_300, reach)).toBe('restart');
    expect(recovery.next(23_500, reach)).toBeNull();
    expect(recovery.next(23_600, reach)).toBe('replace');
  });
});
