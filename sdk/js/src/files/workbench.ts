/** The worker's side of the work: reading, hashing and storing, off the page's own thread. */

import {type Disk, MemoryDisk} from './disk.js';
import {type Bytes, chunkFrames, chunkLength, chunkSize} from './frame.js';
import {sha256} from './hash.js';
import {describe, described, forget, OriginDisk, originWorks} from './origin.js';
import {KeepFault} from './receiver.js';
import {SourceFault} from './sender.js';
import {Shelf} from './shelf.js';
import type {Answer, Call, Work} from './work.js';

type Doing = {[K in keyof Work]: (input: Parameters<Work[K]>[0]) => ReturnType<Work[K]> | Promise<ReturnType<Work[K]>>};

export class Workbench {
  readonly #shelves = new Map<string, {shelf: Shelf; disk: Disk}>();
  readonly #sources = new Map<string, {blob: Blob; size: number}>();
  readonly #doing: Doing = {
    works: originWorks,
    described,
    describe: ({id, description}) => describe(id, description),
    forget: ({id}) => forget(id),
    shelf: async ({id, files, memory, inspect}) => {
      const disk = memory ? new MemoryDisk() : new OriginDisk(id);
      const shelf = new Shelf(files, disk);
      if (inspect) await shelf.inspect();
      this.#shelves.set(id, {shelf, disk});
    },
    have: async ({id}) => (await this.#shelf(id).have()).map((one) => ({...one, ranges: [...one.ranges.list]})),
    put: ({id, file, chunk, data, hash}) => this.#shelf(id).put(file, chunk, data, hash),
    root: ({id, file}) => this.#shelf(id).root(file),
    finish: ({id, file}) => this.#shelf(id).finish(file),
    close: ({id}) => {
      this.#shelves.get(id)?.disk.close();
      this.#shelves.delete(id);
    },
    source: ({id, file, blob, size}) => void this.#sources.set(`${id} ${file}`, {blob, size}),
    read: async ({id, file, chunk}) => {
      const data = await this.#load(id, file, chunk);
      const hash = await sha256(data);
      return {frames: chunkFrames(file, chunk, data, hash), hash};
    },
    hash: async ({id, file, chunk}) => sha256(await this.#load(id, file, chunk)),
    unsource: ({id}) => {
      for (const key of [...this.#sources.keys()]) if (key.startsWith(`${id} `)) this.#sources.delete(key);
    },
  };

  /** Does what is asked. What `transfer` lists goes over to the page without a copy. */
  async answer({n, name, input}: Call): Promise<{reply: Answer; transfer: Transferable[]}> {
    try {
      const output = await (this.#doing[name] as (input: unknown) => unknown)(input);
      const frames = name === 'read' ? (output as ReturnType<Work['read']>).frames : [];
      return {reply: {n, output}, transfer: frames.map(({buffer}) => buffer)};
    } catch (error) {
      const fault = error instanceof KeepFault || error instanceof SourceFault ? error.reason : 'fault';
      return {reply: {n, fault, words: String(error)}, transfer: []};
    }
  }

  #shelf(id: string): Shelf {
    const found = this.#shelves.get(id);
    if (!found) throw new KeepFault('fault');
    return found.shelf;
  }

  /** Reads a chunk of a file that is sent. */
  async #load(id: string, file: number, chunk: number): Promise<Bytes> {
    const source = this.#sources.get(`${id} ${file}`);
    if (!source) throw new SourceFault('gone');
    const {blob, size} = source;
    if (blob.size !== size) throw new SourceFault('changed');
    const at = chunk * chunkSize;
    const length = chunkLength(size, chunk);
    let data: Bytes;
    try {
      data = new Uint8Array(await blob.slice(at, at + length).arrayBuffer());
    } catch (error) {
      // Browsers refuse to read a file that is newer than the one that was chosen.
      throw new SourceFault(error instanceof DOMException && error.name === 'NotFoundError' ? 'gone' : 'changed');
    }
    if (data.length !== length) throw new SourceFault('changed');
    return data;
  }
}
