/** Both engines against each other, over ways that are cut, and with disks that keep what they have. */

import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {window} from './credit.js';
import {MemoryDisk} from './disk.js';
import {type Bytes, chunkLength, chunkSize} from './frame.js';
import {HashTree, sha256} from './hash.js';
import type {FileInfo, Offer} from './message.js';
import {FakeWay, settle} from './pipe.fake.js';
import {noise, quickDigest, seeded} from './random.fake.js';
import {Receiver} from './receiver.js';
import {type End, Sender, type Source, SourceFault} from './sender.js';
import {Shelf} from './shelf.js';

beforeAll(() => void vi.spyOn(crypto.subtle, 'digest').mockImplementation(quickDigest));
afterAll(() => void vi.restoreAllMocks());

const content = (file: number, size: number): Bytes => noise(file + 1, size);

class FakeSource implements Source {
  reads = 0;
  hashes = 0;
  broken: SourceFault | null = null;
  constructor(readonly files: readonly Bytes[]) {}
  #data(file: number, chunk: number): Bytes {
    if (this.broken) throw this.broken;
    const all = this.files[file] as Bytes;
    return all.slice(chunk * chunkSize, chunk * chunkSize + chunkLength(all.length, chunk));
  }
  async read(file: number, chunk: number) {
    this.reads++;
    const data = this.#data(file, chunk);
    const hash = await sha256(data);
    return {data, hash};
  }
  async hash(file: number, chunk: number) {
    this.hashes++;
    return sha256(this.#data(file, chunk));
  }
}

/** A transfer over as many channels as it takes. */
class Scene {
  readonly infos: FileInfo[];
  readonly offer: Offer;
  readonly source: FakeSource;
  shelf: Shelf;
  readonly disk = new MemoryDisk();
  hashes: HashTree;
  out!: FakeWay;
  back!: FakeWay;
  sender!: Sender;
  receiver!: Receiver;
  ends: {sender?: End; receiver?: End} = {};
  verified = new Map<number, string>();
  carried = 0;

  constructor(readonly contents: Bytes[]) {
    this.infos = contents.map(({length}, i) => ({path: `f${i}`, size: length}));
    const total = contents.reduce((sum, {length}) => sum + length, 0);
    this.offer = {name: 'all', files: this.infos, total, again: false};
    this.source = new FakeSource(contents);
    this.shelf = new Shelf(this.infos, this.disk);
    this.hashes = new HashTree(this.infos);
  }

  /** Connects anew. */
  connect(): void {
    if (this.receiver) {
      this.carried += this.receiver.received;
      this.sender.stop();
      this.receiver.stop();
      this.out.cut = this.back.cut = true;
      this.offer.again = true;
    }
    [this.out, this.back] = [new FakeWay(), new FakeWay()];
    this.receiver = new Receiver(this.back.end, {
      offered: () => void this.shelf.have().then((have) => this.receiver.accept(this.shelf, have)),
      changed: () => {},
      verified: (file, hash) => void this.verified.set(file, hash),
      ended: (end) => {
        this.ends.receiver = end;
      },
    });
    this.sender = new Sender(this.offer, this.hashes, this.source, this.out.end, {
      changed: () => {},
      ended: (end) => {
        this.ends.sender = end;
      },
    });
    this.out.ear = this.receiver;
    this.back.ear = this.sender;
    this.sender.admit(true);
  }

  /** The receiver's page is loaded anew: only its disk is left. */
  async reload(): Promise<void> {
    this.shelf = new Shelf(this.infos, this.disk);
    await this.shelf.inspect();
  }

  /** Lets things happen until nothing does, or both ended. */
  async run(steps = Number.POSITIVE_INFINITY, burst = Number.POSITIVE_INFINITY): Promise<void> {
    for (let idle = 0, step = 0; idle < 2 && step < steps; step++) {
      const moved = this.out.pump(burst) + this.back.pump(burst);
      await settle();
      idle = moved > 0 ? 0 : idle + 1;
    }
  }

  async expectDone(): Promise<void> {
    expect(this.ends.sender).toEqual({how: 'done', reason: '', mine: false});
    expect(this.ends.receiver).toEqual({how: 'done', reason: '', mine: false});
    for (const [i, bytes] of this.contents.entries()) {
      const blob = await this.shelf.finish(i);
      expect(blob.size).toBe(bytes.length);
      expect(await quickDigest('', await blob.arrayBuffer())).toEqual(await quickDigest('', bytes));
    }
  }
}

const MiB = chunkSize;

