/** Reading a file that is sent, chunk by chunk. */

import {type Bytes, chunkLength, chunkSize} from './frame.js';

/**
 * A file that is read from its beginning to its end as one stream: a slice of its own for each chunk costs browsers four
 * times as much. What is asked for out of order is read by itself, and what follows a gap begins a stream anew. Rejects
 * as the browser does when the file cannot be read any more.
 */
export class Supply {
  #reader: ReadableStreamBYOBReader | null = null;
  #next = 0; // the chunk that the stream is at
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly blob: Blob,
    readonly size: number,
  ) {}

  /** Reads a chunk, in the order of the calls. Fewer bytes come when the file has become shorter. */
  read(chunk: number): Promise<Bytes> {
    const turn = this.#turn.then(() => this.#read(chunk));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Reads a chunk beside the others. */
  async look(chunk: number): Promise<Bytes> {
    const at = chunk * chunkSize;
    return new Uint8Array(await this.blob.slice(at, at + chunkLength(this.size, chunk)).arrayBuffer());
  }

  close(): void {
    void this.#reader?.cancel().catch(() => {});
    this.#reader = null;
  }

  async #read(chunk: number): Promise<Bytes> {
    if (this.size <= chunkSize || chunk < this.#next) return this.look(chunk);
    if (chunk > this.#next || !this.#reader) {
      this.close();
      this.#reader = open(this.blob.slice(chunk * chunkSize, this.size));
    }
    if (!this.#reader) return this.look(chunk);
    this.#next = chunk + 1;
    const data = await fill(this.#reader, chunkLength(this.size, chunk));
    if (this.#next * chunkSize >= this.size) this.close();
    return data;
  }
}

/** Null where the browser has no such streams. */
function open(blob: Blob): ReadableStreamBYOBReader | null {
  try {
    return blob.stream().getReader({mode: 'byob'});
  } catch {
    return null;
  }
}

/** Reads so many bytes, or what there is. */
async function fill(reader: ReadableStreamBYOBReader, length: number): Promise<Bytes> {
  let data: Bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    // The memory goes to the browser and comes back; one that does not know `min` gives less at a time.
    const options = {min: length - at} as object;
    const {value, done} = await (reader.read as Read).call(reader, data.subarray(at), options);
    if (!value) return new Uint8Array();
    data = new Uint8Array(value.buffer, 0, length);
    at += value.length;
    if (done) return data.subarray(0, at);
  }
  return data;
}

/** The DOM library does not know `min` yet. */
type Read = (view: Bytes, options: object) => Promise<ReadableStreamReadResult<Bytes>>;
