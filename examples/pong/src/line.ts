/** Measures the line by what comes over it. */

import type {Packet} from './packet';

const kept = 300;

export class Line {
  #newest = 0;
  #first = 0;
  #count = 0;
  #roundTrip = Number.POSITIVE_INFINITY;
  #least = Number.POSITIVE_INFINITY;
  #deltas: {delta: number; at: number}[] = [];
  /** The other side's newest clock, and when it came. */
  echo = {at: 0, came: 0};

  /** Takes a packet that came at `now`. Returns false when it was overtaken by a newer one. */
  take({n, at, echo, held}: Packet, now: number): boolean {
    this.#first ||= n;
    this.#count++;
    // The clocks of the two sides differ by an unknown amount. On the fastest round trip seen, each way is taken to have
    // been half of it; every other packet is compared with the fastest one.
    this.#least = Math.min(this.#least, now - at);
    if (echo) this.#roundTrip = Math.min(this.#roundTrip, now - echo - held);
    this.#deltas.push({delta: now - at, at: now});
    if (this.#deltas.length > kept) this.#deltas.shift();
    if (n <= this.#newest) return false;
    this.#newest = n;
    this.echo = {at, came: now};
    return true;
  }

  /** Milliseconds one way, in the middle and the worst of a hundred; null before anything went round. */
  latency(): {middle: number; worst: number} | null {
    if (!Number.isFinite(this.#roundTrip) || !this.#deltas.length) return null;
    const ways = this.#deltas.map(({delta}) => delta - this.#least + this.#roundTrip / 2).sort((a, b) => a - b);
    const rank = (share: number) => ways[Math.min(ways.length - 1, Math.floor(share * ways.length))] ?? 0;
    return {middle: rank(0.5), worst: rank(0.99)};
  }

  /** Packets a second that came in the last two seconds. */
  rate(now: number): number {
    return this.#deltas.filter(({at}) => now - at < 2_000).length / 2;
  }

  /** The share of packets that did not come. */
  lost(): number {
    const sent = this.#newest - this.#first + 1;
    return this.#newest ? Math.max(0, 1 - this.#count / sent) : 0;
  }
}
