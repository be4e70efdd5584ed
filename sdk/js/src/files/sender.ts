import {Credit} from './credit.js';
import {type Bytes, chunkCount, chunkFrames, chunkLength} from './frame.js';
import type {HashTree} from './hash.js';
import {
  type CancelReason,
  type Have,
  maxPauses,
  type Offer,
  offerTexts,
  type RefuseReason,
  readFromReceiver,
  textOf,
} from './message.js';
import {highWater, type Pipe} from './pipe.js';
import {Ranges} from './ranges.js';

/** What a sender asks of the files it sends. Both reject with a {@link SourceFault}. */
export interface Source {
  /** A chunk, which is the caller's from then on, and its hash. */
  read(file: number, chunk: number): Promise<{data: Bytes; hash: Bytes}>;
  /** Only the hash. */
  hash(file: number, chunk: number): Promise<Bytes>;
}

/** Why a file cannot be read any more. */
export class SourceFault extends Error {
  constructor(readonly reason: CancelReason) {
    super(`files: the source is unreadable: ${reason}`);
  }
}

/** How a transfer ended. `mine` says that this side ended it. */
export interface End {
  how: 'done' | 'refused' | 'cancelled';
  reason: RefuseReason | CancelReason | 'unanswered' | '';
  mine: boolean;
}

export interface SenderPort {
  /** Accepted, paused or confirmed further. */
  changed(): void;
  /** Nothing follows; the channel may be closed. */
  ended(end: End): void;
}

type Task = {kind: 'prove' | 'done'; file: number} | {kind: 'chunk'; file: number; chunk: number; data: Data};
type Data = ReturnType<Source['read']>;

/** How many chunks are read in advance. */
const readAhead = 3;
/** How often a chunk is sent once more: the third wrong one ends it at the receiver. */
const maxAgain = 2;
/** How many chunks are hashed at the same time when a file is recognised. */
const hashers = 4;

/**
 * The sending side of one channel. It offers, waits to be accepted and admitted, and sends what the other side lacks.
 * It owns no timer; whoever made it says when the channel is gone by dropping it with `stop`.
 */
export class Sender {
  /** The chunks that are stored on the other side. */
  readonly held: Ranges[];
  /** Bytes of these. */
  confirmed = 0;
  /** Bytes of chunks that went through this channel. */
  sent = 0;
  #phase: 'offered' | 'accepted' | 'over' = 'offered';
  #admitted = false;
  #pausedHere = false;
  #pausedThere = false;
  #pauses = 0;
  readonly #proofs = new Map<number, Have>();
  readonly #credit = new Credit();
  readonly #told = new Set<number>(); // files whose hash was told
  readonly #verified = new Set<number>();
  readonly #again: Task[] = [];
  readonly #tries = new Map<string, number>();
  readonly #ahead: Task[] = [];
  #tasks: Generator<Task> | null = null;
  #wake: () => void = () => {};

  constructor(
    readonly offer: Offer,
    readonly hashes: HashTree,
    readonly source: Source,
    readonly pipe: Pipe,
    readonly port: SenderPort,
  ) {
    this.held = offer.files.map(() => new Ranges());
    for (const text of offerTexts(offer)) pipe.text(text);
  }

  get accepted(): boolean {
    return this.#phase === 'accepted';
  }
  get pausedThere(): boolean {
    return this.#pausedThere;
  }
  /** Whether a file has arrived whole. */
  verified(file: number): boolean {
    return this.#verified.has(file);
  }

  /** Lets data flow, or holds it until others are done. */
  admit(on: boolean): void {
    this.#admitted = on;
    this.#wake();
  }

