import type {Quality, QualityReason, TrackStats} from '@parley-rtc/sdk';
import {describe, expect, it} from 'vitest';
import {worse} from '../src/call/bars';
import {linePath, topOf} from '../src/quality/chart';
import {bitrate, percent} from '../src/quality/figures';
import {told} from '../src/quality/multiples';
import {rowsOf} from '../src/quality/numbers';
import {headline, mySentence, theirSentence} from '../src/quality/sentences';
import {de} from '../src/quality/words/de';
import {en} from '../src/quality/words/en';

/** Words that no person should ever read here. */
const FORBIDDEN = /\b(error|failed to|ICE|null|undefined|NaN|\[object|bandwidth|packet loss)\b/;

const reasons: QualityReason[] = [
  'upload-small',
  'download-small',
  'loss',
  'delay',
  'jitter',
  'relay-tcp',
  'cpu',
  'their-network',
  'their-device',
  'reconnecting',
];

const weak = (reason: QualityReason, change: Partial<Quality> = {}): Quality => ({
  level: 0,
  reason,
  paused: false,
  ...change,
});
const good: Quality = {level: 2, reason: 'none', paused: false};

describe.each([
  ['en', en],
  ['de', de],
] as const)('%s', (_, w) => {
  it('never speaks like a machine', () => {
    const look = (value: unknown, path: string): void => {
      if (typeof value === 'string') expect(value, path).not.toMatch(FORBIDDEN);
      else if (typeof value === 'function') look(value('7', '7', '7', '7'), path);
      else for (const [key, inner] of Object.entries(value as object)) look(inner, `${path}.${key}`);
    };
    look({...w, limits: {cpu: w.limits.cpu}}, 'words');
  });

  it('has a sentence and a next step for every reason, whosever it is', () => {
    for (const reason of reasons) {
      for (const {title, fix} of [mySentence(weak(reason), w), theirSentence(weak(reason), 'Ann', w)]) {
        expect(title, reason).toBeTruthy();
        expect(fix, reason).toBeTruthy();
      }
    }
    expect(mySentence(weak('upload-small', {paused: true}), w).title).not.toBe(
      mySentence(weak('upload-small'), w).title,
    );
    expect(theirSentence(weak('their-network', {paused: true}), 'Ann', w).title).toContain('Ann');
  });
});

describe('the sentence on top', () => {
  const ann = (quality: Quality) => ({name: 'Ann', quality});

  it.each<[string, Quality | null, Quality[], string, Quality['level']]>([
    ['all is well', good, [good], en.good, 2],
    ['mine comes first', weak('upload-small'), [weak('their-network')], en.mine['upload-small'].title, 0],
    ['theirs is worse', {...good, level: 1, reason: 'loss'}, [weak('their-network')], 'Ann’s connection is weak.', 0],
    ['the worst of several', good, [good, weak('their-device')], 'Ann’s device is at its limit.', 0],
    ['nothing known', {...good, level: null}, [], en.unknown, null],
    ['only theirs known', null, [good], en.good, 2],
  ])('%s', (_, mine, others, title, level) => {
    expect(headline(mine, others.map(ann), en)).toMatchObject({title, level});
  });
});

it('the worse of two levels is what the path line shows', () => {
  expect(worse(null, null)).toBeNull();
  expect(worse(null, 1)).toBe(1);
  expect(worse(2, 0)).toBe(0);
});

describe('charts', () => {
  it('draws a line with gaps, and a lone value as a dot', () => {
    expect(linePath([0, 10, null, 5, null, 20], 10)).toBe('M0 40.0L1 0.0M3 20.0l.1 0M5 0.0l.1 0');
    expect(linePath([null, null], 10)).toBe('');
  });

  it.each([
    [[], 5, 5],
    [[[4, null]], 5, 5],
    [[[12], [3]], 5, 20],
    [[[1_640_000]], 100_000, 2_000_000],
    [[[null]], 100, 100],
  ])('the upper edge over %j, at least %i, is %i', (series, least, top) => {
    expect(topOf(series, least)).toBe(top);
  });

  it('says in words what it shows', () => {
    const format = (v: number) => `${v} ms`;
    expect(told('Round trip', [null, 20, 80, 24], format)).toBe('Round trip: now 24 ms, between 20 ms and 80 ms.');
    expect(told('Round trip', [20, null, null, null, null, null], format)).toBe('Round trip: nothing measured yet.');
  });
});

describe('figures', () => {
  it('read like a person wrote them', () => {
    expect(bitrate(31_800, en, 'en')).toBe('32 kbit/s');
    expect(bitrate(1_640_000, en, 'en')).toBe('1.6 Mbit/s');
    expect(bitrate(1_640_000, de, 'de')).toBe('1,6 Mbit/s');
    expect(percent(0.14, en, 'en')).toBe('0.1 %');
    expect(percent(12.4, en, 'en')).toBe('12 %');
  });

  it('leave out what a browser does not tell', () => {
    const track: TrackStats = {source: 'camera', direction: 'received', bps: 90_000, fps: 14.6};
    expect(rowsOf(track)).toEqual([
      ['Rate', '90 kbit/s'],
      ['Frames', '15/s'],
    ]);
    const all = rowsOf({...track, width: 640, height: 360, freezes: 2, frozenMs: 1_450, limited: 'bandwidth'});
    expect(all.slice(1)).toEqual([
      ['Size', '640×360'],
      ['Frames', '15/s'],
      ['Standstills', '2 (1.5 s)'],
      ['Held back by', 'the network'],
    ]);
  });
});
