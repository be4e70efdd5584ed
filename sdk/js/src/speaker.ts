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

  /** Plays two soft notes, half a second in all. */
  async test(contexts: AudioContexts): Promise<void> {
    const context = contexts();
    if (!context) return;
    await context.resume();
    const out = context.createMediaStreamDestination();
    const gain = context.createGain();
    gain.connect(out);
    const start = context.currentTime + 0.05;
    for (const [index, frequency] of [523.25, 783.99].entries()) {
      const note = context.createOscillator();
      note.frequency.value = frequency;
      note.connect(gain);
      note.start(start + index * 0.25);
      note.stop(start + index * 0.25 + 0.25);
    }
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.2, start + 0.03);
    gain.gain.setValueAtTime(0.2, start + 0.4);
    gain.gain.linearRampToValueAtTime(0, start + 0.5);
    const element: Sink = new Audio();
    element.srcObject = out.stream;
    await this.#apply(element);
    await element.play().catch(() => {}); // without a gesture there is no sound, and nothing else is wrong
    await new Promise((resolve) => setTimeout(resolve, 650));
    element.srcObject = null;
    gain.disconnect();
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
