import type {Source} from '../wire.gen.js';

/** The fields about what arrives; browsers give a part of them (W3C webrtc-stats §8.9). */
export interface Inbound {
  type: string;
  kind?: 'audio' | 'video';
  trackIdentifier?: string;
  packetsReceived?: number;
  framesDecoded?: number;
  totalSamplesReceived?: number;
  concealedSamples?: number;
  silentConcealedSamples?: number;
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
}

/** Names a track of somebody. */
export function keyOf(seat: string, source: Source): string {
  return `${seat} ${source}`;
}

/** Sound that nobody plays is not taken out of its buffer: after so long its packets alone say that it is there. */
const unplayedMs = 300;
/** So many packets of sound are no accident. */
const fewPackets = 3;

interface Count {
  inbound: Inbound;
  first: Inbound;
  /** When the first packet had been seen. */
  since: number;
}

/** Finds out what has arrived on a transport, by looking at its statistics again and again. */
export class Arrivals {
  readonly #counts = new Map<string, Count>();
  readonly #arrived = new Set<string>();

  has(key: string): boolean {
    return this.#arrived.has(key);
  }

  /** The newest figures of a track; null before any. */
  figures(key: string): Inbound | null {
    return this.#counts.get(key)?.inbound ?? null;
  }

  /** Takes a look; `keyFor` names what a track carries now. Returns true when something has arrived. */
  take(reports: Iterable<Inbound>, keyFor: (track: string) => string | null, now: number): boolean {
    let news = false;
    for (const inbound of reports) {
      if (inbound.type !== 'inbound-rtp') continue;
      const key = keyFor(inbound.trackIdentifier ?? '');
      if (!key) continue;
      const known = this.#counts.get(key);
      // A place that showed somebody else has counted them too. Counters of a new link begin anew.
      const anew = !known || known.inbound.trackIdentifier !== inbound.trackIdentifier || fell(inbound, known.inbound);
      const count = anew ? {inbound, first: inbound, since: now} : {...known, inbound};
      if (!grew(count, 'packetsReceived')) count.since = now;
      this.#counts.set(key, count);
      if (this.#arrived.has(key) || !flows(count, now)) continue;
      this.#arrived.add(key);
      news = true;
    }
    return news;
  }
}

function fell(now: Inbound, before: Inbound): boolean {
  return (now.packetsReceived ?? 0) < (before.packetsReceived ?? 0);
}

function grew(
  {inbound, first}: Count,
  field: 'packetsReceived' | 'framesDecoded' | 'jitterBufferEmittedCount',
  by = 1,
) {
  return (inbound[field] ?? 0) - (first[field] ?? 0) >= by;
}

function flows(count: Count, now: number): boolean {
  if (count.inbound.kind === 'video') return grew(count, 'framesDecoded');
  if (!grew(count, 'packetsReceived', fewPackets)) return false;
  return grew(count, 'jitterBufferEmittedCount') || now - count.since >= unplayedMs;
}
