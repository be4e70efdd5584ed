/** The origin-private file system, in a worker: partial data that outlives the page. */

import type {Disk} from './disk.js';
import type {Bytes} from './frame.js';
import {KeepFault} from './receiver.js';

/** As much of a FileSystemSyncAccessHandle as is needed; the DOM library has it for workers only. */
interface SyncHandle {
  read(buffer: Uint8Array, options: {at: number}): number;
  write(buffer: Uint8Array, options: {at: number}): number;
  getSize(): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}
type WithSync = FileSystemFileHandle & {createSyncAccessHandle(): Promise<SyncHandle>};

const folder = 'parley-files';
const descriptionFile = 'description.json';
/**
 * How much room is made at a time for a file that grows. Chromium asks its main process for each bit of it, which takes
 * longer than writing a chunk.
 */
const step = 32 << 20;
/** How many files are open at a time. */
const maxOpen = 4;
/** How long a handle of a page that is going away may still be locked, in milliseconds. */
const lockedMs = 5_000;

/** The folder of all transfers. Rejects where the browser has no such storage, as in private windows of Firefox. */
function home(): Promise<FileSystemDirectoryHandle> {
  return navigator.storage.getDirectory().then((root) => root.getDirectoryHandle(folder, {create: true}));
}

/** Whether this worker can keep files: asked by trying. */
export function originWorks(): Promise<boolean> {
  return tried(() => {});
}

/**
 * Whether so many bytes can be kept. What `navigator.storage.estimate()` says is no answer: browsers name a quota that
 * tells nobody how large the disk is, and private windows keep far less than they name.
 */
export function originFits(bytes: number): Promise<boolean> {
  // Not by `truncate`, which private windows of Chromium allow however little they keep.
  return tried((handle) => {
    if (bytes > 0 && handle.write(new Uint8Array(1), {at: bytes - 1}) !== 1) throw new KeepFault('no-space');
  });
}

/** Whether something can be done with a new file, which is thrown away. */
async function tried(act: (handle: SyncHandle) => void): Promise<boolean> {
  const name = `probe-${Math.random()}`;
  try {
    const root = await home();
    try {
      const handle = await ((await root.getFileHandle(name, {create: true})) as WithSync).createSyncAccessHandle();
      try {
        act(handle);
      } finally {
        handle.close();
      }
    } finally {
      await root.removeEntry(name);
    }
    return true;
  } catch {
    return false;
  }
}

/** Writes what a transfer is about, before any of its data. */
export async function describe(id: string, description: string): Promise<void> {
  const place = await (await home()).getDirectoryHandle(id, {create: true});
  const handle = await openSync((await place.getFileHandle(descriptionFile, {create: true})) as WithSync);
  try {
    const bytes = new TextEncoder().encode(description);
    handle.truncate(0);
    handle.write(bytes, {at: 0});
    handle.flush();
  } finally {
    handle.close();
  }
}

/** The descriptions of all transfers that are kept. What has none is thrown away. */
export async function described(): Promise<{id: string; description: string}[]> {
  const root = await home();
  const found: {id: string; description: string}[] = [];
  for await (const [id, entry] of root as unknown as AsyncIterable<[string, FileSystemHandle]>) {
    if (entry.kind !== 'directory') continue;
    try {
      const file = await (await (entry as FileSystemDirectoryHandle).getFileHandle(descriptionFile)).getFile();
      found.push({id, description: await file.text()});
    } catch {
      await root.removeEntry(id, {recursive: true}).catch(() => {});
    }
  }
  return found;
}

/** Throws a transfer away. */
export async function forget(id: string): Promise<void> {
  await (await home()).removeEntry(id, {recursive: true}).catch(() => {}); // it may be gone already
}

/** The files of one transfer. */
export class OriginDisk implements Disk {
  readonly #open = new Map<string, SyncHandle>();
  /** How much room each open file has. */
  readonly #room = new Map<string, number>();
  readonly #opening = new Map<string, Promise<SyncHandle>>();
  #closed = false;

  constructor(readonly id: string) {}

  write(file: string, at: number, data: Bytes, size: number): Promise<void> {
    return this.#with(file, (handle) => {
      this.#makeRoom(file, handle, at + data.length, size);
      try {
        if (handle.write(data, {at}) !== data.length) throw new KeepFault('no-space');
      } catch (error) {
        throw error instanceof DOMException && error.name === 'QuotaExceededError' ? new KeepFault('no-space') : error;
      }
    });
  }

  /** Lets a file grow ahead of what is written. */
  #makeRoom(file: string, handle: SyncHandle, end: number, size: number): void {
    const room = this.#room.get(file) ?? handle.getSize();
    this.#room.set(file, room);
    const wanted = Math.min(Math.max(end, Math.ceil(end / step) * step), size);
    if (end <= room || wanted <= room) return;
    try {
      handle.truncate(wanted);
      this.#room.set(file, wanted);
    } catch {
      // not so much; what has to be written may still fit
    }
  }

  read(file: string, at: number, length: number): Promise<Bytes> {
    return this.#with(file, (handle) => {
      const data = new Uint8Array(length);
      return data.subarray(0, handle.read(data, {at}));
    });
  }

  async finish(file: string, size: number): Promise<Blob> {
    await this.#with(file, (handle) => {
      handle.truncate(size);
      handle.flush();
      this.#shut(file);
    });
    return (await (await this.#place()).getFileHandle(file)).getFile();
  }

  close(): void {
    this.#closed = true;
    for (const file of [...this.#open.keys()]) this.#shut(file);
  }

  #shut(file: string): void {
    this.#open.get(file)?.close();
    this.#open.delete(file);
    this.#opening.delete(file);
    this.#room.delete(file);
  }

  /** Does something with an open file. It may have been closed for another one while it was waited for. */
  async #with<T>(file: string, act: (handle: SyncHandle) => T): Promise<T> {
    for (;;) {
      const handle = this.#open.get(file) ?? (await this.#handle(file));
      if (this.#open.get(file) === handle) return act(handle);
    }
  }

  #handle(file: string): Promise<SyncHandle> {
    const known = this.#opening.get(file);
    if (known) return known;
    if (this.#closed) return Promise.reject(new KeepFault('fault'));
    const opening = this.#place()
      .then((place) => place.getFileHandle(file, {create: true}))
      .then((handle) => openSync(handle as WithSync))
      .then((handle) => {
        if (this.#closed) {
          handle.close();
          throw new KeepFault('fault');
        }
        // The one that was opened first is let go of, but for the hashes, which are always needed.
        const oldest = [...this.#open.keys()].find((name) => name !== 'hashes');
        if (this.#open.size >= maxOpen && oldest) this.#shut(oldest);
        this.#open.set(file, handle);
        return handle;
      });
    this.#opening.set(file, opening);
    opening.catch(() => this.#opening.delete(file));
    return opening;
  }

  async #place(): Promise<FileSystemDirectoryHandle> {
    return (await home()).getDirectoryHandle(this.id, {create: true});
  }
}

/** Opens a file alone. The page before a reload may hold it for a moment longer. */
async function openSync(handle: WithSync): Promise<SyncHandle> {
  for (const end = performance.now() + lockedMs; ; ) {
    try {
      return await handle.createSyncAccessHandle();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
