/** The worker: reading, hashing and storing, off the page's own thread. */

import {type Disk, MemoryDisk} from './disk.js';
import {type Bytes, chunkFrames, chunkLength, chunkSize} from './frame.js';
import {sha256} from './hash.js';
import {describe, described, forget, OriginDisk, originWorks} from './origin.js';
import {KeepFault} from './receiver.js';
import {SourceFault} from './sender.js';
import {Shelf} from './shelf.js';
import type {Answer, Call, Work} from './work.js';

const shelves = new Map<string, {shelf: Shelf; disk: Disk}>();
const sources = new Map<string, {blob: Blob; size: number}>();

type Doing = {[K in keyof Work]: (input: Parameters<Work[K]>[0]) => ReturnType<Work[K]> | Promise<ReturnType<Work[K]>>};

const doing: Doing = {
  works: originWorks,
  described,
  describe: ({id, description}) => describe(id, description),
  forget: ({id}) => forget(id),
  shelf: async ({id, files, memory, inspect}) => {
    const disk = memory ? new MemoryDisk() : new OriginDisk(id);
    const shelf = new Shelf(files, disk);
    if (inspect) await shelf.inspect();
    shelves.set(id, {shelf, disk});
  },
  have: async ({id}) => (await shelfOf(id).have()).map((have) => ({...have, ranges: [...have.ranges.list]})),
  put: ({id, file, chunk, data, hash}) => shelfOf(id).put(file, chunk, data, hash),
  root: ({id, file}) => shelfOf(id).root(file),
  finish: ({id, file}) => shelfOf(id).finish(file),
  close: ({id}) => {
    shelves.get(id)?.disk.close();
    shelves.delete(id);
  },
  source: ({id, file, blob, size}) => void sources.set(`${id} ${file}`, {blob, size}),
  read: async ({id, file, chunk}) => {
    const data = await load(id, file, chunk);
    const hash = await sha256(data);
    return {frames: chunkFrames(file, chunk, data, hash), hash};
  },
  hash: async ({id, file, chunk}) => sha256(await load(id, file, chunk)),
  unsource: ({id}) => {
    for (const key of [...sources.keys()]) if (key.startsWith(`${id} `)) sources.delete(key);
  },
};

function shelfOf(id: string): Shelf {
  const found = shelves.get(id);
  if (!found) throw new KeepFault('fault');
  return found.shelf;
}

/** Reads a chunk of a file that is sent. */
async function load(id: string, file: number, chunk: number): Promise<Bytes> {
  const source = sources.get(`${id} ${file}`);
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

async function answer({n, name, input}: Call): Promise<void> {
  let reply: Answer;
  let transfer: Transferable[] = [];
  try {
    const output = await (doing[name] as (input: unknown) => unknown)(input);
    reply = {n, output};
    if (name === 'read') transfer = (output as ReturnType<Work['read']>).frames.map(({buffer}) => buffer);
  } catch (error) {
    const fault = error instanceof KeepFault || error instanceof SourceFault ? error.reason : 'fault';
    reply = {n, fault, words: String(error)};
  }
  (self as unknown as {postMessage(message: Answer, transfer: Transferable[]): void}).postMessage(reply, transfer);
}

self.onmessage = ({data}: MessageEvent<Call>) => void answer(data);
