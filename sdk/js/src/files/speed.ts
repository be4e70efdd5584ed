/** Over how long a speed is measured, in milliseconds. */
const spanMs = 5_000;

/** How fast something grows. */
export class Speed {
  #samples: {at: number; bytes: number}[] = [];

  /** Takes how much there is at `now`, in milliseconds of any clock. */
  note(now: number, bytes: number): void {
    this.#samples.push({at: now, bytes});
    while ((this.#samples[1]?.at ?? now) <= now - spanMs) this.#samples.shift();
  }

  /** Nothing moves for now: what follows is measured anew. */
  rest(): void {
    this.#samples = [];
  }

  /** Bytes a second; 0 while that is not known. */
  get bps(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at - first.at < 400) return 0;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }

  /** Milliseconds until `bytes` more are there; null when that cannot be said. */
  left(bytes: number): number | null {
    const {bps} = this;
    return bps > 0 ? (bytes / bps) * 1000 : null;
  }
}
