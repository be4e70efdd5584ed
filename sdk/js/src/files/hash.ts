/** The hashing tree: SHA-256 of each chunk, and over those the hash of the file that people compare. */

import {type Bytes, chunkCount, hashSize} from './frame.js';
import {Ranges} from './ranges.js';

const prefix = new TextEncoder().encode('parley.file.v1\n');

export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data));
}

/** Lower-case hexadecimal. */
export function hex(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** How many hashes are kept together, at most: a transfer may have thousands of files with one chunk each. */
const pageSize = 1_024;

/**
 * The hashes of the chunks of one file, as far as they are known. Their memory follows what is known, and not the size of
 * the file, which may be only what somebody says.
 */
export class HashList {
  readonly #pages = new Map<number, Bytes>();
  readonly #known = new Ranges();
  readonly count: number;

  constructor(readonly size: number) {
    this.count = chunkCount(size);
  }

  has(chunk: number): boolean {
    return this.#known.has(chunk);
  }

  set(chunk: number, hash: Bytes): void {
    const index = Math.floor(chunk / pageSize);
    const page = this.#pages.get(index) ?? new Uint8Array(Math.min(pageSize, this.count - index * pageSize) * hashSize);
    this.#pages.set(index, page);
    page.set(hash, (chunk % pageSize) * hashSize);
    this.#known.add(chunk);
  }

  /** Whether every chunk is known. */
  get full(): boolean {
    return this.#known.gap(0) === this.count;
  }

  /** Copies the hashes of known chunks, one after the other. */
  #copy(from: number, to: number, into: Bytes, at: number): void {
    for (let chunk = from; chunk < to; chunk++) {
      const start = (chunk % pageSize) * hashSize;
      const page = this.#pages.get(Math.floor(chunk / pageSize));
      if (page) into.set(page.subarray(start, start + hashSize), at + (chunk - from) * hashSize);
    }
  }

  /** The file's hash: SHA-256("parley.file.v1\n" ‖ size as 8 bytes, big end first ‖ the hashes in order). */
  async root(): Promise<string> {
    if (!this.full) throw new Error('files: the hash of a file that is not whole');
    const input = new Uint8Array(prefix.length + 8 + this.count * hashSize);
    input.set(prefix);
    new DataView(input.buffer).setBigUint64(prefix.length, BigInt(this.size));
    this.#copy(0, this.count, input, prefix.length + 8);
    return hex(await sha256(input));
  }

  /** SHA-256 over the hashes of these chunks in order: what proves that two sides mean the same file. */
  async digest(ranges: Ranges): Promise<string> {
    const input = new Uint8Array(ranges.count * hashSize);
    let at = 0;
    for (const [from, to] of ranges.list) {
      this.#copy(from, to, input, at);
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
