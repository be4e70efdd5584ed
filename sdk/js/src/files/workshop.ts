import {window} from './credit.js';
import {type Bytes, chunkSize} from './frame.js';
import type {CancelReason, FileInfo, Have} from './message.js';
import {Ranges} from './ranges.js';
import {type Keep, KeepFault} from './receiver.js';
import {type Source, SourceFault} from './sender.js';
import type {Answer, Call, Work} from './work.js';

/** The page's side of the worker, which starts when it is first needed. */
export class Workshop {
  #worker: Worker | null = null;
  #next = 1;
  readonly #waiting = new Map<number, {resolve: (output: never) => void; reject: (error: Error) => void}>();
  #works: Promise<boolean> | null = null;

  constructor(readonly start: () => Worker = startWorker) {}

  /** Whether this browser keeps files for the page on disk. */
  works(): Promise<boolean> {
    this.#works ??= this.call('works', null).catch(() => false);
    return this.#works;
  }

  /** Rejects with an error whose message is the worker's fault code. */
  call<K extends keyof Work>(name: K, input: Parameters<Work[K]>[0], transfer: Transferable[] = []) {
    return new Promise<ReturnType<Work[K]>>((resolve, reject) => {
      const n = this.#next++;
      this.#waiting.set(n, {resolve, reject});
      this.#running().postMessage({n, name, input} as Call, transfer);
    });
  }

  close(): void {
    this.#worker?.terminate();
    this.#fail('closed');
  }

  #running(): Worker {
    if (this.#worker) return this.#worker;
    const worker = this.start();
    worker.onmessage = ({data}: MessageEvent<Answer>) => {
      const waiting = this.#waiting.get(data.n);
      this.#waiting.delete(data.n);
      if ('fault' in data) waiting?.reject(new Error(data.fault, {cause: data.words}));
      else waiting?.resolve(data.output as never);
    };
    worker.onerror = () => this.#fail('fault');
    this.#worker = worker;
    return worker;
  }

  #fail(code: string): void {
    for (const {reject} of this.#waiting.values()) reject(new Error(code));
    this.#waiting.clear();
  }
}

function startWorker(): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), {type: 'module'});
}

/** How much memory of chunks that are stored is kept for the next ones, in chunks: as many as may be on the way. */
const maxSpare = window / chunkSize;

/** The partial data of one incoming transfer, kept by the worker. */
export class Store implements Keep {
  readonly #puts = new Set<Promise<unknown>>();
  readonly #spare: Bytes[] = [];

  constructor(
    readonly workshop: Workshop,
    readonly id: string,
    readonly files: readonly FileInfo[],
    readonly memory: boolean,
  ) {}

  /** Opens it. `inspect` looks at what is there from before. */
  open(inspect: boolean): Promise<void> {
    const {id, files, memory} = this;
    return this.workshop.call('shelf', {id, files, memory, inspect});
  }

  /** Writes down what the transfer is about, for after a reload. */
  async describe(description: unknown): Promise<void> {
    if (!this.memory) await this.workshop.call('describe', {id: this.id, description: JSON.stringify(description)});
  }

  /** What is held, once everything that came before is stored. */
  async have(): Promise<Have[]> {
    await Promise.allSettled(this.#puts);
    const have = await this.workshop.call('have', {id: this.id});
    return have.map((one) => ({...one, ranges: new Ranges(one.ranges)}));
  }

  room(length: number): Bytes {
    return (length === chunkSize ? this.#spare.pop() : null) ?? new Uint8Array(length);
  }

  async put(file: number, chunk: number, data: Bytes, hash: Bytes): Promise<boolean> {
    const put = this.workshop.call('put', {id: this.id, file, chunk, data, hash}, [data.buffer]);
    this.#puts.add(put);
    try {
      const {stored, data: free} = await put;
      if (free.length === chunkSize && this.#spare.length < maxSpare) this.#spare.push(free);
      return stored;
    } catch (error) {
      throw new KeepFault((error as Error).message === 'no-space' ? 'no-space' : 'fault');
    } finally {
      this.#puts.delete(put);
    }
  }

  root(file: number): Promise<string> {
    return this.workshop.call('root', {id: this.id, file});
  }

  finish(file: number): Promise<Blob> {
    return this.workshop.call('finish', {id: this.id, file});
  }

  /** Lets go of it; it can be opened again. */
  close(): Promise<void> {
    return this.workshop.call('close', {id: this.id});
  }

  /** Throws it away. */
  async forget(): Promise<void> {
    await this.close();
    if (!this.memory) await this.workshop.call('forget', {id: this.id});
  }
}

const faults: readonly string[] = ['gone', 'changed'];

/** The files of one outgoing transfer, read by the worker. */
export class FileSource implements Source {
  constructor(
    readonly workshop: Workshop,
    readonly id: string,
    blobs: readonly Blob[],
    files: readonly FileInfo[],
  ) {
    for (const [file, blob] of blobs.entries()) {
      void workshop.call('source', {id, file, blob, size: files[file]?.size ?? 0}).catch(() => {});
    }
  }

  read(file: number, chunk: number): Promise<{data: Bytes; hash: Bytes}> {
    return this.workshop.call('read', {id: this.id, file, chunk}).catch(complain);
  }

  hash(file: number, chunk: number): Promise<Bytes> {
    return this.workshop.call('hash', {id: this.id, file, chunk}).catch(complain);
  }

  close(): void {
    void this.workshop.call('unsource', {id: this.id}).catch(() => {});
  }
}

function complain(error: Error): never {
  throw new SourceFault(faults.includes(error.message) ? (error.message as CancelReason) : 'fault');
}
