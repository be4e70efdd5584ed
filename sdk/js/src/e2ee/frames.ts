import type {Bytes} from './bytes.js';
import {Seen} from './seen.js';
import {FrameKey, readHeader, tagLength} from './sframe.js';

export type Kind = 'audio' | 'video' | 'data';

/**
 * How many generations of one sender's key are kept, and of how many senders. While a key waits up to 2 s to be used,
 * others may replace it every half second, and the one that is in use has to outlast them all.
 */
const maxKeys = 8;
const maxOwners = 256;
/** How late a frame may come, in frames of its sender: those of a camera wait for what was lost, those of sound do not. */
const lateness = 4096;
/** A key that was replaced opens what was under way for so long. */
export const overlapMs = 10_000;
/** How long a frame waits for its key: the key may take another way than the frame does. */
export const patienceMs = 200;

/**
 * How many bytes of a frame stay legible, because the packetiser and the hub read them: none of sound and data, and of VP8 the
 * frame tag, with the start code and the size in key frames (RFC 6386 §9.1).
 */
export function clearBytes(kind: Kind, frame: Uint8Array): number {
  if (kind !== 'video') return 0;
  return ((frame[0] ?? 0) & 1) === 0 ? 10 : 3;
}

/** The number of a key for data: the same base makes other keys of it (RFC 9605 §4.4.2), so no nonce comes twice. */
export function dataKid(kid: number): number {
  return kid + 2 ** 32;
}

interface Held {
  owner: string;
  key: Promise<FrameKey>;
  /** By section: the hub may show the same frames on one place after another, but no frame twice on one. */
  seen: Map<number, Seen>;
  added: number;
}

/** Why a frame was not opened. */
export type Fault = 'no-key' | 'malformed' | 'replayed' | 'forged';

/** What became of a frame that came. */
export type Opened = {frame: Bytes; owner: string} | {fault: Fault};

/** The owner of a receiver that shows different people one after the other: a frame's key says whose it is. */
export const anybody = '';

/**
 * The keys of frames, and what is done with them. Frames of different sections go through it side by side, in one thread,
 * because their numbers are taken from one counter: no nonce is ever used twice.
 */
export class Frames {
  #own: {key: Promise<FrameKey>; ctr: number} | null = null;
  readonly #owners = new Map<string, Map<number, Held>>();
  /** Frames that wait for a key of their sender. */
  readonly #waiting = new Map<string, Set<() => void>>();
  /** Keys that did not come in time. */
  readonly #missed = new Set<string>();

  constructor(
    readonly now: () => number = () => performance.now(),
    readonly patience = patienceMs,
  ) {}

  /** Seals with this key from now on. */
  use(kid: number, base: Bytes): void {
    this.#own = {key: FrameKey.derive(kid, base), ctr: 0};
  }

  /** Nothing is sent any more: there is nobody to whom it would be legible. */
  stop(): void {
    this.#own = null;
  }

  /** Takes a sender's key. */
  add(owner: string, kid: number, base: Bytes): void {
    const keys = this.#owners.get(owner) ?? new Map<number, Held>();
    if (!this.#owners.has(owner) && this.#owners.size >= maxOwners) return;
    keys.delete(kid); // a generation that comes round again is the newest
    keys.set(kid, {owner, key: FrameKey.derive(kid, base), seen: new Map(), added: this.now()});
    for (const old of keys.keys()) if (keys.size > maxKeys) keys.delete(old);
    this.#owners.set(owner, keys);
    for (const wake of [...(this.#waiting.get(owner) ?? []), ...(this.#waiting.get(anybody) ?? [])]) wake();
  }

  /** Forgets a sender. */
  forget(owner: string): void {
    this.#owners.delete(owner);
  }

  /** Drops the keys that were replaced long enough ago. */
  expire(): void {
    const now = this.now();
    for (const keys of this.#owners.values()) {
      let newer = Number.POSITIVE_INFINITY;
      for (const [kid, {added}] of [...keys].reverse()) {
        if (now - newer > overlapMs) keys.delete(kid);
        newer = added;
      }
    }
  }

  /** Seals a frame to be sent; null when there is no key, or too little of a frame: what cannot be sealed is not sent. */
  async seal(kind: Kind, frame: Uint8Array): Promise<Bytes | null> {
    const own = this.#own;
    const clear = clearBytes(kind, frame);
    if (!own || frame.length < clear) return null;
    const ctr = own.ctr++;
    return (await own.key).seal(ctr, frame, clear);
  }

  /** Opens a frame of a sender, or of {@link anybody}, that came in a section. */
  async open(owner: string, kind: Kind, frame: Uint8Array, section = 0): Promise<Opened> {
    const clear = clearBytes(kind, frame);
    const header = readHeader(frame, clear);
    if (!header || frame.length < clear + header.length + tagLength) return {fault: 'malformed'};
    const held = this.#find(owner, header.kid) ?? (await this.#wait(owner, header.kid));
    if (!held) return {fault: 'no-key'};
    const seen = held.seen.get(section) ?? new Seen(lateness);
    if (!seen.fresh(header.ctr)) return {fault: 'replayed'};
    try {
      const opened = await (await held.key).open(header, frame, clear);
      const known = held.seen.get(section) ?? seen; // side by side with it another one may have been opened
      if (!known.fresh(header.ctr)) return {fault: 'replayed'};
      known.add(header.ctr);
      held.seen.set(section, known);
      return {frame: opened, owner: held.owner};
    } catch {
      return {fault: 'forged'};
    }
  }

  #find(owner: string, kid: number): Held | undefined {
    if (owner !== anybody) return this.#owners.get(owner)?.get(kid);
    for (const keys of this.#owners.values()) {
      const held = keys.get(kid);
      if (held) return held;
    }
    return undefined;
  }

  /** Waits for a key that may be on its way, once for each: whoever goes on without one does not hold up the sound. */
  async #wait(owner: string, kid: number): Promise<Held | undefined> {
    const mark = `${owner} ${kid}`;
    if (this.#missed.has(mark)) return undefined;
    const set = this.#waiting.get(owner) ?? new Set();
    this.#waiting.set(owner, set);
    await new Promise<void>((resolve) => {
      const done = () => {
        if (timer !== undefined && !this.#find(owner, kid)) return;
        clearTimeout(timer);
        set.delete(done);
        resolve();
      };
      let timer: ReturnType<typeof setTimeout> | undefined = setTimeout(() => {
        timer = undefined;
        this.#miss(mark);
        done();
      }, this.patience);
      set.add(done);
    });
    if (!set.size) this.#waiting.delete(owner);
    return this.#find(owner, kid);
  }

  #miss(mark: string): void {
    this.#missed.add(mark);
    for (const old of this.#missed) if (this.#missed.size > 64) this.#missed.delete(old);
  }
}
