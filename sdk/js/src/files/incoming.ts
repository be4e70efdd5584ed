import type {Transfer} from './api.js';
import {memoryLimit} from './disk.js';
import type {Bytes} from './frame.js';
import type {Have} from './message.js';
import {type Record as Description, Moving, type MovingPort} from './moving.js';
import {Ranges} from './ranges.js';
import {type Keep, KeepFault, type Receiver} from './receiver.js';
import type {End} from './sender.js';
import {Store, type Workshop} from './workshop.js';

/**
 * How long a download that has begun is given until what it reads is thrown away: so much, and a second for so many bytes,
 * on a slow disk.
 */
const [downloadMs, bytesPerSecond] = [60_000, 5_000_000];

/** When the space of a transfer may be freed whose download began then, in milliseconds since 1970. */
export function freeAt({total, done}: Pick<Description, 'total' | 'done'>): number {
  if (done?.savedAt === undefined) return Number.POSITIVE_INFINITY;
  return done.savedAt + downloadMs + (total / bytesPerSecond) * 1000;
}

export interface IncomingPort extends MovingPort {
  /** Bytes that were promised to others and have not arrived yet. */
  promised(except: Incoming): number;
  /** Space was freed. */
  freed(): void;
  /** All of it is verified, and can be given to the person. */
  received(transfer: Incoming): void;
}

/** Files that one person sends to us. */
export class Incoming extends Moving {
  readonly direction = 'in';
  readonly #blobs: (Blob | null)[];
  #receiver: Receiver | null = null;
  #hangUp: (later?: boolean) => void = () => {};
  #store: Store | null = null;
  #before = 0;
  #stored = 0;
  #noted: Promise<void> = Promise.resolve();
  #savedAt = 0;
  /** Files that are given to the person's side of things. */
  #finishing = 0;

  constructor(
    record: Description,
    override readonly port: IncomingPort,
    readonly workshop: Workshop,
    /** It was accepted before a reload, and lies in the browser's storage. */
    kept: boolean,
  ) {
    super(record, port, kept ? 'checking' : 'offered');
    this.#blobs = record.files.map(() => null);
    if (kept) void this.#reopen();
  }

  get bytes(): number {
    return this.state === 'done' ? this.total : this.#receiver?.stored || this.#stored;
  }
  get carried(): number {
    return this.#before + (this.#receiver?.received ?? 0);
  }
  get pausedBy(): Transfer['pausedBy'] {
    return this.pausedHere ? 'me' : this.#receiver?.pausedThere ? 'them' : 'nobody';
  }
  get connected(): boolean {
    return this.#receiver !== null;
  }
  get accepted(): boolean {
    return this.#store !== null;
  }

