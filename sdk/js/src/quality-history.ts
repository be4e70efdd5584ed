import type {QualityHistory, QualitySeries} from './api.js';

/** How far back a history goes, in seconds. */
export const historySeconds = 120;

const names: readonly QualitySeries[] = ['receivedBps', 'sentBps', 'receivedLost', 'sentLost', 'rttMs'];

/** Two minutes of figures about one person, one value a second: rings of a fixed size, so nothing is made per second. */
export class History implements QualityHistory {
  readonly seconds = historySeconds;
  readonly #rings: ReadonlyMap<QualitySeries, Float32Array>;
  #second = Number.NEGATIVE_INFINITY;

  constructor() {
    this.#rings = new Map(names.map((name) => [name, new Float32Array(historySeconds).fill(Number.NaN)]));
  }

  /** Moves on to the second that `atMs` lies in. Seconds in which nobody looked stay empty. */
  advance(atMs: number): void {
    const second = Math.floor(atMs / 1000);
    const from = Math.max(this.#second + 1, second - historySeconds + 1);
    for (let s = from; s <= second; s++) {
      for (const ring of this.#rings.values()) ring[s % historySeconds] = Number.NaN;
    }
    this.#second = Math.max(this.#second, second);
  }

  /** Sets a value of the second moved on to; undefined leaves it empty. */
  put(name: QualitySeries, value: number | undefined): void {
    const ring = this.#rings.get(name);
    if (ring && value !== undefined && this.#second >= 0) ring[this.#second % historySeconds] = value;
  }

  series(name: QualitySeries): readonly (number | null)[] {
    const ring = this.#rings.get(name) as Float32Array;
    const first = this.#second >= 0 ? (this.#second + 1) % historySeconds : 0;
    return Array.from(ring, (_, i) => {
      const value = ring[(first + i) % historySeconds] as number;
      return Number.isNaN(value) ? null : value;
    });
  }
}
