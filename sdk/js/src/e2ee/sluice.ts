import type {Bytes} from './bytes.js';
import type {Frames} from './frames.js';
import type {News, Order, Section, Tally} from './work.js';

/** How often a key frame is asked for while pictures cannot be opened, in milliseconds. */
const askEveryMs = 500;

/** What both kinds of encoded frames are to us. */
interface EncodedFrame {
  data: ArrayBuffer;
  type?: 'key' | 'delta' | 'empty';
  getMetadata?: () => {mimeType?: string};
}

/** Lets frames through, sealed on the way out and opened on the way in. What cannot be sealed or opened stays here. */
export class Sluice {
  readonly #tally: Tally = {sealed: 0, opened: 0, faults: {}, sealMs: 0, openMs: 0, worstMs: 0};

  constructor(
    readonly frames: Frames,
    readonly tell: (news: News) => void,
    readonly now: () => number = () => performance.now(),
  ) {}

  obey(order: Order): void {
    switch (order.do) {
      case 'use':
        this.frames.use(order.kid, order.base);
        break;
      case 'add':
        this.frames.add(order.owner, order.kid, order.base);
        break;
      case 'forget':
        this.frames.forget(order.owner);
        break;
      case 'stop':
        this.frames.stop();
        break;
      case 'tell':
        this.tell({news: 'tally', tally: this.#tally});
        break;
      case 'pipe':
        this.pipe(order.section, order.readable, order.writable);
        break;
    }
  }

  /** Connects a section's streams. `ask` asks its sender for a key frame, where the browser can. */
  pipe(
    section: Section,
    readable: ReadableStream,
    writable: WritableStream,
    ask?: () => Promise<void> | undefined,
  ): void {
    const gate = section.side === 'send' ? this.#sealing(section) : this.#opening(section, ask);
    // It ends with its transport, by an error in some browsers.
    readable
      .pipeThrough(new TransformStream<EncodedFrame, EncodedFrame>({transform: gate}))
      .pipeTo(writable)
      .catch(() => {});
  }

  #sealing({kind}: Section): Transformer<EncodedFrame, EncodedFrame>['transform'] & object {
    return async (frame, out) => {
      const began = this.now();
      // The legible bytes are those of VP8; of another codec they would not be enough, or too much.
      const codec = kind === 'video' ? frame.getMetadata?.().mimeType : undefined;
      const fits = !codec || /vp8/i.test(codec);
      const sealed = fits ? await this.frames.seal(kind, new Uint8Array(frame.data)) : null;
      if (!sealed) return this.#count(fits ? 'unsealed' : 'codec');
      this.#tally.sealed++;
      this.#tally.sealMs += this.#took(began);
      frame.data = whole(sealed);
      out.enqueue(frame);
    };
  }

  #opening(
    {kind, owner, id}: Section,
    ask?: () => Promise<void> | undefined,
  ): Transformer<EncodedFrame, EncodedFrame>['transform'] & object {
    let asked = Number.NEGATIVE_INFINITY;
    let broken = true; // until a key frame has come
    let shown = '';
    return async (frame, out) => {
      const began = this.now();
      const result = await this.frames.open(owner, kind, new Uint8Array(frame.data), id);
      if ('fault' in result) {
        this.#count(result.fault);
        broken ||= result.fault !== 'replayed' || frame.type === 'key';
        return;
      }
      this.#tally.opened++;
      this.#tally.openMs += this.#took(began);
      if (result.owner !== shown) {
        shown = result.owner;
        this.tell({news: 'owner', id, owner: shown});
      }
      if (kind === 'video') {
        if (frame.type === 'key') broken = false;
        else if (broken && began - asked > askEveryMs) {
          asked = began;
          ask?.()?.catch(() => {}); // the decoder asks too, later
        }
      }
      frame.data = whole(result.frame);
      out.enqueue(frame);
    };
  }

  #count(fault: string): void {
    this.#tally.faults[fault] = (this.#tally.faults[fault] ?? 0) + 1;
  }

  #took(began: number): number {
    const ms = this.now() - began;
    this.#tally.worstMs = Math.max(this.#tally.worstMs, ms);
    return ms;
  }
}

/** The buffer of bytes that fill it. */
function whole(bytes: Bytes): ArrayBuffer {
  return bytes.buffer;
}
