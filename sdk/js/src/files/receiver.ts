import {Credit, window} from './credit.js';
import {type Bytes, chunkCount, chunkLength, chunkSize, type Frame, readFrame} from './frame.js';
import {
  acceptTexts,
  type CancelReason,
  type FileInfo,
  type FromReceiver,
  type Have,
  isSound,
  maxFiles,
  maxOffer,
  maxPauses,
  type Offer,
  type RefuseReason,
  readFromSender,
  sizeOf,
  textOf,
} from './message.js';
import type {Pipe} from './pipe.js';
import {Ranges} from './ranges.js';
import type {End} from './sender.js';

/** Where chunks go. */
export interface Keep {
  /** Memory for a chunk, with anything in it; it comes back to `put`. */
  room(length: number): Bytes;
  /** Stores a chunk if its hash is this one; false when it is not. Takes `data` over. Rejects with a {@link KeepFault}. */
  put(file: number, chunk: number, data: Bytes, hash: Bytes): Promise<boolean>;
  /** The hash of a file that is there whole. */
  root(file: number): Promise<string>;
}

/** Why nothing can be stored. */
export class KeepFault extends Error {
  constructor(readonly reason: 'no-space' | 'fault') {
    super(`files: cannot store: ${reason}`);
  }
}

export interface ReceiverPort {
  /** The whole offer is here, and sound. */
  offered(offer: Offer): void;
  /** Paused, or more is stored. */
  changed(): void;
  /** A file is whole; its hash is the sender's. */
  verified(file: number, hash: string): void;
  /** Nothing follows; the channel may be closed, but after `done` the sender does it, who has yet to hear of it. */
  ended(end: End): void;
}

/** How often a chunk whose hash differs is asked for, the first time included. */
const maxTries = 3;

/** The receiving side of one channel. It trusts nothing that comes: what does not fit ends the transfer, and only that. */
export class Receiver {
  /** The chunks that are stored. */
  held: Ranges[] = [];
  /** Bytes of these. */
  stored = 0;
  /** Bytes of data that came through this channel. */
  received = 0;
  #phase: 'opening' | 'offered' | 'accepted' | 'over' = 'opening';
  #offer: (Offer & {count: number}) | null = null;
  #keep: Keep | null = null;
  #pausedThere = false;
  #pausedHere = false;
  #pauses = 0;
  #described = 0; // bytes of text that the offer took so far
  #open: {file: number; chunk: number; data: Bytes; at: number} | null = null;
  readonly #credit = new Credit();
  readonly #tries = new Map<string, number>();
  readonly #claims = new Map<number, string>();
  readonly #verified = new Set<number>();

  constructor(
    readonly pipe: Pipe,
    readonly port: ReceiverPort,
  ) {}

  get pausedThere(): boolean {
    return this.#pausedThere;
  }

  /** The whole offer was heard. */
  get offered(): boolean {
    return this.#phase !== 'opening';
  }

