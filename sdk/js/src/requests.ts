import type {RoomError} from './api.js';
import type * as wire from './wire.gen.js';

/** How long the effect of a request may take. */
const requestMs = 10_000;

/** Makes the error that a request is rejected with. */
export function roomError(code: RoomError['code'], words: string, field?: string): RoomError {
  return Object.assign(new Error(words), {name: 'RoomError', code, ...(field && {field})});
}

/** The error of whatever was under way when the session ended. */
export function closed(): RoomError {
  return roomError('closed', 'The room is closed.');
}

interface Pending {
  done: () => boolean;
  resolve: () => void;
  reject: (error: RoomError) => void;
  timer: ReturnType<typeof setTimeout>;
}

/** Requests whose answer is their effect: they resolve when it shows, and reject on an error that names them. */
export class Requests {
  readonly #pending = new Map<number, Pending>();
  #closed = false;

  /** Sends a request unless its effect is there already. */
  start(send: () => number, done: () => boolean): Promise<void> {
    if (this.#closed) return Promise.reject(closed());
    if (done()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const n = send();
      const timer = setTimeout(
        () => this.#fail(n, roomError('timeout', 'The server did not answer in time.')),
        requestMs,
      );
      this.#pending.set(n, {done, resolve, reject, timer});
    });
  }

  /** Looks which effects have come. */
  settle(): void {
    for (const [n, {done, resolve, timer}] of this.#pending) {
      if (!done()) continue;
      clearTimeout(timer);
      this.#pending.delete(n);
      resolve();
    }
  }

  /** Takes an error of the server; true when it answered a request. */
  refuse({re, code, words, field}: wire.Error): boolean {
    return this.#fail(re ?? 0, roomError(code, words, field));
  }

  close(): void {
    this.#closed = true;
    for (const n of [...this.#pending.keys()]) this.#fail(n, closed());
  }

  #fail(n: number, error: RoomError): boolean {
    const pending = this.#pending.get(n);
    if (!pending) return false;
    clearTimeout(pending.timer);
    this.#pending.delete(n);
    pending.reject(error);
    return true;
  }
}
