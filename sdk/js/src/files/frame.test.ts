import {describe, expect, it} from 'vitest';
import {type Bytes, chunkCount, chunkFrames, chunkLength, chunkSize, maxFrame, readFrame} from './frame.js';
import {noise} from './random.fake.js';

const hash = noise(1, 32);

describe('frames', () => {
  it.each([1, 100, 65_520, 65_521, 500_000, chunkSize])('carry a chunk of %i bytes whole and in order', (length) => {
    const data = noise(2, length);
    const frames = Array.from(chunkFrames(7, 3, data.slice(), hash), (frame) => frame.slice());
    const whole = new Uint8Array(length);
    let at = 0;
    for (const frame of frames.slice(0, -1)) {
      expect(frame.length).toBeLessThanOrEqual(maxFrame);
      const read = readFrame(frame.buffer);
      const {payload, ...header} = read ?? {payload: hash};
      expect(header).toEqual({kind: 'data', file: 7, chunk: 3, offset: at});
      whole.set(payload, at);
      at += payload.length;
    }
    expect(at).toBe(length);
    expect(whole.every((byte, i) => byte === data[i])).toBe(true);
    const last = readFrame((frames.at(-1) as Bytes).buffer);
    expect(last).toMatchObject({kind: 'hash', file: 7, chunk: 3, offset: 0, payload: hash});
  });

  it.each<[string, number[]]>([
    ['nothing', []],
    ['only a header', [1, 0, 0, 0, ...Array(12).fill(0)]],
    ['an unknown kind', [3, 0, 0, 0, ...Array(13).fill(0)]],
    ['something in the padding', [1, 0, 1, 0, ...Array(13).fill(0)]],
    ['a hash that is too short', [2, 0, 0, 0, ...Array(12 + 31).fill(0)]],
    ['a hash that is too long', [2, 0, 0, 0, ...Array(12 + 33).fill(0)]],
  ])('is none: %s', (_, list) => {
    expect(readFrame(Uint8Array.from(list).buffer)).toBeNull();
  });

  it('is none when it is too long', () => {
    const long = new Uint8Array(maxFrame + 1);
    long[0] = 1;
    expect(readFrame(long.buffer)).toBeNull();
  });
});

describe('chunks', () => {
  it.each([
    [0, 0, 0],
    [1, 1, 1],
    [chunkSize, 1, chunkSize],
    [chunkSize + 1, 2, 1],
    [5 * chunkSize - 1, 5, chunkSize - 1],
    [2 ** 53 - 1, 2 ** 33, chunkSize - 1],
  ])('a file of %i bytes has %i, the last of %i bytes', (size, count, last) => {
    expect(chunkCount(size)).toBe(count);
    if (count > 0) expect(chunkLength(size, count - 1)).toBe(last);
  });
});
