import type {Bytes} from './frame.js';

/** Where partial data lies: numbered files of one transfer, written in any order. */
export interface Disk {
  /** `size` is what the file will have in the end: room for it may be made ahead. */
  write(file: string, at: number, data: Bytes, size: number): void | Promise<void>;
  /** Reads up to `length` bytes; fewer at the end of the file, none when there is no such file. */
  read(file: string, at: number, length: number): Bytes | Promise<Bytes>;
  /** Lets go of a file that is whole, cut to its size, and gives it. */
  finish(file: string, size: number): Promise<Blob>;
  /** Lets go of everything; what is written stays. */
  close(): void;
}

/** How much a disk in memory takes, in bytes: where the browser keeps nothing on disk for a page. */
export const memoryLimit = 256 << 20;

/** A disk for as long as the page lives. */
export class MemoryDisk implements Disk {
  readonly #files = new Map<string, Bytes>();

  write(file: string, at: number, data: Bytes): void {
    let bytes = this.#files.get(file) ?? new Uint8Array();
    if (bytes.length < at + data.length) {
      // Chunks mostly come in order: room for as much again spares most of the copying.
      const wider = new Uint8Array(Math.min(Math.max(at + data.length, bytes.length * 2), memoryLimit));
      wider.set(bytes);
      bytes = wider;
      this.#files.set(file, bytes);
    }
    bytes.set(data, at);
  }

  read(file: string, at: number, length: number): Bytes {
    return (this.#files.get(file) ?? new Uint8Array()).slice(at, at + length);
  }

  async finish(file: string, size: number): Promise<Blob> {
    const blob = new Blob([this.read(file, 0, size)]);
    this.#files.delete(file); // the blob has it now
    return blob;
  }

  close(): void {
    this.#files.clear();
  }
}
