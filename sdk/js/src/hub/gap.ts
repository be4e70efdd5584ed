import type {Arrivals, Inbound} from './arrivals.js';

/** Silence on the old path for so long is a loss; looks are a tenth of a second apart. */
const deadMs = 250;
/** Browsers count samples of sound at this rate. */
const samplesPerMs = 48;

interface Turn {
  before: Inbound | null;
  movedAt: number | null;
  made: number; // samples made up on the new path when it was taken over
  packets: number;
  packetAt: number;
  deadMs: number;
  gapMs: number;
  playoutMs: number;
}

/**
 * Measures a switch as it is heard: for how long nothing of somebody's sound was played, which is silence on the old path
 * before the new one delivered, and what was made up on the new one since; and how much later the new path plays.
 */
export class Gap {
  readonly #turns = new Map<string, Turn>();

  /** Takes the newest look at both paths. */
  take(now: number, keys: readonly string[], before: Arrivals, after: Arrivals): void {
    for (const key of keys) {
      const turn = this.#turns.get(key) ?? {
        before: null,
        movedAt: null,
        made: 0,
        packets: 0,
        packetAt: now,
        deadMs: 0,
        gapMs: 0,
        playoutMs: 0,
      };
      this.#turns.set(key, turn);
      const [old, fresh] = [before.figures(key), after.figures(key)];
      if ((old?.packetsReceived ?? 0) > turn.packets) {
        turn.packets = old?.packetsReceived ?? 0;
        turn.packetAt = now;
      }
      if (!after.has(key) || !fresh) continue;
      if (turn.movedAt === null) {
        turn.movedAt = now;
        turn.made = made(fresh);
        turn.deadMs = turn.packets && now - turn.packetAt > deadMs ? now - turn.packetAt : 0;
        turn.playoutMs = old ? Math.round(buffer(fresh) - buffer(old)) : 0;
      }
      turn.gapMs = Math.round(turn.deadMs + (made(fresh) - turn.made) / samplesPerMs);
    }
  }

  /** The longest gap of anybody's sound, and how much later that one is played. */
  get worst(): {gapMs: number; playoutMs: number} {
    let worst = {gapMs: 0, playoutMs: 0};
    let found = false;
    for (const {movedAt, gapMs, playoutMs} of this.#turns.values()) {
      if (movedAt === null || (found && gapMs <= worst.gapMs)) continue;
      worst = {gapMs, playoutMs};
      found = true;
    }
    return worst;
  }
}

function made({concealedSamples = 0, silentConcealedSamples = 0}: Inbound): number {
  return Math.max(0, concealedSamples - silentConcealedSamples);
}

function buffer({jitterBufferDelay = 0, jitterBufferEmittedCount = 0}: Inbound): number {
  return jitterBufferEmittedCount ? (1_000 * jitterBufferDelay) / jitterBufferEmittedCount : 0;
}
