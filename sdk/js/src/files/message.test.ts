import {describe, expect, it} from 'vitest';
import {
  acceptTexts,
  type FileInfo,
  isSound,
  maxFiles,
  maxText,
  offerTexts,
  readFromReceiver,
  readFromSender,
} from './message.js';
import {Ranges} from './ranges.js';

const files: FileInfo[] = [
  {path: 'a', size: 3 << 20},
  {path: 'b', size: 0},
];
const hash = 'a'.repeat(64);

describe('what a sender says', () => {
  it.each<[string, unknown]>([
    ['no JSON', '{'],
    ['a list', []],
    ['nothing', null],
    ['no type', {}],
    ['a type that is none', {type: 1}],
    ['an offer without files', {type: 'offer', name: 'a', total: 0}],
    ['an offer without a name', {type: 'offer', total: 0, files: []}],
    ['a name that is none', {type: 'offer', name: 7, total: 0, files: []}],
    ['an offer without a sum', {type: 'offer', name: 'a', files: [{path: 'a', size: 0}]}],
    ['a negative size', {type: 'offer', name: 'a', total: -1, files: [{path: 'a', size: -1}]}],
    ['a size that is no number', {type: 'offer', name: 'a', total: 1, files: [{path: 'a', size: '1'}]}],
    ['a size beyond 2^53', {type: 'offer', name: 'a', total: 1, files: [{path: 'a', size: 2 ** 53}]}],
    ['a path that is none', {type: 'offer', name: 'a', total: 1, files: [{path: {}, size: 1}]}],
    ['an entry that is null', {type: 'offer', name: 'a', total: 1, files: [null]}],
    ['a hash that is none', {type: 'done', file: 0, hash: 'A'.repeat(64)}],
    ['a file that is none', {type: 'done', file: 0.5, hash}],
  ])('is bad: %s', (_, value) => {
    expect(readFromSender(typeof value === 'string' ? value : JSON.stringify(value))).toBe('bad');
  });

  it('is bad when it is too long, whatever it says', () => {
    expect(readFromSender(JSON.stringify({type: 'x', y: 'z'.repeat(maxText)}))).toBe('bad');
  });
  it('may be unknown', () => expect(readFromSender('{"type":"sing"}')).toBe('unknown'));
  it('keeps an unknown reason away', () => {
    expect(readFromSender('{"type":"cancel","reason":"<b>"}')).toEqual({type: 'cancel', reason: 'fault'});
  });
});

describe('what a receiver says', () => {
  const have = {file: 0, ranges: [[0, 2]], digest: hash};
  it.each<[string, object]>([
    ['a file that was not offered', {type: 'accept', have: [{...have, file: 2}]}],
    ['the same file twice', {type: 'accept', have: [have, have]}],
    ['chunks that the file has not', {type: 'accept', have: [{...have, ranges: [[0, 4]]}]}],
    ['no digest', {type: 'accept', have: [{...have, digest: ''}]}],
    ['a chunk that the file has not', {type: 'have', file: 0, chunk: 3}],
    ['a chunk of an empty file', {type: 'have', file: 1, chunk: 0}],
    ['a file far away', {type: 'again', file: 1e9, chunk: 0}],
    ['a hash of nothing', {type: 'verified', file: 7, hash}],
  ])('is bad: %s', (_, value) => expect(readFromReceiver(JSON.stringify(value), files)).toBe('bad'));

  it('is understood', () => {
    expect(readFromReceiver(JSON.stringify({type: 'accept', have: [have]}), files)).toMatchObject({
      type: 'accept',
      bulk: false,
    });
    expect(readFromReceiver('{"type":"accept"}', files)).toMatchObject({have: []});
    expect(readFromReceiver('{"type":"refuse","reason":"?"}', files)).toEqual({type: 'refuse', reason: 'declined'});
  });
});

describe('long lists', () => {
  const many: FileInfo[] = Array.from({length: maxFiles}, (_, i) => ({path: `folder/${'é'.repeat(90)}${i}`, size: i}));
  const total = many.reduce((sum, {size}) => sum + size, 0);

  it('go in several frames, each short enough, and come together again', () => {
    const texts = offerTexts({name: 'folder', files: many, total, again: true});
    expect(texts.length).toBeGreaterThan(10);
    const read = texts.flatMap((text) => {
      expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(maxText);
      const message = readFromSender(text);
      if (message === 'bad' || message === 'unknown' || !('files' in message)) throw new Error(text.slice(0, 99));
      return message.files;
    });
    expect(read).toEqual(many);
    expect(readFromSender(texts[0] ?? '')).toMatchObject({count: maxFiles, again: true, total});
  });

  it('of what is held go in several frames', () => {
    const texts = acceptTexts(many.slice(1).map((_, i) => ({file: i + 1, ranges: new Ranges([[0, 1]]), digest: hash})));
    expect(texts.length).toBeGreaterThan(10);
    const last = texts.length - 1;
    for (const [i, text] of texts.entries()) {
      expect(text.length).toBeLessThanOrEqual(maxText);
      expect(readFromReceiver(text, many)).toMatchObject({type: i < last ? 'held' : 'accept'});
    }
  });
});

describe('an offer is sound', () => {
  const offer = {name: 'a', files, total: 3 << 20, again: false};
  it('when it is', () => expect(isSound(offer)).toBe(true));
  it.each<[string, FileInfo[], number]>([
    ['there is nothing in it', [], 0],
    ['the sum is wrong', files, 1],
    ['a path escapes', [{path: '../a', size: 1}], 1],
    [
      'it is more than can be counted',
      [
        {path: 'a', size: 2 ** 53 - 1},
        {path: 'b', size: 2},
      ],
      2 ** 53 + 1,
    ],
    ['a chunk would have no number', [{path: 'a', size: 2 ** 52 + 1}], 2 ** 52 + 1],
    [
      'a path is there twice',
      [
        {path: 'a/b', size: 0},
        {path: 'a/b', size: 0},
      ],
      0,
    ],
    [
      'a file is a folder too',
      [
        {path: 'a/b/c', size: 0},
        {path: 'a/b', size: 0},
      ],
      0,
    ],
    ['there are too many', Array.from({length: maxFiles + 1}, () => ({path: 'a', size: 0})), 0],
  ])('but not when %s', (_, list, total) => expect(isSound({...offer, files: list, total})).toBe(false));
  it.each(['', 'a\u001b[2J', 'x'.repeat(256), 'ü'.repeat(128)])('but not with the name %j', (name) => {
    expect(isSound({...offer, name})).toBe(false);
  });
  it('when names differ in case alone: where that is no difference, saving numbers them', () => {
    const list = ['A', 'a', 'B/c', 'b/c'].map((path) => ({path, size: 0}));
    expect(isSound({...offer, files: list, total: 0})).toBe(true);
  });
});
