/** The part of the Web Storage API that is needed. */
export type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** The page's storage of a kind, or null where the browser refuses it (private windows, blocked cookies). */
export function pageStore(kind: 'localStorage' | 'sessionStorage'): Store | null {
  try {
    return globalThis[kind] ?? null;
  } catch {
    return null;
  }
}

/** Reads a value; null when there is none or storage fails. */
export function recall(store: Store | null, key: string): string | null {
  try {
    return store?.getItem(key) ?? null;
  } catch {
    return null;
  }
}

/** Keeps a value, or forgets it when it is null. A full or refused storage only means that nothing is remembered. */
export function remember(store: Store | null, key: string, value: string | null): void {
  try {
    if (value === null) store?.removeItem(key);
    else store?.setItem(key, value);
  } catch {
    // nothing is remembered
  }
}

/** A seat that this tab holds or held before a reload. `id` is empty while in the waiting room. */
export interface HeldSeat {
  id: string;
  token: string;
  name: string;
  /** The host secret that came with the seat, empty for guests. */
  host: string;
  /** A host removed us from it: the token only says who we were. */
  removed?: boolean;
}

/** Remembers the seat of one room across reloads of one tab. */
export class SeatMemory {
  readonly #key: string;
  #held: HeldSeat | null;

  constructor(
    readonly store: Store | null,
    room: string,
  ) {
    this.#key = `parley.seat.${room}`;
    this.#held = parse(recall(store, this.#key));
  }

  get held(): HeldSeat | null {
    return this.#held;
  }

  keep(seat: HeldSeat): void {
    this.#held = seat;
    remember(this.store, this.#key, JSON.stringify(seat));
  }

  /**
   * A host sent us away: whoever knocks again says who they were, so that the server need not judge by the address, and
   * the tab does not go back by itself.
   */
  expel(): void {
    if (this.#held) this.keep({...this.#held, removed: true});
  }

  forget(): void {
    this.#held = null;
    remember(this.store, this.#key, null);
  }
}

function parse(text: string | null): HeldSeat | null {
  try {
    const {id, token, name, host, removed} = JSON.parse(text ?? '') as Record<string, unknown>;
    if (typeof id !== 'string' || typeof token !== 'string' || typeof name !== 'string') return null;
    if (!token || !name) return null;
    return {id, token, name, host: typeof host === 'string' ? host : '', ...(removed === true && {removed})};
  } catch {
    return null;
  }
}
