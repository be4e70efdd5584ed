import {recall, remember, type Store} from './memory.js';
import type {AudioContexts} from './meter.js';

type Sink = HTMLMediaElement & {setSinkId?(id: string): Promise<void>};

const key = 'parley.device.speaker';

/** The chosen speaker and the elements that play on it. */
export class Speaker {
  #chosen: string;
  #gone = false;
  readonly #elements = new Set<Sink>();

  constructor(readonly store: Store | null) {
    this.#chosen = recall(store, key) ?? '';
  }

  /** The one in use: the system's default, '', while the chosen one is gone. */
  get id(): string {
    return this.#gone ? '' : this.#chosen;
  }

  get chosen(): string {
    return this.#chosen;
  }

  /** Takes whether the chosen one is there; it stays chosen. */
  async notice(there: boolean): Promise<void> {
    if (there === !this.#gone) return;
    this.#gone = !there;
    await this.#applyAll();
  }

  /** Whether the browser can play on a speaker of choice. */
  get choosable(): boolean {
    return typeof HTMLMediaElement !== 'undefined' && 'setSinkId' in HTMLMediaElement.prototype;
  }

  attach(element: Sink): () => void {
    this.#elements.add(element);
    void this.#apply(element);
    return () => void this.#elements.delete(element);
  }

  async use(id: string): Promise<void> {
    this.#chosen = id;
    this.#gone = false;
    remember(this.store, key, id || null);
    await this.#applyAll();
  }

  /** Plays a short tone, whose code comes when it is asked for. */
  async test(contexts: AudioContexts): Promise<void> {
    const context = contexts();
    if (!context) return;
    await context.resume(); // while the press that asked for it counts
    const {play} = await import('./tone.js');
    await play(context, (element) => this.#apply(element));
  }

  async #applyAll(): Promise<void> {
    await Promise.all(Array.from(this.#elements, (element) => this.#apply(element)));
  }

  async #apply(element: Sink): Promise<void> {
    try {
      await element.setSinkId?.(this.id);
    } catch {
      // The speaker is gone: the system's own is better than silence.
      await element.setSinkId?.('').catch(() => {});
    }
  }
}