describe('a transfer', () => {
  it.each([
    ['one byte', [1]],
    ['an empty file', [0]],
    ['exactly one chunk', [MiB]],
    ['a chunk and a byte', [MiB + 1]],
    ['several files, empty ones between', [0, 5, 0, 2 * MiB + 7, 0]],
  ])('of %s', async (_, sizes) => {
    const scene = new Scene(sizes.map((size, i) => content(i, size)));
    scene.connect();
    await scene.run();
    await scene.expectDone();
    expect([...scene.verified.keys()].sort()).toEqual(sizes.map((_, i) => i));
    expect(scene.receiver.received).toBe(scene.offer.total);
  });

  it('never has more on its way than the window', async () => {
    const scene = new Scene([content(0, 12 * MiB)]);
    scene.connect();
    scene.out.pump();
    await settle();
    scene.back.pump();
    for (let i = 0; i < 9; i++) await settle(); // nothing is confirmed meanwhile
    expect(scene.sender.sent).toBe(window);
    await scene.run();
    await scene.expectDone();
  });

  it('waits for its turn, and reads nothing before', async () => {
    const scene = new Scene([content(0, 3 * MiB)]);
    scene.connect();
    scene.sender.admit(false);
    await scene.run();
    expect([scene.sender.accepted, scene.source.reads, scene.sender.sent]).toEqual([true, 0, 0]);
    scene.sender.admit(true);
    await scene.run();
    await scene.expectDone();
  });

  it.each(['sender', 'receiver'] as const)('is paused by the %s, and goes on', async (who) => {
    const scene = new Scene([content(0, 20 * MiB)]);
    scene.connect();
    await scene.run(6, 12);
    scene[who].pause(true);
    await scene.run();
    const {received} = scene.receiver;
    expect(received).toBeLessThan(scene.offer.total);
    await scene.run();
    expect(scene.receiver.received).toBe(received);
    expect(scene[who === 'sender' ? 'receiver' : 'sender'].pausedThere).toBe(true);
    scene[who].pause(false);
    await scene.run();
    await scene.expectDone();
  });

  it.each(['sender', 'receiver'] as const)('is cancelled by the %s', async (who) => {
    const scene = new Scene([content(0, 6 * MiB)]);
    scene.connect();
    await scene.run(4, 20);
    scene[who].cancel('cancelled');
    await scene.run();
    const other = who === 'sender' ? 'receiver' : 'sender';
    expect(scene.ends[who]).toEqual({how: 'cancelled', reason: 'cancelled', mine: true});
    expect(scene.ends[other]).toEqual({how: 'cancelled', reason: 'cancelled', mine: false});
  });

  it('sends a damaged chunk once more, and gives up at the third', async () => {
    for (const [times, how] of [
      [2, 'done'],
      [3, 'cancelled'],
    ] as const) {
      const scene = new Scene([content(0, 2 * MiB)]);
      scene.connect();
      let left: number = times;
      scene.out.spoil = (frame) => {
        const view = new DataView(frame.buffer);
        if (frame[0] !== 1 || view.getUint32(8) !== 1 || view.getUint32(12) !== 0 || left === 0) return;
        left--;
        frame[20] = (frame[20] ?? 0) ^ 1;
      };
      await scene.run();
      expect(scene.ends.sender?.how).toBe(how);
      expect(scene.ends.receiver).toMatchObject({how, reason: how === 'done' ? '' : 'corrupt'});
    }
  });

  it.each(['gone', 'changed'] as const)('tells when the source is %s', async (reason) => {
    const scene = new Scene([content(0, 4 * MiB)]);
    scene.connect();
    scene.source.broken = new SourceFault(reason);
    await scene.run();
    expect(scene.ends.sender).toEqual({how: 'cancelled', reason, mine: true});
    expect(scene.ends.receiver).toEqual({how: 'cancelled', reason, mine: false});
  });

  it('notices that the sender offers another file of the same size', async () => {
    const scene = new Scene([content(0, 4 * MiB)]);
    scene.connect();
    await scene.run(8, 20);
    expect(scene.receiver.stored).toBeGreaterThan(0);
    scene.source.files[0]?.fill(7);
    scene.hashes = new HashTree(scene.infos); // the sender's page was loaded anew
    scene.connect();
    await scene.run();
    expect(scene.ends.sender).toEqual({how: 'cancelled', reason: 'changed', mine: true});
  });
});

describe('a transfer that is cut', () => {
  it.each(Array.from({length: 25}, (_, seed) => [seed]))('goes on where it was (seed %i)', async (seed) => {
    const random = seeded(seed);
    const sizes = Array.from({length: 1 + random(4)}, () => random(4) * MiB + random(1000));
    const scene = new Scene(sizes.map((size, i) => content(i, size)));
    scene.connect();
    let cuts = 0;
    for (; cuts < 30 && !scene.ends.sender; cuts++) {
      await scene.run(1 + random(6), 1 + random(40));
      if (scene.ends.sender) break;
      const loaded = random(3);
      scene.connect();
      if (loaded === 0) await scene.reload();
      if (loaded === 1) scene.hashes = new HashTree(scene.infos);
    }
    while (!scene.ends.sender) {
      await scene.run();
      if (!scene.ends.sender) scene.connect();
    }
    scene.carried += scene.receiver.received;
    scene.ends.receiver ??= {how: 'done', reason: '', mine: false};
    await scene.expectDone();
    // Each cut repeats what was on the way at most.
    expect(scene.carried - scene.offer.total).toBeLessThanOrEqual(cuts * (window + MiB));
  });

  it('sends nothing again that was stored, whoever was loaded anew', async () => {
    const scene = new Scene([content(0, 9 * MiB)]);
    scene.connect();
    await scene.run(20, 20);
    const {stored} = scene.receiver;
    expect(stored).toBeGreaterThan(2 * MiB);
    await scene.reload();
    scene.hashes = new HashTree(scene.infos);
    scene.connect();
    await scene.run();
    await scene.expectDone();
    expect(scene.receiver.received).toBe(scene.offer.total - stored);
    expect(scene.source.hashes).toBe(stored / MiB);
  });

  it('does not trust its own disk: what a crash damaged is fetched again', async () => {
    const scene = new Scene([content(0, 3 * MiB)]);
    scene.connect();
    await scene.run(30, 20);
    const {stored} = scene.receiver;
    expect(stored).toBeGreaterThan(MiB);
    scene.disk.write('f0', 100, Uint8Array.from([1, 2, 3]));
    await scene.reload();
    scene.connect();
    await scene.run();
    await scene.expectDone();
    expect(scene.receiver.received).toBe(scene.offer.total - stored + MiB);
  });
});
