import type {Shown} from '../api.js';
import type {Want} from '../wire.gen.js';
import {keyOf} from './arrivals.js';

/** A size that differs by less than this share is the same: it would make the picture no sharper. */
const sameSize = 0.1;

/**
 * Gives what is shown its places. Whatever has one keeps it, and a place that was free for longest is taken first: the last
 * frames of what it showed before have arrived by then.
 */
export class Pool {
  #free: string[] = [];
  readonly #held = new Map<string, string>(); // a place, by what it shows
  #said: Want[] = [];

  /** Assigns anew; `lacking` is how many places are missing. The same list comes back as long as nothing changes. */
  assign(mids: readonly string[], shown: readonly Shown[]): {wants: readonly Want[]; lacking: number} {
    const wanted = new Map(shown.map((one) => [keyOf(one.seat, one.source), one]));
    for (const [key, mid] of this.#held) {
      if (wanted.has(key) && mids.includes(mid)) continue;
      this.#held.delete(key);
      if (mids.includes(mid)) this.#free.push(mid);
    }
    const taken = new Set([...this.#held.values(), ...this.#free]);
    this.#free.push(...mids.filter((mid) => !taken.has(mid)));
    let lacking = 0;
    const wants: Want[] = [];
    for (const [key, one] of wanted) {
      const mid = this.#held.get(key) ?? this.#free.shift();
      if (mid === undefined) {
        lacking++;
        continue;
      }
      this.#held.set(key, mid);
      wants.push(
        wantOf(
          mid,
          one,
          this.#said.find((said) => said.mid === mid),
        ),
      );
    }
    if (JSON.stringify(wants) !== JSON.stringify(this.#said)) this.#said = wants;
    return {wants: this.#said, lacking};
  }

  /** Forgets everything: the places are others. */
  clear(): void {
    this.#free = [];
    this.#held.clear();
    this.#said = [];
  }
}

function wantOf(mid: string, {seat, source, width, height}: Shown, said: Want | undefined): Want {
  const size = {width: Math.min(16_384, Math.round(width)), height: Math.min(16_384, Math.round(height))};
  const near = (a: number, b = 0) => Math.abs(a - b) <= sameSize * b;
  const same =
    said?.seat === seat && said.source === source && near(size.width, said.width) && near(size.height, said.height);
  return same ? said : {mid, seat, source, ...size};
}