  pause(on: boolean): void {
    if (on === this.#pausedHere) return;
    this.#pausedHere = on;
    this.#say({type: on ? 'pause' : 'resume'});
    this.#wake();
  }

  cancel(reason: CancelReason): void {
    if (this.#phase === 'over') return;
    this.#say({type: 'cancel', reason});
    this.#end({how: 'cancelled', reason, mine: true});
  }

  /** The channel is gone: nothing more happens. */
  stop(): void {
    this.#phase = 'over';
    this.#wake();
  }

  /** Binary frames go the other way. */
  binary(): void {
    this.cancel('fault');
  }

  text(text: string): void {
    if (this.#phase === 'over') return;
    const message = readFromReceiver(text, this.offer.files);
    if (message === 'unknown') return;
    if (message === 'bad') {
      this.cancel('fault');
      return;
    }
    switch (message.type) {
      case 'held':
        if (!this.#holds(message.have)) this.cancel('fault');
        return;
      case 'accept':
        if (this.#holds(message.have)) this.#accepted();
        else this.cancel('fault');
        return;
      case 'refuse':
        if (this.#phase === 'offered') this.#end({how: 'refused', reason: message.reason, mine: false});
        else this.cancel('fault');
        return;
      case 'cancel':
        this.#end({how: 'cancelled', reason: message.reason, mine: false});
        return;
      case 'pause':
      case 'resume':
        this.#pausedThere = message.type === 'pause';
        if (++this.#pauses <= maxPauses) break;
        this.cancel('fault');
        return;
      case 'have':
        if (!this.#credit.give(message.file, message.chunk)) {
          this.cancel('fault');
          return;
        }
        this.#confirm(message.file, message.chunk);
        break;
      case 'again':
        if (!this.#repeat(message.file, message.chunk)) {
          this.cancel('fault');
          return;
        }
        break;
      case 'verified':
        void this.#whole(message.file, message.hash);
        return;
    }
    this.#wake();
    this.port.changed();
  }

  /** Notes what the other side holds. False when it cannot be: each file has one say. */
  #holds(have: readonly Have[]): boolean {
    if (this.#phase !== 'offered') return false;
    for (const one of have) {
      if (this.#proofs.has(one.file)) return false;
      this.#proofs.set(one.file, one);
    }
    return true;
  }

  #accepted(): void {
    for (const {file, ranges} of this.#proofs.values()) {
      for (const chunk of ranges) this.#confirm(file, chunk);
    }
    this.#phase = 'accepted';
    this.#tasks = this.#plan();
    this.port.changed();
    void this.#run();
  }

  #confirm(file: number, chunk: number): void {
    this.held[file]?.add(chunk);
    this.confirmed += chunkLength(this.#size(file), chunk);
  }

  /** Sends a chunk once more. Returns false when it was not on the way, or too often. */
  #repeat(file: number, chunk: number): boolean {
    const key = `${file} ${chunk}`;
    const tries = (this.#tries.get(key) ?? 0) + 1;
    this.#tries.set(key, tries);
    if (tries > maxAgain || !this.#credit.give(file, chunk)) return false;
    this.#again.push({kind: 'chunk', file, chunk, data: this.#read(file, chunk)});
    return true;
  }

  /** What there is to do, file by file. */
  *#plan(): Generator<Task> {
    for (const [file, {size}] of this.offer.files.entries()) {
      if (this.#proofs.has(file)) yield {kind: 'prove', file};
      const held = this.#proofs.get(file)?.ranges ?? new Ranges();
      for (let chunk = held.gap(0); chunk < chunkCount(size); chunk = held.gap(chunk + 1)) {
        yield {kind: 'chunk', file, chunk, data: this.#read(file, chunk)};
      }
      yield {kind: 'done', file};
    }
  }

  #read(file: number, chunk: number): Data {
    const data = this.source.read(file, chunk);
    data.catch(() => {}); // told when its turn comes
    return data;
  }

  async #run(): Promise<void> {
    try {
      while (this.#phase === 'accepted') {
        // Nothing is read for those who have to wait their turn.
        if (!this.#admitted) await this.#woken();
        else await this.#step();
      }
    } catch (error) {
      this.cancel(error instanceof SourceFault ? error.reason : 'fault');
    }
  }

  async #step(): Promise<void> {
    while (this.#ahead.length < readAhead) {
      const next = this.#tasks?.next();
      if (!next || next.done) break;
      this.#ahead.push(next.value);
    }
    const task = this.#again.shift() ?? this.#ahead.shift();
    if (!task) await this.#woken();
    else if (task.kind === 'chunk') await this.#send(task);
    else if (task.kind === 'prove') await this.#prove(task.file);
    else await this.#finish(task.file);
  }

  async #send({file, chunk, data: reading}: Task & {kind: 'chunk'}): Promise<void> {
    const size = chunkLength(this.#size(file), chunk);
    while (this.#phase === 'accepted' && !this.#credit.allows(size)) await this.#woken();
    const {data, hash} = await reading;
    if (this.#phase !== 'accepted') return;
    this.hashes.file(file).set(chunk, hash);
    this.#credit.take(file, chunk, size);
    for (const frame of chunkFrames(file, chunk, data, hash)) {
      while (this.#phase === 'accepted' && this.#held) await this.#woken();
      if (this.pipe.buffered > highWater) await this.pipe.drained();
      if (this.#phase !== 'accepted') return;
      this.pipe.binary(frame);
    }
    this.sent += size;
  }

  /** Checks that the other side means the same file, by what it holds of it. */
  async #prove(file: number): Promise<void> {
    const {ranges, digest} = this.#proofs.get(file) as Have;
    const hashes = this.hashes.file(file);
    const missing = [...ranges].filter((chunk) => !hashes.has(chunk));
    const hash = async (): Promise<void> => {
      for (let chunk = missing.pop(); chunk !== undefined; chunk = missing.pop()) {
        if (this.#phase !== 'accepted') return;
        hashes.set(chunk, await this.source.hash(file, chunk));
      }
    };
    await Promise.all(Array.from({length: hashers}, hash));
    if (this.#phase === 'accepted' && (await hashes.digest(ranges)) !== digest) this.cancel('changed');
  }

  async #finish(file: number): Promise<void> {
    const hash = await this.hashes.file(file).root();
    if (this.#phase !== 'accepted') return;
    this.#told.add(file);
    this.#say({type: 'done', file, hash});
  }

  async #whole(file: number, hash: string): Promise<void> {
    if (!this.#told.has(file) || this.#verified.has(file)) {
      this.cancel('fault');
      return;
    }
    this.#verified.add(file);
    if ((await this.hashes.file(file).root()) !== hash) {
      this.cancel('corrupt');
      return;
    }
    if (this.#verified.size === this.offer.files.length) this.#end({how: 'done', reason: '', mine: false});
    else this.port.changed();
  }

  get #held(): boolean {
    return this.#pausedHere || this.#pausedThere || !this.#admitted;
  }

  #size(file: number): number {
    return this.offer.files[file]?.size ?? 0;
  }

  #say(message: Parameters<typeof textOf>[0]): void {
    this.pipe.text(textOf(message));
  }

  #end(end: End): void {
    if (this.#phase === 'over') return;
    this.stop();
    this.port.ended(end);
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
