import {describe, expect, it, vi} from 'vitest';
import {type Bytes, chunkCount, chunkSize} from './frame.js';
import {HashList, hex, sha256} from './hash.js';
import {Ranges} from './ranges.js';

const data = (size: number): Bytes => Uint8Array.from({length: size}, (_, i) => (i * 7) % 253);

async function listOf(bytes: Bytes): Promise<HashList> {
  const list = new HashList(bytes.length);
  for (let chunk = 0; chunk < chunkCount(bytes.length); chunk++) {
    list.set(chunk, await sha256(bytes.slice(chunk * chunkSize, (chunk + 1) * chunkSize)));
  }
  return list;
}

describe('the hash of a file', () => {
  // Reckoned by another implementation.
  it.each([
    [0, '6529ea710460fabdf7c591b6130880e2cc00f07a0909fef2f7be00d3e07fd070'],
    [1, '45b98f88475b62102ece5bf8f0e04c76a98e4eda1f337960bbfc672a8310a3b3'],
    [chunkSize, 'ec929855323b814eb4dc6ff007bcab77c5d6b095a0400ed2defd6c3d8689780a'],
    [3 * chunkSize + 5, 'baf57ea802b0b0e1efda72d044a164a41f9724ce85cd76d67b42daf25262feae'],
  ])('of %i bytes', async (size, root) => {
    expect(await (await listOf(data(size))).root()).toBe(root);
  });
});

it('the digest of some chunks is over their hashes in order', async () => {
  const list = await listOf(data(4 * chunkSize));
  const ranges = new Ranges([
    [0, 1],
    [2, 4],
  ]);
  expect(await list.digest(ranges)).toBe('21f0f26901974fd7f64917692fbbe0b9ae23264966eec522287d2ea4680ddcc4');
});

it('a small file costs little memory, and many are many', () => {
  let bytes = 0;
  const counting = new Proxy(Uint8Array, {
    construct(target, args, self) {
      if (typeof args[0] === 'number') bytes += args[0];
      return Reflect.construct(target, args, self);
    },
  });
  const hash = new Uint8Array(32);
  vi.stubGlobal('Uint8Array', counting);
  try {
    for (let i = 0; i < 10_000; i++) new HashList(1_000).set(0, hash);
    expect(bytes).toBe(10_000 * 32);
    bytes = 0;
    new HashList(1_500 * chunkSize).set(1_024, hash); // the second page is not whole
    expect(bytes).toBe((1_500 - 1_024) * 32);
  } finally {
    vi.unstubAllGlobals();
  }
});

it('hex is lower case and padded', () => expect(hex(Uint8Array.from([0, 10, 255]))).toBe('000aff'));
