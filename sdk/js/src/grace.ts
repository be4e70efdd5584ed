import type {Mesh} from './mesh.js';
import type {People} from './people.js';
import type {Seat} from './wire.gen.js';

/** For how long somebody whom a restarted server does not know yet is kept: their client may still be on its way. */
export const graceMs = 30_000;

/** Keeps the people whom the server lost its memory of, until they are back or it takes too long. */
export class Grace {
  readonly #missing = new Map<string, ReturnType<typeof setTimeout>>();

  /** `over` hears of a seat whose person did not come back. */
  constructor(
    readonly roster: People,
    readonly over: (seat: string) => void,
  ) {}

  /** Adds to a snapshot those that it lacks and that we have a path to: they count as away. */
  keep(seats: readonly Seat[], paths: Pick<Mesh, 'reaches'>): Seat[] {
    const lacking = this.roster.list.filter(
      (p) =>
        !p.isMe && paths.reaches(p.session) && !seats.some(({id, session}) => id === p.id || session === p.session),
    );
    for (const {id} of lacking) {
      this.back(id);
      this.#missing.set(
        id,
        setTimeout(() => {
          this.#missing.delete(id);
          this.over(id);
        }, graceMs),
      );
    }
    return [...seats, ...lacking.map((p): Seat => ({...p.seat, state: 'away'}))];
  }

  /** The server knows of a seat again. */
  back(seat: string): void {
    clearTimeout(this.#missing.get(seat));
    this.#missing.delete(seat);
  }

  close(): void {
    for (const seat of [...this.#missing.keys()]) this.back(seat);
  }
}
