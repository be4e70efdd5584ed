/** The quietest sound that moves a meter, in dB below full scale. */
const floorDb = -60;

/** Turns a linear amplitude 0…1 into what an ear would call half as loud: 0 at -60 dB and below, 1 at full scale. */
export function loudness(amplitude: number): number {
  if (!(amplitude > 0)) return 0;
  return Math.min(1, Math.max(0, 1 - (20 * Math.log10(amplitude)) / floorDb));
}

/** The root mean square of samples -1…1. */
export function rms(samples: Float32Array): number {
  let sum = 0;
  for (const s of samples) sum += s * s;
  return samples.length ? Math.sqrt(sum / samples.length) : 0;
}

/**
 * Tells speech from a knock on the table: most of the last ten looks, a tenth of a second apart, have to be loud.
 * It speaks up at most once in `quietMs`.
 */
export class SpeechDetector {
  #looks: boolean[] = [];
  #last = Number.NEGATIVE_INFINITY;

  constructor(
    readonly threshold = 0.5,
    readonly quietMs = 10_000,
  ) {}

  /** Takes a loudness 0…1 at a time in milliseconds; true when the person should be told now. */
  look(level: number, nowMs: number): boolean {
    this.#looks.push(level >= this.threshold);
    if (this.#looks.length > 10) this.#looks.shift();
    if (this.#looks.filter(Boolean).length < 6 || nowMs - this.#last < this.quietMs) return false;
    this.#last = nowMs;
    this.#looks = [];
    return true;
  }

  reset(): void {
    this.#looks = [];
  }
}