  /** Takes what is offered, but for what is held already. `bulk`: rather by a link for bulk. */
  accept(keep: Keep, have: readonly Have[], bulk = false): void {
    if (this.#phase !== 'offered') return;
    this.#phase = 'accepted';
    this.#keep = keep;
    for (const {file, ranges} of have) {
      for (const chunk of ranges) this.#store(file, chunk);
    }
    for (const text of acceptTexts(have, bulk)) this.pipe.text(text);
    if (this.#pausedHere) this.#say({type: 'pause'});
    this.port.changed();
  }

  refuse(reason: RefuseReason): void {
    if (this.#phase !== 'opening' && this.#phase !== 'offered') return;
    this.#say({type: 'refuse', reason});
    this.#end({how: 'refused', reason, mine: true});
  }

  cancel(reason: CancelReason): void {
    if (this.#phase === 'over') return;
    this.#say({type: 'cancel', reason});
    this.#end({how: 'cancelled', reason, mine: true});
  }

  pause(on: boolean): void {
    if (on === this.#pausedHere) return;
    this.#pausedHere = on;
    if (this.#phase === 'accepted') this.#say({type: on ? 'pause' : 'resume'});
  }

  /** The channel is gone: nothing more happens. */
  stop(): void {
    this.#phase = 'over';
    this.#open = null;
  }

  text(text: string): void {
    if (this.#phase === 'over') return;
    const message = readFromSender(text);
    if (message === 'unknown') return;
    if (message === 'bad') {
      this.#misfit();
      return;
    }
    switch (message.type) {
      case 'offer':
        if (this.#offer) {
          this.#misfit();
          return;
        }
        this.#offer = {...message, files: []};
        this.#list(message.files, text);
        return;
      case 'more':
        this.#list(message.files, text);
        return;
      case 'done':
        this.#claim(message.file, message.hash);
        return;
      case 'cancel':
        this.#end({how: 'cancelled', reason: message.reason, mine: false});
        return;
      default:
        if (++this.#pauses > maxPauses) {
          this.#misfit();
          return;
        }
        this.#pausedThere = message.type === 'pause';
        this.port.changed();
    }
  }

  binary(message: ArrayBuffer): void {
    if (this.#phase === 'over') return;
    const frame = readFrame(message);
    const info = frame && this.#offer?.files[frame.file];
    if (this.#phase !== 'accepted' || !info || frame.chunk >= chunkCount(info.size)) {
      this.#misfit();
      return;
    }
    const fits = frame.kind === 'data' ? this.#data(frame, info) : this.#hash(frame);
    if (!fits) this.#misfit();
  }

  /** Takes a part of the list of files, and tells of the offer when it is whole. */
  #list(files: readonly FileInfo[], text: string): void {
    const offer = this.#offer;
    if (!offer || this.#phase !== 'opening') {
      this.#misfit();
      return;
    }
    offer.files.push(...files);
    this.#described += sizeOf(text);
    const tooMany = offer.count > maxFiles || offer.files.length > offer.count || this.#described > maxOffer;
    const whole = offer.files.length === offer.count;
    if (files.length === 0 || tooMany || (whole && !isSound(offer))) this.refuse('bad-offer');
    if (!whole || this.#phase !== 'opening') return;
    this.held = offer.files.map(() => new Ranges());
    this.#phase = 'offered';
    const {name, total, again} = offer;
    this.port.offered({name, files: offer.files, total, again});
  }

  #data({file, chunk, offset, payload}: Frame, {size}: FileInfo): boolean {
    const length = chunkLength(size, chunk);
    if (!this.#open) {
      if (this.held[file]?.has(chunk) || this.#credit.has(file, chunk)) return false;
      this.#credit.take(file, chunk, length);
      if (this.#credit.bytes > window + chunkSize) return false;
      this.#open = {file, chunk, data: (this.#keep as Keep).room(length), at: 0};
    }
    const open = this.#open;
    if (open.file !== file || open.chunk !== chunk || open.at !== offset || offset + payload.length > length)
      return false;
    open.data.set(payload, offset);
    open.at += payload.length;
    this.received += payload.length;
    return true;
  }

  #hash({file, chunk, offset, payload}: Frame): boolean {
    const open = this.#open;
    if (!open || open.file !== file || open.chunk !== chunk || open.at !== open.data.length || offset !== 0)
      return false;
    this.#open = null;
    (this.#keep as Keep).put(file, chunk, open.data, payload.slice()).then(
      (stored) => this.#judged(file, chunk, stored),
      (error) => this.cancel(error instanceof KeepFault ? error.reason : 'fault'),
    );
    return true;
  }

  #judged(file: number, chunk: number, stored: boolean): void {
    if (this.#phase !== 'accepted') return;
    this.#credit.give(file, chunk);
    if (stored) {
      this.#store(file, chunk);
      this.#say({type: 'have', file, chunk});
      this.port.changed();
      void this.#compare(file);
      return;
    }
    const key = `${file} ${chunk}`;
    const tries = (this.#tries.get(key) ?? 0) + 1;
    this.#tries.set(key, tries);
    if (tries >= maxTries) this.cancel('corrupt');
    else this.#say({type: 'again', file, chunk});
  }

  #store(file: number, chunk: number): void {
    this.held[file]?.add(chunk);
    this.stored += chunkLength(this.#offer?.files[file]?.size ?? 0, chunk);
  }

  #claim(file: number, hash: string): void {
    if (this.#phase !== 'accepted' || !this.#offer?.files[file] || this.#claims.has(file)) {
      this.#misfit();
      return;
    }
    this.#claims.set(file, hash);
    void this.#compare(file);
  }

  /** Compares the hash of a file with the sender's, once it is there whole and the sender has told it. */
  async #compare(file: number): Promise<void> {
    const claim = this.#claims.get(file);
    const count = chunkCount(this.#offer?.files[file]?.size ?? 0);
    if (!claim || this.#verified.has(file) || this.held[file]?.count !== count) return;
    this.#verified.add(file);
    try {
      const root = await (this.#keep as Keep).root(file);
      if (this.#phase !== 'accepted') return;
      if (root !== claim) {
        this.cancel('corrupt');
        return;
      }
    } catch {
      this.cancel('fault');
      return;
    }
    this.#say({type: 'verified', file, hash: claim});
    this.port.verified(file, claim);
    this.#complete();
  }

  #whole = 0;
  #complete(): void {
    if (++this.#whole === this.#offer?.files.length) this.#end({how: 'done', reason: '', mine: false});
  }

  /** Something came that does not fit here. */
  #misfit(): void {
    if (this.#phase === 'opening') this.refuse('bad-offer');
    else this.cancel('fault');
  }

  #say(message: Exclude<FromReceiver, {have: Have[]}>): void {
    this.pipe.text(textOf(message));
  }

  #end(end: End): void {
    if (this.#phase === 'over') return;
    this.stop();
    this.port.ended(end);
  }
}
