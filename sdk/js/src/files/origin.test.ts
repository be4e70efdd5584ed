import {afterEach, describe, expect, it, vi} from 'vitest';
import {OriginDisk} from './origin.js';

/** Folders and files as a worker has them: one handle a file at a time, which is of no use once it is closed. */
class Origin {
  readonly files = new Map<string, Uint8Array>();
  readonly locked = new Set<string>();

  folder(path: string): unknown {
    return {
      getDirectoryHandle: async (name: string) => this.folder(`${path}/${name}`),
      getFileHandle: async (name: string) => this.file(`${path}/${name}`),
    };
  }

  file(path: string): unknown {
    const bytes = () => this.files.get(path) ?? new Uint8Array();
    return {
      getFile: async () => new Blob([bytes().slice()]),
      createSyncAccessHandle: async () => {
        if (this.locked.has(path)) throw new DOMException('locked', 'NoModificationAllowedError');
        this.locked.add(path);
        let closed = false;
        const live =
          <A extends unknown[], R>(act: (...args: A) => R) =>
          (...args: A): R => {
            if (closed) throw new DOMException('the file was already closed', 'InvalidStateError');
            return act(...args);
          };
        return {
          read: live((buffer: Uint8Array, {at}: {at: number}) => {
            const part = bytes().subarray(at, at + buffer.length);
            buffer.set(part);
            return part.length;
          }),
          write: live((data: Uint8Array, {at}: {at: number}) => {
            const wider = new Uint8Array(Math.max(bytes().length, at + data.length));
            wider.set(bytes());
            wider.set(data, at);
            this.files.set(path, wider);
            return data.length;
          }),
          getSize: live(() => bytes().length),
          truncate: live((size: number) => {
            const cut = new Uint8Array(size);
            cut.set(bytes().subarray(0, size));
            this.files.set(path, cut);
          }),
          flush: live(() => {}),
          close: () => {
            closed = true;
            this.locked.delete(path);
          },
        };
      },
    };
  }
}

function setUp(): Origin {
  const origin = new Origin();
  vi.stubGlobal('navigator', {storage: {getDirectory: async () => origin.folder('')}});
  return origin;
}

afterEach(() => vi.unstubAllGlobals());

describe('a disk', () => {
  const names = Array.from({length: 40}, (_, i) => `f${i}`);
  const bytes = (i: number): Uint8Array<ArrayBuffer> => Uint8Array.of(i, i + 1, i + 2);

  it('finishes files whose handles are let go of for others meanwhile', async () => {
    const origin = setUp();
    const disk = new OriginDisk('one');
    for (const [i, name] of names.entries()) await disk.write(name, 0, bytes(i), 3);
    // The last four are open; each other file that is read takes the place of one that is being finished.
    const finished = names.slice(-4).map((name) => disk.finish(name, 2));
    const read = names.slice(0, -4).map((name) => disk.read(name, 0, 3));
    const blobs = await Promise.all([...finished, ...names.slice(0, -4).map((name) => disk.finish(name, 2))]);
    expect(blobs.map((blob) => blob.size)).toEqual(names.map(() => 2));
    expect((await Promise.all(read)).map((data) => data[0])).toEqual(names.slice(0, -4).map((_, i) => i));
    expect(origin.locked.size).toBe(0);
  });

  it('holds a few files open, however many are asked for at once', async () => {
    const origin = setUp();
    const disk = new OriginDisk('one');
    let most = 0;
    await Promise.all(
      names.map(async (name, i) => {
        await disk.write(name, 0, bytes(i), 3);
        most = Math.max(most, origin.locked.size);
      }),
    );
    expect(most).toBeLessThanOrEqual(4);
    for (const [i, name] of names.entries()) expect([...(await disk.read(name, 0, 9))]).toEqual([...bytes(i)]);
  });

  it('that is closed while files are opened holds none of them', async () => {
    const origin = setUp();
    const disk = new OriginDisk('one');
    const writes = names.map((name, i) => disk.write(name, 0, bytes(i), 3));
    disk.close();
    const ends = await Promise.allSettled(writes);
    expect(ends.every(({status}) => status === 'rejected')).toBe(true);
    expect(origin.locked.size).toBe(0);
    await expect(disk.read('f0', 0, 1)).rejects.toThrow('cannot store');
  });
});
