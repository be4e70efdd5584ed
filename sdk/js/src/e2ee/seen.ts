/** Which numbers of a sender were there, so that nothing counts twice. Bounded: what is far behind counts as seen. */
export class Seen {
  readonly #bits: Uint32Array;
  #top = -1;

  /** `size` is how far behind the greatest one a number may come, a multiple of 32. */
  constructor(readonly size: number) {
    this.#bits = new Uint32Array(size / 32);
  }

  /** Whether a number is new. It does not count as seen before {@link add}: what is not authentic shall not. */
  fresh(n: number): boolean {
    if (n > this.#top) return true;
    return this.#top - n < this.size && !(this.#word(n) & this.#bit(n));
  }

  add(n: number): void {
    if (n - this.#top >= this.size) this.#bits.fill(0);
    else for (let i = this.#top + 1; i <= n; i++) this.#set(i, false);
    this.#top = Math.max(this.#top, n);
    this.#set(n, true);
  }

  #word(n: number): number {
    return this.#bits[Math.floor((n % this.size) / 32)] as number;
  }

  #bit(n: number): number {
    return 1 << (n % 32);
  }

  #set(n: number, on: boolean): void {
    const at = Math.floor((n % this.size) / 32);
    const word = this.#bits[at] as number;
    this.#bits[at] = on ? word | this.#bit(n) : word & ~this.#bit(n);
  }
}
