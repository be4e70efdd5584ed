import type {Path, SeatState} from '@parley-rtc/sdk';
import {describe, expect, it} from 'vitest';
import {type Line, type Look, lineAfter, nextLook, quietLine, type Word} from '../src/call/line';
import {presence} from '../src/call/presence';

/** Lets `looks` happen at their times, and in between looks whenever the line asks for it, up to `until`. */
function live(looks: [at: number, look: Look][], until: number): [number, Word][] {
  let line: Line = quietLine;
  let look: Look = {online: true, others: 1, linked: 1};
  const said: [number, Word][] = [];
  const events = [...looks];
  let now = 0;
  while (now <= until) {
    while (events[0] && events[0][0] <= now) look = (events.shift() as [number, Look])[1];
    const before = line.word;
    line = lineAfter(line, look, now);
    if (line.word !== before) said.push([now, line.word]);
    const due = nextLook(line, now);
    const next = Math.min(
      events[0]?.[0] ?? Number.POSITIVE_INFINITY,
      due === null ? Number.POSITIVE_INFINITY : now + due,
    );
    if (next === Number.POSITIVE_INFINITY) break;
    expect(next, 'no busy loop').toBeGreaterThan(now);
    now = next;
  }
  return said;
}

const up: Look = {online: true, others: 1, linked: 1};
const deaf: Look = {online: false, others: 1, linked: 1};
const cut: Look = {online: false, others: 1, linked: 0};
const half: Look = {online: true, others: 1, linked: 0};
const alone: Look = {online: false, others: 0, linked: 0};

describe('my own line', () => {
  it.each<[string, [number, Look][], [number, Word][]]>([
    ['nothing happens', [[10, up]], []],
    [
      'a short cut of the socket is nobody’s business',
      [
        [100, deaf],
        [900, up],
      ],
      [],
    ],
    [
      'the server out of reach, media alive: a quiet word, and one that it is over',
      [
        [100, deaf],
        [5_100, up],
      ],
      [
        [1_300, 'quiet'],
        [5_100, 'healed'],
        [8_100, 'fine'],
      ],
    ],
    [
      'both lost, then long, then back at once',
      [
        [100, deaf],
        [700, cut],
        [30_000, up],
      ],
      [
        [1_300, 'lost'],
        [20_100, 'long'],
        [30_000, 'healed'],
        [33_000, 'fine'],
      ],
    ],
    [
      'media dies a while after the socket, and comes back before it',
      [
        [100, deaf],
        [6_000, cut],
        [9_000, deaf],
        [12_000, up],
      ],
      [
        [1_300, 'quiet'],
        [6_000, 'lost'],
        [9_000, 'quiet'],
        [12_000, 'healed'],
        [15_000, 'fine'],
      ],
    ],
    [
      'the socket is back, the media follows: healed when both are',
      [
        [100, cut],
        [5_000, half],
        [6_000, up],
      ],
      [
        [1_300, 'lost'],
        [6_000, 'healed'],
        [9_000, 'fine'],
      ],
    ],
    [
      'the media does not follow: the trouble is the other side’s from then on',
      [
        [100, cut],
        [5_000, half],
      ],
      [
        [1_300, 'lost'],
        [15_000, 'healed'],
        [18_000, 'fine'],
      ],
    ],
    ['only the other side is lost: no word about me', [[100, half]], []],
    [
      'lost again while it is said to be healed',
      [
        [100, deaf],
        [2_000, up],
        [3_000, deaf],
        [4_500, up],
      ],
      [
        [1_300, 'quiet'],
        [2_000, 'healed'],
        [3_000, 'fine'],
        [4_200, 'quiet'],
        [4_500, 'healed'],
        [7_500, 'fine'],
      ],
    ],
    ['alone in the room there is no call to lose', [[100, alone]], [[1_300, 'quiet']]],
  ])('%s', (_, looks, said) => {
    expect(live(looks, 60_000)).toEqual(said);
  });
});

describe('presence', () => {
  it.each<[SeatState, Path['kind'], boolean, string]>([
    ['present', 'direct', false, 'here'],
    ['away', 'relayed', true, 'here'],
    ['present', 'connecting', false, 'connecting'],
    ['present', 'none', false, 'connecting'],
    ['present', 'connecting', true, 'reconnecting'],
    ['present', 'lost', false, 'reconnecting'],
    ['away', 'connecting', false, 'reconnecting'],
    ['away', 'none', true, 'reconnecting'],
  ])('%s, %s, was here: %s → %s', (state, kind, wasHere, is) => {
    expect(presence({isMe: false, state, path: {kind}}, wasHere)).toBe(is);
  });
});
