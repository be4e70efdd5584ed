/** A set of chunk numbers as half-open ranges: sorted, apart from each other, never empty. */
export class Ranges {
  readonly #list: [from: number, to: number][];

  /** The ranges must be sorted and apart; see {@link readRanges} for those of somebody else. */
  constructor(list: readonly (readonly [number, number])[] = []) {
    this.#list = list.map(([from, to]) => [from, to]);
  }

  get list(): readonly (readonly [from: number, to: number])[] {
    return this.#list;
  }

  /** How many chunks are in it. */
  get count(): number {
    return this.#list.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  has(chunk: number): boolean {
    const range = this.#list[this.#after(chunk) - 1];
    return range !== undefined && chunk < range[1];
  }

  add(chunk: number): void {
    if (this.has(chunk)) return;
    const at = this.#after(chunk);
    const before = this.#list[at - 1];
    const after = this.#list[at];
    const [joinsBefore, joinsAfter] = [before?.[1] === chunk, after?.[0] === chunk + 1];
    if (before && after && joinsBefore && joinsAfter) {
      before[1] = after[1];
      this.#list.splice(at, 1);
    } else if (before && joinsBefore) before[1] = chunk + 1;
    else if (after && joinsAfter) after[0] = chunk;
    else this.#list.splice(at, 0, [chunk, chunk + 1]);
  }

  /** The first chunk from `from` on that is not in it. */
  gap(from: number): number {
    const range = this.#list[this.#after(from) - 1];
    return range && from < range[1] ? range[1] : from;
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [from, to] of this.#list) for (let chunk = from; chunk < to; chunk++) yield chunk;
  }

  /** The index of the first range that begins after the chunk. */
  #after(chunk: number): number {
    let [low, high] = [0, this.#list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#list[middle]?.[0] ?? 0) <= chunk) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Reads ranges that somebody else sent, of a file with `count` chunks; null when they are none. */
export function readRanges(value: unknown, count: number): Ranges | null {
  if (!Array.isArray(value)) return null;
  let last = -1;
  for (const range of value) {
    if (!Array.isArray(range) || range.length !== 2) return null;
    const [from, to] = range as [unknown, unknown];
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) return null;
    if ((from as number) <= last || (to as number) <= (from as number) || (to as number) > count) return null;
    last = to as number;
  }
  return new Ranges(value as [number, number][]);
}
