import type {Disk} from './disk.js';
import {type Bytes, chunkCount, chunkLength, chunkSize, hashSize} from './frame.js';
import {HashTree, sha256} from './hash.js';
import {type FileInfo, type Have, tellable} from './message.js';
import {Ranges} from './ranges.js';
import type {Keep} from './receiver.js';

/** The file that holds the hashes of all chunks of the transfer, in order; zeros where a chunk is missing. */
const hashFile = 'hashes';

/**
 * The partial data of one transfer. A chunk counts as held when its data and its hash are written and fit together: after
 * a crash, which may have lost either, all of it is hashed again before it is claimed.
 */
export class Shelf implements Keep {
  readonly #held: Ranges[];
  readonly #tree: HashTree;
  /** The number of each file's first chunk within the transfer. */
  readonly #first: number[] = [];
  readonly #chunks: number;

  constructor(
    readonly files: readonly FileInfo[],
    readonly disk: Disk,
  ) {
    this.#held = files.map(() => new Ranges());
    this.#tree = new HashTree(files);
    let chunks = 0;
    for (const {size} of files) {
      this.#first.push(chunks);
      chunks += chunkCount(size);
    }
    this.#chunks = chunks;
  }

  /** What is held, with proof. */
  async have(): Promise<Have[]> {
    const have: Have[] = [];
    for (const [file, held] of this.#held.entries()) {
      const ranges = tellable(held);
      if (ranges.count > 0) have.push({file, ranges, digest: await this.#tree.file(file).digest(ranges)});
    }
    return have;
  }

  /** Looks at what is on the disk from before. `found` hears the bytes of each chunk that is good. */
  async inspect(found: (bytes: number) => void = () => {}): Promise<void> {
    for (const [file, {size}] of this.files.entries()) {
      const hashes = await this.disk.read(hashFile, this.#place(file, 0), chunkCount(size) * hashSize);
      for (let chunk = 0; chunk * hashSize < hashes.length; chunk++) {
        const hash = hashes.slice(chunk * hashSize, (chunk + 1) * hashSize);
        if (hash.length < hashSize || hash.every((byte) => byte === 0)) continue;
        const length = chunkLength(size, chunk);
        const data = await this.disk.read(nameOf(file), chunk * chunkSize, length);
        if (data.length !== length || !same(await sha256(data), hash)) continue;
        this.#note(file, chunk, hash);
        found(length);
      }
    }
  }

  room(length: number): Bytes {
    return new Uint8Array(length);
  }

  async put(file: number, chunk: number, data: Bytes, hash: Bytes): Promise<boolean> {
    if (!same(await sha256(data), hash)) return false;
    await this.disk.write(nameOf(file), chunk * chunkSize, data, this.files[file]?.size ?? 0);
    await this.disk.write(hashFile, this.#place(file, chunk), hash, this.#chunks * hashSize);
    this.#note(file, chunk, hash);
    return true;
  }

  root(file: number): Promise<string> {
    return this.#tree.file(file).root();
  }

  /** Gives a file that is there whole; nothing may be put into it afterwards. */
  finish(file: number): Promise<Blob> {
    return this.disk.finish(nameOf(file), this.files[file]?.size ?? 0);
  }

  #note(file: number, chunk: number, hash: Bytes): void {
    this.#held[file]?.add(chunk);
    this.#tree.file(file).set(chunk, hash);
  }

  #place(file: number, chunk: number): number {
    return ((this.#first[file] ?? 0) + chunk) * hashSize;
  }
}

function nameOf(file: number): string {
  return `f${file}`;
}

function same(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
