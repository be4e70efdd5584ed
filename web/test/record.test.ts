import {describe, expect, test} from 'vitest';
import {type KnownCall, knownCalls, recordPath, rememberCall} from '../src/record/calls';
import {Teller} from '../src/record/say';
import {cluster, place, ticks, toneOf, worst} from '../src/record/scale';
import type {CallRecord, Entry} from '../src/record/types';
import {de} from '../src/record/words/de';
import {en} from '../src/record/words/en';

const entry = (at: number, kind = 'note', more: Partial<Entry> = {}): Entry => ({
  ...{id: at, who: 'a', at, got: at, kind},
  ...more,
});

describe('scale', () => {
  const span = {from: 1_000, to: 11_000};

  test('places moments in percent, never outside', () => {
    expect([0, 1_000, 6_000, 11_000, 20_000].map((at) => place(at, span))).toEqual([0, 0, 50, 100, 100]);
    expect(place(5, {from: 5, to: 5})).toBe(0);
  });

  test('the axis has round times, far enough apart', () => {
    const day = Date.UTC(2026, 2, 14, 14, 0, 7);
    const list = ticks({from: day, to: day + 600_000}, 700, 90);
    expect(list.map((at) => (at / 60_000) % 60)).toEqual([2, 4, 6, 8, 10]);
    expect(ticks({from: day, to: day + 4 * 3_600_000}, 300, 96).length).toBeLessThanOrEqual(3);
  });

  test('what lies too near is one mark', () => {
    const events = [1_000, 1_100, 1_500, 9_000].map((at) => entry(at));
    expect(cluster(events, span, 500, 20).map((c) => c.events.length)).toEqual([2, 1, 1]);
    expect(cluster([], span, 500, 20)).toEqual([]);
  });

  test('a mark is as grave as the worst in it', () => {
    const lost = entry(1, 'path', {path: {kind: 'lost'}});
    expect(toneOf(lost)).toBe('bad');
    expect(worst([entry(1, 'recovered'), lost, entry(2)])).toBe('bad');
    expect(worst([entry(1), entry(2, 'back')])).toBe('good');
    expect(toneOf(entry(1, 'left', {cause: 'left'}))).toBe('plain');
    expect(toneOf(entry(1, 'left', {cause: 'expired'}))).toBe('bad');
    expect([0, 1, 2].map((level) => toneOf(entry(1, 'quality', {level})))).toEqual(['bad', 'warn', 'good']);
  });
});

describe('say', () => {
  const people = ['ann', 'ben'].map((seat) => ({seat, name: seat[0]?.toUpperCase() + seat.slice(1)}));
  const record = {people} as unknown as CallRecord;
  const english = new Teller(record, en, 'en-GB');
  const german = new Teller(record, de, 'de-DE');
  const at = new Date(2026, 2, 14, 14, 2).getTime();

  test('the same finding in both languages, in the time of day of the reader', () => {
    const finding = {code: 'gap-changed', seat: 'ann', other: 'ben', at, ms: 3_000, text: ''};
    expect(english.finding(finding)).toBe('3 s gap at 14:02 when Ann changed networks.');
    expect(german.finding(finding)).toBe('3 s Unterbrechung um 14:02, als Ann das Netz wechselte.');
  });

  test('what this page does not know is said in English', () => {
    expect(german.finding({code: 'new', text: 'Something new.'})).toBe('Something new.');
  });

  test('both languages know every finding, event and cause', () => {
    for (const key of [
      'finding',
      'event',
      'left',
      'pair',
      'way',
      'facts',
      'why',
      'candidate',
      'path',
      'cause',
    ] as const) {
      expect(Object.keys(de[key]).sort(), key).toEqual(Object.keys(en[key]).sort());
    }
  });

  test('durations', () => {
    const said = [0, 120, 1_000, 1_540, 59_600, 65_000, 120_000, 3_840_000].map((ms) => english.long(ms));
    expect(said).toEqual(['0 ms', '120 ms', '1 s', '1.5 s', '1 min', '1 min 5 s', '2 min', '1 h 4 min']);
  });

  test('evidence names who told it, and when that is news', () => {
    const event = entry(at, 'recovered', {
      who: 'ann',
      seat: 'ben',
      ms: 3_000,
      cause: 'network-changed',
      got: at + 4_000,
    });
    expect(english.event(event)).toBe('Ben is heard again after 3 s');
    expect(english.facts(event)).toEqual([
      ['Reason given', 'another network'],
      ['Duration', '3 s'],
      ['Told by', 'Ann’s program told it'],
      ['Reached the server', '14:02:04'],
    ]);
  });
});

describe('known calls', () => {
  const shelf = () => {
    const items = new Map<string, string>();
    return {getItem: (k: string) => items.get(k) ?? null, setItem: (k: string, v: string) => void items.set(k, v)};
  };
  const call = (n: number): KnownCall => ({id: `c${n}`, token: 't', room: 'tea', at: n});

  test('the last twenty, newest first, each once', () => {
    const s = shelf();
    for (let n = 0; n < 30; n++) rememberCall(call(n), s);
    rememberCall(call(20), s);
    expect(knownCalls(s)).toHaveLength(20);
    expect(knownCalls(s)[0]?.id).toBe('c20');
    expect(knownCalls(s).filter((c) => c.id === 'c20')).toHaveLength(1);
  });

  test('nothing to read is no trouble', () => {
    const s = shelf();
    for (const text of ['', '{', '{}', '[1,{"id":2}]', 'null']) {
      s.setItem('parley.calls', text);
      expect(knownCalls(s)).toEqual([]);
    }
    expect(knownCalls(null)).toEqual([]);
  });

  test('the token is in the fragment, which browsers do not send', () => {
    expect(recordPath('id')).toBe('/calls/id');
    expect(recordPath('id', 'T')).toBe('/calls/id#token=T');
  });
});
