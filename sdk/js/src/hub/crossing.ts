import type {Missing, Source, TopologyKind} from '../wire.gen.js';
import {keyOf} from './arrivals.js';

/** For how long the new path may take to be up; the server waits for 10 s. */
export const upMs = 8_500;
/** For how long the tracks of a new path are waited for once it is up: slow devices take seconds to encode once more. */
export const patienceMs = 10_000;

/** A track that is to come by the new path. */
export interface Expected {
  seat: string;
  source: Source;
}

/** What is known at a moment of a switch. */
export interface Standing {
  /** The links of the new path are up, and agreed on. */
  connected: boolean;
  expected: readonly Expected[];
  arrived(key: string): boolean;
}

/** What is told about a switch. */
export interface Verdict {
  missing: Missing[];
}

/**
 * One switch from one path to another, from the topology that names the next kind until that which does not. It keeps the
 * time it is given, and says once when everything is there, or what is missing.
 */
export class Crossing {
  #told = false;
  #upAt: number | null = null;
  #beganAt: number;

  constructor(
    readonly epoch: number,
    readonly from: TopologyKind,
    readonly to: TopologyKind,
    now: number,
  ) {
    this.#beganAt = now;
  }

  /** What is to be told was told. */
  get told(): boolean {
    return this.#told;
  }

  /** What was told may not have been heard: it is said again, and the new path may have to be made again. */
  again(now: number): void {
    this.#told = false;
    this.#beganAt = now;
    this.#upAt = null;
  }

  /** What is to be told now, or null. */
  next(now: number, {connected, expected, arrived}: Standing): Verdict | null {
    if (this.#told) return null;
    const missing = expected.filter(({seat, source}) => !arrived(keyOf(seat, source)));
    if (connected) this.#upAt ??= now;
    const until = this.#upAt === null ? this.#beganAt + upMs : this.#upAt + patienceMs;
    if ((!connected || missing.length) && now < until) return null;
    this.#told = true;
    return {missing: missing.map(({seat, source}) => ({seat, source}))};
  }
}
