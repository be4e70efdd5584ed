/** The hashing tree: SHA-256 of each chunk, and over those the hash of the file that people compare. */

import {type Bytes, chunkCount, hashSize} from './frame.js';
import type {Ranges} from './ranges.js';

const prefix = new TextEncoder().encode('parley.file.v1\n');

export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data));
}

/** Lower-case hexadecimal. */
export function hex(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The hashes of the chunks of one file, as far as they are known, in one block of memory. */
export class HashList {
  readonly #bytes: Bytes;
  readonly #known: Uint8Array;
  readonly count: number;

  constructor(readonly size: number) {
    this.count = chunkCount(size);
    this.#bytes = new Uint8Array(this.count * hashSize);
    this.#known = new Uint8Array(this.count);
  }

  has(chunk: number): boolean {
    return this.#known[chunk] === 1;
  }

  set(chunk: number, hash: Bytes): void {
    this.#bytes.set(hash, chunk * hashSize);
    this.#known[chunk] = 1;
  }

  /** Whether every chunk is known. */
  get full(): boolean {
    return this.#known.every((known) => known === 1);
  }

  /** The file's hash: SHA-256("parley.file.v1\n" ‖ size as 8 bytes, big end first ‖ the hashes in order). */
  async root(): Promise<string> {
    const input = new Uint8Array(prefix.length + 8 + this.#bytes.length);
    input.set(prefix);
    new DataView(input.buffer).setBigUint64(prefix.length, BigInt(this.size));
    input.set(this.#bytes, prefix.length + 8);
    return hex(await sha256(input));
  }

  /** SHA-256 over the hashes of these chunks in order: what proves that two sides mean the same file. */
  async digest(ranges: Ranges): Promise<string> {
    const input = new Uint8Array(ranges.count * hashSize);
    let at = 0;
    for (const [from, to] of ranges.list) {
      input.set(this.#bytes.subarray(from * hashSize, to * hashSize), at);
      at += (to - from) * hashSize;
    }
    return hex(await sha256(input));
  }
}

/** The hash lists of all files of a transfer, made when they are needed. */
export class HashTree {
  readonly #lists = new Map<number, HashList>();

  constructor(readonly files: readonly {readonly size: number}[]) {}

  file(index: number): HashList {
    const list = this.#lists.get(index) ?? new HashList(this.files[index]?.size ?? 0);
    this.#lists.set(index, list);
    return list;
  }
}
