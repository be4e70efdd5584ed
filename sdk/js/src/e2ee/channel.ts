import {type Bytes, concat, utf8} from './bytes.js';
import type {Frames} from './frames.js';

/** How many messages wait to be opened, and how many bytes to be sealed. */
const [maxComing, maxGoing] = [1_024, 16 << 20];
/** The longest context, in bytes: its length takes two. */
const maxContext = 65_535;

/** Whom a channel leads to. */
export interface Leads {
  /** The session whose messages come; empty when nothing does. */
  session: string;
  /** The seat it leads to; empty for everybody. */
  seat: string;
  /** My own seat. */
  me(): string;
}

/**
 * A data channel through the hub: each message is sealed on its way out and opened on its way in, in order. To who uses it,
 * it is the channel that it wraps. Its label, protocol and addressee are sealed with each message, so that the hub cannot
 * give one for another.
 */
export class SealedChannel extends EventTarget {
  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onbufferedamountlow: ((event: Event) => void) | null = null;
  #going: Promise<void> = Promise.resolve();
  #coming: Promise<void> = Promise.resolve();
  #waiting = 0; // bytes to be sealed
  #heard = 0; // messages to be opened
  #full = false; // more waited than is little
  #ending = false;

  constructor(
    readonly raw: RTCDataChannel,
    readonly frames: Pick<Frames, 'seal' | 'open'>,
    readonly leads: Leads,
  ) {
    super();
    raw.binaryType = 'arraybuffer';
    raw.addEventListener('open', () => this.#fire(new Event('open')));
    raw.addEventListener('bufferedamountlow', () => this.#drained());
    raw.addEventListener('message', ({data}) => this.#hear(data));
    raw.addEventListener('close', () => {
      this.#coming = this.#coming.then(() => this.#fire(new Event('close'))); // behind what came before
    });
  }

  get label(): string {
    return this.raw.label;
  }

  get protocol(): string {
    return this.raw.protocol;
  }

  get readyState(): RTCDataChannelState {
    const {readyState} = this.raw;
    return this.#ending && readyState !== 'closed' ? 'closing' : readyState;
  }

  get bufferedAmount(): number {
    return this.raw.bufferedAmount + this.#waiting;
  }

  get bufferedAmountLowThreshold(): number {
    return this.raw.bufferedAmountLowThreshold;
  }
  set bufferedAmountLowThreshold(bytes: number) {
    this.raw.bufferedAmountLowThreshold = bytes;
  }

  get binaryType(): BinaryType {
    return 'arraybuffer';
  }
  set binaryType(_: BinaryType) {} // there is one only

  send(data: string | ArrayBuffer | ArrayBufferView): void {
    if (this.readyState !== 'open') throw new DOMException('the channel is not open', 'InvalidStateError');
    const message = this.#pack(data);
    if (this.#waiting + message.length > maxGoing) throw new DOMException('too much waits', 'OperationError');
    this.#waiting += message.length;
    this.#full ||= this.bufferedAmount > this.bufferedAmountLowThreshold;
    this.#going = this.#going.then(async () => {
      const sealed = await this.frames.seal('data', message);
      this.#waiting -= message.length;
      if (this.raw.readyState !== 'open') return;
      if (sealed) this.raw.send(sealed);
      else this.raw.close(); // nobody could open it, and something would be missing
      this.#drained();
    });
    this.#going.catch(() => this.raw.close()); // the browser's buffer is full
  }

  close(): void {
    if (this.#ending) return;
    this.#ending = true;
    const end = () => this.raw.close();
    this.#going.then(end, end);
  }

  #hear(data: unknown): void {
    if (typeof data === 'string') return; // not sealed
    if (++this.#heard > maxComing) {
      this.close();
      return;
    }
    this.#coming = this.#coming.then(async () => {
      const opened =
        this.leads.session && (await this.frames.open(this.leads.session, 'data', new Uint8Array(data as ArrayBuffer)));
      this.#heard--;
      if (opened && 'frame' in opened) this.#unpack(opened.frame);
    });
  }

  /** Puts in front of a message what it is for. */
  #pack(data: string | ArrayBuffer | ArrayBufferView): Bytes {
    const context = this.#context(this.leads.seat);
    const length = Uint8Array.of(context.length >> 8, context.length & 255);
    const text = typeof data === 'string';
    return concat(Uint8Array.of(text ? 0 : 1), length, context, text ? utf8(data) : bytesOf(data));
  }

  /** Takes a message that is for me, or for everybody, on a channel like this. */
  #unpack(message: Bytes): void {
    const [kind = 2, high = 0, low = 0] = message;
    const at = 3 + high * 256 + low;
    const context = message.subarray(3, at).join();
    const [mine, all] = [this.leads.me(), ''].map((seat) => this.#context(seat).join());
    if (kind > 1 || at > message.length || (context !== mine && context !== all)) return;
    const rest = message.slice(at);
    this.#fire(new MessageEvent('message', {data: kind === 0 ? new TextDecoder().decode(rest) : rest.buffer}));
  }

  #context(seat: string): Bytes {
    const [protocol] = this.protocol.split(';'); // the hub has added who sends, or was told for whom it is
    return utf8(JSON.stringify([this.label, protocol, seat])).slice(0, maxContext);
  }

  #drained(): void {
    if (!this.#full || this.bufferedAmount > this.bufferedAmountLowThreshold) return;
    this.#full = false;
    this.#fire(new Event('bufferedamountlow'));
  }

  #fire(event: Event): void {
    this.dispatchEvent(event);
    const handler = this[`on${event.type}` as 'onopen' | 'onclose'];
    handler?.call(this, event);
  }
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  // It may be an ArrayBuffer of a frame, so it need not be an instance of ours.
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
