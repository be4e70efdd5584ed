import type {Link} from './link.js';

/** How much silence makes a spare useless, beside a round trip. */
const deafMs = 400;
/** For how long the main link is well before a spare is made, and how long one that failed is not made again. */
export const [settledMs, againMs] = [3_000, 30_000];

/** The place for a second transport that idles beside the main one. */
export class Spare {
  #link: Link | null = null;
  #after = 0;

  constructor(readonly clock: () => number) {}

  get link(): Link | null {
    return this.#link;
  }

  /** Media would get through on it. */
  get alive(): boolean {
    const {link} = this;
    return link?.connected === true && link.heart.silence < deafMs + link.heart.rttMs;
  }

  /** It has not worked for so long that another one is better. */
  get hopeless(): boolean {
    return this.#link !== null && this.#link.heart.silence > againMs;
  }

  /** It is time to make one, if one is wanted. */
  get due(): boolean {
    return !this.#link && this.clock() >= this.#after;
  }

  /** Takes a link; the one before it ends. */
  set(link: Link): void {
    this.#link?.close();
    this.#link = link;
  }

  /** Begins ICE anew when it does not work: what took the main link away took this one too. */
  mend(): void {
    if (this.#link && !this.alive) void this.#link.restart();
  }

  /** Ends it; another one may come after so many milliseconds. */
  drop(afterMs: number): void {
    this.#link?.close();
    this.#link = null;
    this.#after = this.clock() + afterMs;
  }
}
