/** How long nothing may be heard on a link before it counts as stalled, beside round trips. */
const silenceMs = 450;
/** The longest such time in a page that is looked at, whatever the round trip. */
const longestMs = 1_500;
/** The same in a hidden page, and with somebody whose SDK sends no beats: ICE and RTCP speak every few seconds. */
const [hiddenMs, quietMs] = [3_000, 6_000];

const [ping, pong] = [0, 1];
const size = 9;

/**
 * The beats of one link, and when anything was heard on it: a ping, the answer to one, or what others tell by
 * {@link Heart.hear}. All times are of a clock that stands still when the page does (pulse.ts).
 */
export class Heart {
  #id = 0;
  #beaten = Number.NEGATIVE_INFINITY;
  #heard: number;
  #answered = Number.NEGATIVE_INFINITY;
  #rttMs = 0;
  #beats = false;

  constructor(
    readonly channel: RTCDataChannel,
    readonly clock: () => number,
  ) {
    this.#heard = clock();
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({data}) => this.#take(data);
  }

  /** For how long nothing was heard. */
  get silence(): number {
    return this.clock() - this.#heard;
  }

  /** For how long no ping was answered: an answer proves both directions. */
  get unanswered(): number {
    return this.clock() - this.#answered;
  }

  /** The round trip, smoothed; 0 while unknown. */
  get rttMs(): number {
    return this.#rttMs;
  }

  /** How much silence is a stall. */
  patience(visible: boolean): number {
    if (!this.#beats) return quietMs;
    return visible ? Math.min(longestMs, silenceMs + 2 * this.#rttMs) : hiddenMs;
  }

  /** Something arrived on the transport. */
  hear(): void {
    this.#heard = this.clock();
  }

  /** Sends a ping when the last one is old enough. */
  beat(every: number): void {
    const now = this.clock();
    // What waits was not sent when it could have been: more of it would be old news.
    if (now - this.#beaten < every || this.channel.readyState !== 'open' || this.channel.bufferedAmount > 4 * size) return;
    this.#beaten = now;
    const bytes = new DataView(new ArrayBuffer(size));
    bytes.setUint8(0, ping);
    bytes.setUint32(1, ++this.#id);
    bytes.setUint32(5, performance.now() >>> 0);
    this.channel.send(bytes.buffer);
  }

  #take(data: unknown): void {
    if (!(data instanceof ArrayBuffer) || data.byteLength !== size) return;
    const bytes = new DataView(data);
    this.hear();
    this.#beats = true;
    if (bytes.getUint8(0) === pong) {
      const ms = ((performance.now() >>> 0) - bytes.getUint32(5)) >>> 0;
      if (bytes.getUint32(1) > this.#id || ms > 60_000) return; // not an answer to anything of ours
      this.#answered = this.clock();
      this.#rttMs = this.#rttMs ? this.#rttMs + (ms - this.#rttMs) / 8 : ms;
    } else if (bytes.getUint8(0) === ping && this.channel.readyState === 'open') {
      bytes.setUint8(0, pong);
      this.channel.send(data);
    }
  }
}
