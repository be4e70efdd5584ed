import {describe, expect, test} from 'vitest';
import type {Bytes} from './bytes.js';
import {FrameKey, maxHeader, readHeader, writeHeader} from './sframe.js';
import vectors from './vectors.json';

const bytes = (hex: string): Bytes => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const hex = (data: Uint8Array) => Array.from(data, (b) => b.toString(16).padStart(2, '0')).join('');

describe('the header (RFC 9605 §4.3, appendix C.1)', () => {
  for (const {kid, ctr, encoded} of vectors.header) {
    const [k, c] = [Number(kid), Number(ctr)];
    const ours = Number.isSafeInteger(k) && Number.isSafeInteger(c);
    test(`${kid} and ${ctr}${ours ? '' : ', too great for us'}`, () => {
      const data = bytes(encoded);
      expect(readHeader(data)).toEqual(ours ? {kid: k, ctr: c, length: data.length} : null);
      if (ours) expect(hex(writeHeader(k, c))).toBe(encoded);
      expect(readHeader(data.subarray(0, data.length - 1))).toBeNull();
    });
  }

  test('whatever stands there, it is read or it is not, and what is read is written again', () => {
    let state = 1;
    const next = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 16;
    };
    let read = 0;
    for (let round = 0; round < 5_000; round++) {
      const data = Uint8Array.from({length: next() % 20}, next);
      const header = readHeader(data);
      if (!header) continue;
      read++;
      const again = readHeader(writeHeader(header.kid, header.ctr)) ?? {kid: -1, ctr: -1, length: 99};
      const same = again.kid === header.kid && again.ctr === header.ctr && again.length <= header.length;
      if (!same || header.length > Math.min(data.length, maxHeader)) expect({data, header}).toBe(again);
    }
    expect(read).toBeGreaterThan(1_000);
  });
});

describe('AES_128_GCM_SHA256_128 (appendix C.3)', () => {
  const {kid, ctr, base_key, metadata, pt, ct} = vectors.sframe;
  const key = () => FrameKey.derive(Number(kid), bytes(base_key));
  const frame = bytes(metadata + pt);
  const clear = metadata.length / 2;

  test('seals as the RFC does', async () => {
    const sealed = await (await key()).seal(Number(ctr), frame, clear);
    expect(hex(sealed)).toBe(metadata + ct);
  });

  test('opens what the RFC sealed', async () => {
    const data = bytes(metadata + ct);
    const header = readHeader(data, clear);
    expect(header).toMatchObject({kid: Number(kid), ctr: Number(ctr)});
    expect(hex(await (await key()).open(header as NonNullable<typeof header>, data, clear))).toBe(metadata + pt);
  });

  test('every single bit counts, those of the legible part too', async () => {
    const k = await key();
    const sealed = bytes(metadata + ct);
    const forged = Array.from({length: sealed.length * 8}, (_, bit) => {
      const copy = sealed.slice();
      (copy[bit >> 3] as number) ^= 1 << (bit & 7);
      return copy;
    });
    const opened = await Promise.allSettled(
      forged.map(async (data) => {
        const header = readHeader(data, clear);
        if (header?.kid !== Number(kid)) throw new Error('of another key');
        return k.open(header, data, clear);
      }),
    );
    expect(opened.filter(({status}) => status === 'fulfilled')).toEqual([]);
  });
});
