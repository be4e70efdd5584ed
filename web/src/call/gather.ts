/** So long news of one kind is gathered in a full room before it is told, in milliseconds. */
export const GATHER_MS = 3000;

/** Tells of people one by one, or, in a room where many come and go, of all that came in three seconds at once. */
export class Gather {
  #names: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly calm: () => boolean,
    readonly tell: (first: string, others: number) => void,
  ) {}

  add(name: string): void {
    if (!this.calm() && this.#names.length === 0) {
      this.tell(name, 0);
      return;
    }
    this.#names.push(name);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const [first = '', ...others] = this.#names.splice(0);
      this.tell(first, others.length);
    }, GATHER_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#names = [];
  }
}
