import type {QualityLevel, QualityReason} from './api.js';

/** How long everything has to be worse, or better, before a level changes, in milliseconds. */
const fallMs = 2_500;
const riseMs = 6_000;

interface Seen {
  level: QualityLevel;
  reason: QualityReason;
}

/**
 * A level that does not flap: it falls when all looks of some seconds were worse, and rises, more slowly, when all were
 * better. What is certain, such as a path that is lost, counts at once.
 */
export class Steady {
  #level: QualityLevel | null = null;
  #reason: QualityReason = 'none';
  /** What contradicts the present level, since when, and as far as every look agreed. */
  #contrary: {way: number; since: number; to: Seen} | null = null;

  get level(): QualityLevel | null {
    return this.#level;
  }

  get reason(): QualityReason {
    return this.#reason;
  }

  /** Takes a look at a time in milliseconds; true when the level or its reason changed. */
  take(seen: Seen, at: number, certain = false): boolean {
    if (this.#level === null || certain) return this.#set(seen);
    const way = Math.sign(seen.level - this.#level);
    if (way === 0 && seen.reason === this.#reason) {
      this.#contrary = null;
      return false;
    }
    if (this.#contrary?.way !== way) this.#contrary = {way, since: at, to: seen};
    const {to, since} = this.#contrary;
    if (way > 0 ? seen.level <= to.level : seen.level >= to.level) this.#contrary.to = seen;
    return at - since >= (way > 0 ? riseMs : fallMs) && this.#set(this.#contrary.to);
  }

  #set({level, reason}: Seen): boolean {
    this.#contrary = null;
    const changed = level !== this.#level || reason !== this.#reason;
    this.#level = level;
    this.#reason = reason;
    return changed;
  }
}
