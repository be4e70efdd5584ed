/** For tests only: the two ends of a channel in memory. What is sent arrives later, in order, until it is cut. */

import type {Pipe} from './pipe.js';

type Ear = {text(text: string): void; binary(message: ArrayBuffer): void};

/** A way through which what one end sends comes to the other. */
export class FakeWay {
  readonly #queue: (() => void)[] = [];
  cut = false;
  closed = false;
  /** Everything that was said. */
  readonly texts: string[] = [];
  frames = 0;
  bytes = 0;
  ear: Ear | null = null;
  /** Changes a frame on its way. */
  spoil: (frame: Uint8Array<ArrayBuffer>) => void = () => {};

  readonly end: Pipe = {
    buffered: 0,
    text: (text) => {
      this.texts.push(text);
      this.#queue.push(() => this.ear?.text(text));
    },
    binary: (frame) => {
      const copy = frame.slice();
      this.spoil(copy);
      this.#queue.push(() => {
        this.frames++;
        this.bytes += copy.length - 16;
        this.ear?.binary(copy.buffer);
      });
    },
    drained: () => Promise.resolve(),
    close: () => {
      this.closed = true;
    },
  };

  /** Lets up to `count` messages through; returns how many there were. */
  pump(count = Number.POSITIVE_INFINITY): number {
    let passed = 0;
    while (passed < count && !this.cut) {
      const next = this.#queue.shift();
      if (!next) break;
      next();
      passed++;
    }
    return passed;
  }
}

/** Lets everything happen that waits for nothing but promises. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
