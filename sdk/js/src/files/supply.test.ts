import {describe, expect, it, vi} from 'vitest';
import {chunkSize} from './frame.js';
import {noise} from './random.fake.js';
import {Supply} from './supply.js';

const size = 4 * chunkSize + 100;
const data = noise(5, size);
const part = (chunk: number) => data.slice(chunk * chunkSize, (chunk + 1) * chunkSize);
const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** A file, and how often it was opened as a stream or read as a slice. */
function file() {
  const blob = new Blob([data]);
  const opened = {streams: 0, slices: 0};
  vi.spyOn(blob, 'slice').mockImplementation((from = 0, to = size) => {
    const slice = new Blob([data.subarray(from, to)]);
    const [stream, whole] = [slice.stream.bind(slice), slice.arrayBuffer.bind(slice)];
    slice.stream = () => {
      opened.streams++;
      return stream();
    };
    slice.arrayBuffer = () => {
      opened.slices++;
      return whole();
    };
    return slice;
  });
  return {supply: new Supply(blob, size), opened};
}

describe('a file that is sent', () => {
  it('is read as one stream, however many chunks are asked for at a time', async () => {
    const {supply, opened} = file();
    const chunks = await Promise.all([0, 1, 2, 3, 4].map((chunk) => supply.read(chunk)));
    for (const [i, chunk] of chunks.entries()) expect(same(chunk, part(i))).toBe(true);
    expect(opened).toEqual({streams: 1, slices: 0});
  });

  it('has parts left out, asked for again, and looked at beside the others', async () => {
    const {supply, opened} = file();
    for (const chunk of [0, 3, 1, 4]) expect(same(await supply.read(chunk), part(chunk)), `${chunk}`).toBe(true);
    expect(same(await supply.look(2), part(2))).toBe(true);
    expect(opened).toEqual({streams: 2, slices: 2});
    supply.close();
    expect(same(await supply.read(0), part(0))).toBe(true);
  });

  it('is read by slices where there are no such streams, or when it is small', async () => {
    const small = new Supply(new Blob([data.subarray(0, 10)]), 10);
    expect(same(await small.read(0), data.subarray(0, 10))).toBe(true);
    const {supply} = file();
    const none = vi.spyOn(ReadableStream.prototype, 'getReader').mockImplementation(() => {
      throw new TypeError('no such reader');
    });
    expect(same(await supply.read(2), part(2))).toBe(true);
    none.mockRestore();
  });

  it('has become shorter', async () => {
    const supply = new Supply(new Blob([data.subarray(0, chunkSize + 5)]), size);
    expect((await supply.read(0)).length).toBe(chunkSize);
    expect((await supply.read(1)).length).toBeLessThan(chunkSize);
  });
});
