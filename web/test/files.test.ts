import type {Transfer, TransferState} from '@parley-rtc/sdk';
import {describe, expect, it} from 'vitest';
import {byTime} from '../src/call/chat-groups';
import {de} from '../src/files/de';
import {en} from '../src/files/en';
import {percent, size, timeLeft} from '../src/files/figures';
import {statusLine} from '../src/files/status';

const base = {
  direction: 'in',
  state: 'moving',
  person: 'Ann',
  reason: '',
  mine: false,
  pausedBy: 'nobody',
  reopens: false,
  obstacle: null,
  saved: false,
} as const satisfies Partial<Transfer>;

describe.each([
  ['en', en],
  ['de', de],
] as const)('%s', (_, w) => {
  it('never speaks like a machine', () => {
    const look = (value: unknown): void => {
      if (typeof value === 'string')
        expect(value).not.toMatch(/\b(error|failed to|null|undefined|NaN|\[object|chunk)\b/);
      else if (typeof value === 'function') look(value('7', 7, 7));
      else for (const inner of Object.values(value as object)) look(inner);
    };
    look(w);
  });

  it('has a line for every state but the one whose figures say it all', () => {
    const states: TransferState[] = [
      'queued',
      'offered',
      'checking',
      'paused',
      'waiting',
      'missing',
      'done',
      'refused',
      'cancelled',
      'failed',
    ];
    for (const direction of ['in', 'out'] as const) {
      for (const state of states) expect(statusLine({...base, direction, state}, false, false, w), state).toBeTruthy();
      expect(statusLine({...base, direction, state: 'moving'}, false, true, w)).toBe('');
    }
  });

  it('has a next step for every reason', () => {
    const reasons: Transfer['reason'][] = [
      'too-large',
      'no-space',
      'busy',
      'bad-offer',
      'changed',
      'corrupt',
      'gone',
      'fault',
      'unanswered',
    ];
    for (const reason of reasons) {
      expect(statusLine({...base, state: 'failed', reason}, false, false, w).length).toBeGreaterThan(10);
      expect(statusLine({...base, state: 'refused', reason}, false, false, w).length).toBeGreaterThan(10);
    }
  });
});

describe('a status', () => {
  it.each<[Partial<Transfer>, boolean, string]>([
    [{state: 'offered'}, true, 'Ann wants to send you this'],
    [{state: 'offered', obstacle: 'no-space'}, true, en.obstacle['no-space']],
    [{state: 'offered', direction: 'out'}, true, 'Waiting for Ann to accept'],
    [{state: 'paused', pausedBy: 'them'}, true, 'Ann paused it'],
    [{state: 'paused', pausedBy: 'me'}, true, 'Paused'],
    [{state: 'waiting'}, false, 'Waiting for Ann. It goes on by itself.'],
    [{state: 'waiting', direction: 'out'}, true, 'Reaching Ann…'],
    [{state: 'missing', direction: 'out', reopens: true}, true, en.state.reopens],
    [{state: 'done', saved: true}, true, 'Saved to Downloads'],
    [{state: 'refused', reason: 'declined', mine: true}, true, 'You refused it'],
    [{state: 'cancelled'}, true, 'Ann cancelled it'],
  ])('%j', (change, connected, line) => {
    expect(statusLine({...base, ...change}, false, connected, en)).toBe(line);
  });
});

describe('figures', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1 kB'],
    [12_345, '12.3 kB'],
    [999_949, '1 MB'],
    [123_456_789, '123 MB'],
    [2 ** 41, '2.2 TB'],
  ])('%i bytes are %s', (bytes, text) => expect(size(bytes, 'en')).toBe(text));

  it.each([
    [null, ''],
    [900, 'almost there'],
    [8_200, '9 s left'],
    [41_000, '45 s left'],
    [61_000, '2 min left'],
    [5_400_000, '1 h 30 min left'],
  ])('%s ms are "%s"', (ms, text) => expect(timeLeft(ms, en)).toBe(text));

  it('a hundred percent is all of it', () => {
    expect([percent(0, 10), percent(999, 1000), percent(10, 10), percent(0, 0)]).toEqual([0, 99, 100, 100]);
  });
});

it('files stand in the conversation where they were offered', () => {
  const group = (id: string, at: number) => ({id, from: 'a', name: 'Ann', mine: false, at, messages: []});
  const merged = byTime(
    [group('a', 1), group('c', 3)],
    [
      {id: 'b', at: 2},
      {id: 'd', at: 3},
    ],
  );
  expect(merged.map((one) => one.id)).toEqual(['a', 'b', 'c', 'd']);
});
