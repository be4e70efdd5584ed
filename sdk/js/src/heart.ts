/** How long nothing may be heard on a link before it counts as stalled, beside round trips. */
export const silenceMs = 350;
/** The same when something else says that the network may be gone, and for how long that is believed. */
const [alarmedMs, alarmMs] = [200, 3_000];
/** The longest such time in a page that is looked at, whatever the round trip. */
const longestMs = 1_500;
/** The same in a hidden page, and with somebody whose SDK sends no beats: ICE and RTCP speak every few seconds. */
const [hiddenMs, quietMs] = [3_000, 6_000];
/** The longest silence of a link on which beats get through, beside a round trip. */
const livelyMs = 250;
/** A longer silence was a loss; shorter ones are how this network and these machines are. */
const lossMs = 600;
/** The longest silence of late is half forgotten after this time. */
const forgetMs = 10_000;
/** How many times as long as a look for media took, nobody looks again, and the longest time that this makes. */
const [restFactor, longestRestMs] = [10, 500];

/** A beat: what it is, its number, and when it was sent by the sender's performance.now(), in milliseconds. */
export const [ping, pong] = [0, 1];
export const size = 9;
/** The bytes that may wait to leave when a ping or an answer is due: what was not sent when it could have been is old news. */
const [maxWaiting, maxOwed] = [4 * size, 64 * size];

/** The channel of a heart, as far as it uses it. */
export interface BeatChannel {
  readonly readyState: RTCDataChannelState;
  readonly bufferedAmount: number;
  binaryType: BinaryType;
  onmessage: ((event: MessageEvent) => void) | null;
  send(beat: ArrayBuffer): void;
}

/** What a heart listens to, beside its channel. */
export interface Chest {
  /** A clock that stands still when the page does (pulse.ts). */
  clock(): number;
  /** What receives sound and pictures. */
  receivers(): Iterable<Pick<RTCRtpReceiver, 'getSynchronizationSources'>>;
  /** The browser's counters, which cost more than looking at the newest packets. */
  getStats(): Promise<RTCStatsReport>;
}

/** The browser's counters, asked twice in one silence: in the middle of it, and when it is too long. */
interface Look {
  bytes: number;
  busy: boolean;
  /** The second one is done. */
  over: boolean;
}

const notYet = (): Look => ({bytes: -1, busy: false, over: false});

/**
 * Sends the beats of one link and knows when anything was heard on it last: a beat, the answer to one, a packet of sound
 * or picture, or any byte at all.
 */
export class Heart {
  #id = 0;
  #beaten = Number.NEGATIVE_INFINITY;
  #heard: number;
  #answered = Number.NEGATIVE_INFINITY;
  #rttMs = 0;
  #beats = false;
  #stamps = '';
  #media = Number.NEGATIVE_INFINITY;
  #restUntil = Number.NEGATIVE_INFINITY;
  #worst = {ms: 0, at: 0}; // the longest silence of late
  #look = notYet();
  #alarmedUntil = Number.NEGATIVE_INFINITY;

  constructor(
    readonly channel: BeatChannel,
    readonly chest: Chest,
  ) {
    this.#heard = chest.clock();
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({data}) => this.#take(data);
  }

  /** For how long nothing was heard. */
  get silence(): number {
    return this.chest.clock() - this.#heard;
  }

  /** For how long no ping was answered: an answer proves both directions. */
  get unanswered(): number {
    return this.chest.clock() - this.#answered;
  }

  /** For how long no sound or picture arrived. */
  get quiet(): number {
    return this.chest.clock() - this.#media;
  }

  /** The round trip, smoothed; 0 while unknown. */
  get rttMs(): number {
    return this.#rttMs;
  }

