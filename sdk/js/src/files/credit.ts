import {chunkSize} from './frame.js';

/** How many bytes may be on the way, sent and not confirmed as stored: eight chunks. */
export const window = 8 * chunkSize;

/** What is on the way: the sender asks whether more may go, the receiver whether too much came. */
export class Credit {
  readonly #chunks = new Map<string, number>();
  #bytes = 0;

  /** Bytes that are on the way. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a chunk of so many bytes may follow. */
  allows(bytes: number): boolean {
    return this.#bytes + bytes <= window;
  }

  take(file: number, chunk: number, bytes: number): void {
    const key = `${file} ${chunk}`;
    this.#bytes += bytes - (this.#chunks.get(key) ?? 0);
    this.#chunks.set(key, bytes);
  }

  has(file: number, chunk: number): boolean {
    return this.#chunks.has(`${file} ${chunk}`);
  }

  /** Gives back what a chunk took. Returns false when it was not on the way. */
  give(file: number, chunk: number): boolean {
    const key = `${file} ${chunk}`;
    const bytes = this.#chunks.get(key);
    if (bytes === undefined) return false;
    this.#chunks.delete(key);
    this.#bytes -= bytes;
    return true;
  }
}
