import type {Transfer} from './api.js';
import {memoryLimit} from './disk.js';
import type {Have} from './message.js';
import {type Record as Description, Moving, type MovingPort} from './moving.js';
import type {Receiver} from './receiver.js';
import type {End} from './sender.js';
import {Store, type Workshop} from './workshop.js';

export interface IncomingPort extends MovingPort {
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

  /** Finds out whether there is room for it. */
  async measure(): Promise<void> {
    const before = this.obstacle;
    if (!globalThis.crypto?.subtle) this.obstacle = 'no-storage';
    else if (!(await this.workshop.works())) this.obstacle = this.total > memoryLimit ? 'too-large' : null;
    else {
      const estimate = (await navigator.storage.estimate?.().catch(() => null)) ?? {};
      const {quota, usage = 0} = estimate as StorageEstimate;
      this.obstacle = quota !== undefined && this.total > quota - usage ? 'no-space' : null;
    }
    if (this.obstacle !== before) this.port.changed(this);
  }

  /** Takes the offer; see Files.accept. */
  async accept(): Promise<void> {
    if (this.state !== 'offered') return;
    this.become('checking');
    await this.measure();
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
    void this.#store?.forget().catch(() => {});
    this.#store = null;
    this.#blobs.fill(null);
  }

  /** Reads the state off the engine. */
  look(): void {
    if (!this.#receiver || !this.#store || this.over || this.state === 'checking' || this.state === 'offered') return;
    const state = this.pausedBy === 'nobody' ? 'moving' : 'paused';
    if (state !== this.state) this.become(state);
  }

  /** A file is whole. */
  verified(file: number, hash: string): void {
    if (this.#blobs[file]) return;
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
    const store = this.#store;
    if (!store) return;
    let have: Have[];
    try {
      have = await store.have();
    } catch {
      receiver?.cancel('fault');
      return;
    }
    if (receiver !== this.#receiver) return;
    if (this.over) {
      // The last word was lost with the channel: the sender hears it again.
      if (this.state === 'done') receiver?.accept(store, have);
      return;
    }
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
    try {
      await store.open(true);
      const have = await store.have();
      const length = 1 << 20;
      for (const {file, ranges} of have) {
        const size = this.record.files[file]?.size ?? 0;
        for (const [from, to] of ranges.list) this.#stored += Math.min(to * length, size) - from * length;
      }
    } catch {
      this.forget();
      this.#ended({how: 'cancelled', reason: 'fault', mine: true});
      return;
    }
    if (this.over) return;
    this.#store = store;
    await this.#resume();
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
    this.finish(end);
    this.#deliver();
  }

  #deliver(): void {
    if (this.state === 'done' && this.#finishing === 0) this.port.received(this);
  }
}