  /** How much silence is a stall: more than there has been of late, on a slow network or machine. */
  patience(visible: boolean): number {
    if (!this.#beats) return quietMs;
    if (!visible) return hiddenMs;
    const now = this.chest.clock();
    // Where there is no network at all, nothing is still under way.
    const under = globalThis.navigator?.onLine === false ? 0 : 2 * this.#rttMs;
    if (now < this.#alarmedUntil) return Math.min(longestMs, Math.max(alarmedMs + under, 1.5 * this.#recent(now)));
    return Math.min(longestMs, Math.max(silenceMs + 2 * this.#rttMs, 2 * this.#recent(now)));
  }

  /** Not silent for longer than it has been of late, or than beats lie apart. */
  get lively(): boolean {
    return this.silence < Math.max(livelyMs + this.#rttMs, 1.25 * this.#recent(this.chest.clock()));
  }

  /** Something else says that the network may be gone: little silence is needed to believe it. */
  alarm(): void {
    this.#alarmedUntil = this.chest.clock() + alarmMs;
  }

  /**
   * The transport goes another way than before. After a silence that says that checks have come through, long before beats do:
   * what lies under them waits. The next beat is due at once, so that the other side knows. Without a silence it says nothing:
   * a way that is gone may have been changed for one that is no better.
   */
  revive(): void {
    if (this.silence <= livelyMs) return;
    this.hear();
    this.#beaten = Number.NEGATIVE_INFINITY;
  }

  /** Something arrived on the transport. */
  hear(): void {
    const now = this.chest.clock();
    const ms = now - this.#heard;
    if (this.#beats && ms < lossMs && ms > this.#recent(now)) this.#worst = {ms, at: now};
    this.#heard = now;
    this.#look = notYet();
  }

  /** Sends a ping when the last one is `every` old, and looks what has arrived; `patience` is how much silence is a stall. */
  tick(every: number, patience: number): void {
    this.#beat(every);
    if (this.chest.clock() >= this.#restUntil || this.silence > patience / 2) this.#listen();
    const {bytes, busy, over} = this.#look;
    if (!busy && !over && this.silence > (bytes < 0 ? patience / 2 : patience - 100)) void this.#count(this.#look);
  }

  /** Nothing was heard for too long, and the browser's counters say so too. */
  stalled(patience: number): boolean {
    const sure = this.#look.over || this.silence > 1.5 * patience || this.chest.clock() < this.#alarmedUntil;
    return this.silence > patience && sure;
  }

  /**
   * Looks whether media has arrived. Chromium answers on the thread that carries all data of the connection, and the page
   * stands still until it does: while that thread has much to do, as with a file, one looks less often.
   */
  #listen(): void {
    const began = this.chest.clock();
    let stamps = '';
    for (const receiver of this.chest.receivers()) {
      const source = receiver.getSynchronizationSources?.()[0];
      if (source) stamps += `${source.timestamp} `;
    }
    const now = this.chest.clock();
    this.#restUntil = now + Math.min(restFactor * (now - began), longestRestMs);
    if (stamps === this.#stamps) return;
    this.#stamps = stamps;
    this.#media = now;
    this.hear();
  }

  #recent(now: number): number {
    return this.#worst.ms * 0.5 ** ((now - this.#worst.at) / forgetMs);
  }

  #beat(every: number): void {
    const {channel} = this;
    const now = this.chest.clock();
    if (now - this.#beaten < every || channel.readyState !== 'open' || channel.bufferedAmount > maxWaiting) return;
    this.#beaten = now;
    const bytes = new DataView(new ArrayBuffer(size));
    bytes.setUint8(0, ping);
    bytes.setUint32(1, ++this.#id);
    bytes.setUint32(5, performance.now() >>> 0);
    this.#send(bytes.buffer, maxWaiting);
  }

  #send(beat: ArrayBuffer, most: number): void {
    const {channel} = this;
    if (channel.readyState !== 'open' || channel.bufferedAmount > most) return;
    try {
      channel.send(beat);
    } catch {
      // it closes; silence will tell
    }
  }

  #take(data: unknown): void {
    // Not instanceof: that of a transport of a frame (frame.ts) is another ArrayBuffer than ours.
    if (typeof data !== 'object' || (data as ArrayBuffer).byteLength !== size) return;
    const bytes = new DataView(data as ArrayBuffer);
    this.hear();
    this.#beats = true;
    if (bytes.getUint8(0) === pong) {
      const ms = ((performance.now() >>> 0) - bytes.getUint32(5)) >>> 0;
      if (bytes.getUint32(1) > this.#id || ms > 60_000) return; // not an answer to anything of ours
      this.#answered = this.chest.clock();
      this.#rttMs = this.#rttMs ? this.#rttMs + (ms - this.#rttMs) / 8 : ms;
    } else if (bytes.getUint8(0) === ping) {
      bytes.setUint8(0, pong);
      this.#send(bytes.buffer as ArrayBuffer, maxOwed);
    }
  }

  /** Asks whether any byte has come since the first look. */
  async #count(look: Look): Promise<void> {
    look.busy = true;
    let bytes = 0;
    try {
      for (const report of (await this.chest.getStats()).values()) {
        if (report.type === 'transport') bytes += report.bytesReceived ?? 0;
      }
    } catch {
      // the connection was closed meanwhile
    }
    look.busy = false;
    if (look !== this.#look) return; // something was heard meanwhile
    if (look.bytes >= 0 && bytes > look.bytes) {
      this.hear();
      return;
    }
    look.over = look.bytes >= 0;
    look.bytes = bytes;
  }
}
