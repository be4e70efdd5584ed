/** The worker's side of the work: reading, hashing and storing, off the page's own thread. */

import {type Disk, MemoryDisk} from './disk.js';
import {type Bytes, chunkLength} from './frame.js';
import {sha256} from './hash.js';
import {describe, described, forget, OriginDisk, originFits, originWorks} from './origin.js';
import {KeepFault} from './receiver.js';
import {SourceFault} from './sender.js';
import {Shelf} from './shelf.js';
import {Supply} from './supply.js';
import type {Answer, Call, Work} from './work.js';

type Doing = {[K in keyof Work]: (input: Parameters<Work[K]>[0]) => ReturnType<Work[K]> | Promise<ReturnType<Work[K]>>};

export class Workbench {
  readonly #shelves = new Map<string, {shelf: Shelf; disk: Disk}>();
  readonly #sources = new Map<string, Supply>();
  readonly #doing: Doing = {
    works: originWorks,
    fits: ({bytes}) => originFits(bytes),
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
    put: async ({id, file, chunk, data, hash}) => ({
      stored: await this.#shelf(id).put(file, chunk, data, hash),
      data,
    }),
    root: ({id, file}) => this.#shelf(id).root(file),
    finish: ({id, file}) => this.#shelf(id).finish(file),
    close: ({id}) => {
      this.#shelves.get(id)?.disk.close();
      this.#shelves.delete(id);
    },
    source: ({id, file, blob, size}) => void this.#sources.set(`${id} ${file}`, new Supply(blob, size)),
    read: async ({id, file, chunk}) => {
      const data = await this.#load(id, file, chunk, (supply) => supply.read(chunk));
      return {data, hash: await sha256(data)};
    },
    hash: async ({id, file, chunk}) => sha256(await this.#load(id, file, chunk, (supply) => supply.look(chunk))),
    unsource: ({id}) => {
      for (const [key, supply] of [...this.#sources]) {
        if (!key.startsWith(`${id} `)) continue;
        supply.close();
        this.#sources.delete(key);
      }
    },
  };

  /** Does what is asked. What `transfer` lists goes over to the page without a copy. */
  async answer({n, name, input}: Call): Promise<{reply: Answer; transfer: Transferable[]}> {
    try {
      const output = await (this.#doing[name] as (input: unknown) => unknown)(input);
      const moves = name === 'read' || name === 'put';
      return {reply: {n, output}, transfer: moves ? [(output as {data: Bytes}).data.buffer] : []};
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
  async #load(id: string, file: number, chunk: number, read: (supply: Supply) => Promise<Bytes>): Promise<Bytes> {
    const supply = this.#sources.get(`${id} ${file}`);
    if (!supply) throw new SourceFault('gone');
    if (supply.blob.size !== supply.size) throw new SourceFault('changed');
    let data: Bytes;
    try {
      data = await read(supply);
    } catch (error) {
      // Browsers refuse to read a file that is newer than the one that was chosen.
      throw new SourceFault(error instanceof DOMException && error.name === 'NotFoundError' ? 'gone' : 'changed');
    }
    if (data.length !== chunkLength(supply.size, chunk)) throw new SourceFault('changed');
    return data;
  }
}
