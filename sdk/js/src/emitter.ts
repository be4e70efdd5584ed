import type {Emitter} from './api.js';

/** Base of everything that changes. Subclasses emit; nobody else can. A listener that throws stops nobody else. */
export class Events<E> implements Emitter<E> {
  readonly #listeners = new Map<keyof E, Set<(value: never) => void>>();

  on<K extends keyof E>(event: K, listener: (value: E[K]) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set);
    const own = (value: E[K]) => listener(value); // the same function may listen twice
    set.add(own);
    return () => void set.delete(own);
  }

  /** Whether anybody would hear the event. */
  hears(event: keyof E): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  protected emit<K extends keyof E>(event: K, value: E[K]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])] as ((value: E[K]) => void)[]) {
      try {
        listener(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error; // to window.onerror
        });
      }
    }
  }
}