  /** Takes the channel on which it is offered, for the first time or again. */
  connect(receiver: Receiver, seat: string, person: string, hangUp: (later?: boolean) => void): void {
    this.#drop();
    this.#receiver = receiver;
    this.#hangUp = hangUp;
    Object.assign(this.record, {seat, person});
    if (this.#store && this.state !== 'checking') void this.#resume();
    else this.port.changed(this);
  }

  /** Bytes that have yet to be stored, of what was accepted. */
  get owed(): number {
    return this.over || !this.accepted ? 0 : this.total - this.bytes;
  }

  /**
   * Finds out whether there is room for it. `really`: by making the room, for what browsers say of it is made up; not
   * for everybody who offers something, since that may take memory for a moment.
   */
  async measure(really = false): Promise<void> {
    const before = this.obstacle;
    if (!globalThis.crypto?.subtle) this.obstacle = 'no-storage';
    else if (!(await this.workshop.works())) this.obstacle = this.total > memoryLimit ? 'too-large' : null;
    else {
      const estimate = (await navigator.storage.estimate?.().catch(() => null)) ?? {};
      const {quota, usage = 0} = estimate as StorageEstimate;
      const bytes = this.total + this.port.promised(this);
      const fits = quota === undefined || bytes <= quota - usage;
      this.obstacle = fits && (!really || (await this.workshop.call('fits', {bytes}))) ? null : 'no-space';
    }
    if (this.obstacle !== before) this.port.changed(this);
  }

  /** Takes the offer; see Files.accept. */
  async accept(): Promise<void> {
    if (this.state !== 'offered') return;
    this.become('checking');
    await this.measure(true);
    if (this.over) return;
    if (this.obstacle) {
      this.become('offered');
      throw Object.assign(new Error(`files: cannot take ${this.total} bytes: ${this.obstacle}`), {code: this.obstacle});
    }
    try {
      const store = new Store(this.workshop, this.id, this.record.files, !(await this.workshop.works()));
      await store.open(false);
      await store.describe(this.record);
      this.#store = store;
    } catch {
      this.#receiver?.cancel('no-space');
      return;
    }
    if (!this.over) await this.#resume();
  }

  refuse(): void {
    if (this.state !== 'offered') return;
    if (this.#receiver) this.#receiver.refuse('declined');
    else this.#ended({how: 'refused', reason: 'declined', mine: true});
  }

  pause(on: boolean): void {
    this.pausedHere = on;
    this.#receiver?.pause(on);
    this.look();
    this.port.changed(this);
  }

  cancel(): void {
    if (this.over) return;
    if (this.state === 'offered') this.refuse();
    else if (this.#receiver) this.#receiver.cancel('cancelled');
    else this.#ended({how: 'cancelled', reason: 'cancelled', mine: true});
  }

  disconnect(): void {
    this.#drop();
    if (!this.over && this.state !== 'checking') this.become(this.#store ? 'waiting' : 'offered');
  }

  /** A file that is verified. */
  content(file: number): Blob | null {
    return this.#blobs[file] ?? null;
  }

  /** Throws away what is stored. */
  forget(): void {
    void this.#store
      ?.forget()
      .then(() => this.port.freed())
      .catch(() => {});
    this.#store = null;
    this.#blobs.fill(null);
  }

  /** The person has its files, or will have them when a download is through that has `begun`. */
  save(begun: boolean): void {
    if (this.state !== 'done') return;
    this.saved = true;
    this.#savedAt = Date.now();
    if (this.record.done) this.record.done.savedAt = this.#savedAt;
    if (begun) void this.#store?.describe(this.record).catch(() => {});
    else this.#free();
    this.port.changed(this);
  }

  override tick(now: number): void {
    super.tick(now);
    if (this.state !== 'done' || this.freed || Date.now() < freeAt(this.record)) return;
    this.#free();
    this.port.changed(this);
  }

  #free(): void {
    this.freed = true;
    void this.#noted.finally(() => this.forget());
  }

  /** Reads the state off the engine. */
  look(): void {
    if (!this.#receiver || !this.#store || this.over || this.state === 'checking' || this.state === 'offered') return;
    const state = this.pausedBy === 'nobody' ? 'moving' : 'paused';
    if (state !== this.state) this.become(state);
  }

  /** A file is whole. */
  verified(file: number, hash: string): void {
    if (this.#blobs[file] || this.state === 'done') return;
    const one = this.files[file];
    if (one) one.hash = hash;
    this.#finishing++;
    this.#store?.finish(file).then(
      (blob) => {
        this.#blobs[file] = blob;
        this.#finishing--;
        this.#deliver();
      },
      () => this.#ended({how: 'cancelled', reason: 'fault', mine: true}),
    );
    this.port.changed(this);
  }

  /** The channel that this receiver listened to is gone. */
  lost(receiver: Receiver): void {
    if (receiver === this.#receiver && !this.over) this.disconnect();
  }

  /** The engine says that it is over. */
  ended(end: End): void {
    this.#ended(end);
  }

  async #resume(): Promise<void> {
    const receiver = this.#receiver;
    if (this.state === 'done') {
      // The last word was lost with the channel: the sender hears it again.
      const have = this.record.done?.have.map((one) => ({...one, ranges: new Ranges(one.ranges)}));
      if (have) receiver?.accept(new Remembered(this.files), have);
      return;
    }
    const store = this.#store;
    if (!store) return;
    let have: Have[];
    try {
      have = await store.have();
    } catch {
      receiver?.cancel('fault');
      return;
    }
    if (receiver !== this.#receiver || this.over) return;
    this.state = receiver ? 'moving' : 'waiting';
    receiver?.accept(store, have, true);
    receiver?.pause(this.pausedHere);
    if (receiver) this.flows();
    this.look();
    this.port.changed(this);
  }

  /** Looks at what was stored before the reload. */
  async #reopen(): Promise<void> {
    const store = new Store(this.workshop, this.id, this.record.files, false);
    const {done} = this.record;
    try {
      await store.open(!done);
      if (!done) await this.#inspect(store);
      if (this.over) return;
      this.#store = store;
      if (done || this.#stored === this.total) {
        await this.#whole(store, done?.hashes);
        return;
      }
    } catch {
      this.forget();
      this.#ended({how: 'cancelled', reason: 'fault', mine: true});
      return;
    }
    await this.#resume();
  }

  async #inspect(store: Store): Promise<void> {
    const length = 1 << 20;
    for (const {file, ranges} of await store.have()) {
      const size = this.record.files[file]?.size ?? 0;
      for (const [from, to] of ranges.list) this.#stored += Math.min(to * length, size) - from * length;
    }
  }

  /** All of it was there before the reload: the person gets it, if they have not had it. */
  async #whole(store: Store, hashes?: readonly string[]): Promise<void> {
    for (const [i, file] of this.files.entries()) {
      file.hash = hashes?.[i] ?? (await store.root(i));
      this.#blobs[i] = await store.finish(i);
    }
    this.saved = this.record.done?.savedAt !== undefined;
    this.state = 'done';
    if (!hashes) await this.#noteDone(store);
    this.port.changed(this);
    this.#deliver();
    if (this.#receiver) await this.#resume();
  }

  /** Writes down that it is through, so that a reload does not wait for a sender who has nothing left to say. */
  async #noteDone(store: Store): Promise<void> {
    const have = await store.have();
    const hashes = this.files.map(({hash}) => hash ?? '');
    this.record.done = {hashes, have: have.map((one) => ({...one, ranges: [...one.ranges.list]}))};
    if (this.saved) this.record.done.savedAt = this.#savedAt;
    if (!this.freed) await store.describe(this.record);
  }

  #drop(): void {
    this.#before = this.carried;
    this.#stored = this.#receiver?.stored || this.#stored;
    this.#receiver?.stop();
    this.#receiver = null;
    this.#hangUp();
    this.#hangUp = () => {};
  }

  #ended(end: End): void {
    const hangUp = this.#hangUp;
    this.#hangUp = () => {};
    this.#before = this.carried;
    this.#stored = this.#receiver?.stored || this.#stored;
    this.#receiver = null;
    // The sender hangs up once it has heard that all is verified.
    hangUp(end.mine || end.how === 'done');
    if (this.over) return; // it was heard before
    if (end.how !== 'done') this.forget();
    else if (this.#store) this.#noted = this.#noteDone(this.#store).catch(() => {});
    this.finish(end);
    this.#deliver();
  }

  #deliver(): void {
    if (this.state === 'done' && this.#finishing === 0) this.port.received(this);
  }
}

/** Stands for the data of files that are all here, or were. */
class Remembered implements Keep {
  constructor(readonly files: readonly {hash: string | null}[]) {}

  room(length: number): Bytes {
    return new Uint8Array(length);
  }

  async put(): Promise<boolean> {
    throw new KeepFault('fault'); // nothing is missing
  }

  async root(file: number): Promise<string> {
    return this.files[file]?.hash ?? '';
  }
}
