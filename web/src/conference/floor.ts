/** Who has the floor: the one who speaks, without jumping to and fro between those who say a word in between. */

/** So long somebody has to be the loudest before they get the floor, in milliseconds: longer than a "yes" or a cough. */
export const TAKE_MS = 1200;
/** So long one keeps the floor at least, in milliseconds. */
export const KEEP_MS = 3000;

export class Floor {
  #holder = '';
  #since = Number.NEGATIVE_INFINITY;
  #rival = '';
  #rivalSince = 0;

  /** The seat that has the floor; empty while nobody has spoken yet. Whoever falls silent keeps it. */
  get holder(): string {
    return this.#holder;
  }

  /** Takes who speaks, the loudest first, at a time in milliseconds; `here` are the seats that may have the floor. */
  look(speakers: readonly string[], here: ReadonlySet<string>, now: number): string {
    const loudest = speakers.find((seat) => here.has(seat)) ?? '';
    if (!here.has(this.#holder)) {
      this.#give('', Number.NEGATIVE_INFINITY); // who left leaves the floor to the first who speaks
      if (loudest !== '') this.#give(loudest, now);
      return this.#holder;
    }
    if (loudest === '' || loudest === this.#holder) {
      this.#rival = '';
      return this.#holder;
    }
    if (loudest !== this.#rival) {
      this.#rival = loudest;
      this.#rivalSince = now;
    }
    if (this.next(now) === 0) this.#give(loudest, now);
    return this.#holder;
  }

  /** In how many milliseconds the floor changes if nothing else does; null when it does not. */
  next(now: number): number | null {
    if (this.#rival === '') return null;
    return Math.max(0, this.#rivalSince + TAKE_MS - now, this.#since + KEEP_MS - now);
  }

  #give(seat: string, now: number): void {
    this.#holder = seat;
    this.#since = now;
    this.#rival = '';
  }
}
