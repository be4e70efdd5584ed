import type {RoomDataEvents} from './api.js';
import type {ChannelPort, Delivery} from './channels.js';

/** The protocol of the channels that carry programs' data. */
const protocol = 'parley.data.v1';
/** The longest message in bytes: what every browser takes in one piece. */
export const maxData = 65_536;
/** What may wait for a connection, or for an app that has not asked for a label yet, a person. */
const maxWaiting = 256;
const maxWaitingBytes = 1 << 20;
/** What a channel may have in the browser's hands before an unreliable message is dropped instead of being late. */
const maxLate = 65_536;

type Payload = string | ArrayBuffer;

/** Messages that wait, bounded in number and bytes. */
class Backlog {
  readonly list: Payload[] = [];
  #bytes = 0;

  /** Returns false when it is full: nothing was added. */
  add(data: Payload): boolean {
    if (this.list.length >= maxWaiting || this.#bytes + size(data) > maxWaitingBytes) return false;
    this.list.push(data);
    this.#bytes += size(data);
    return true;
  }

  drop(): void {
    const oldest = this.list.shift();
    if (oldest !== undefined) this.#bytes -= size(oldest);
  }
}

/** A channel that somebody opened before the app asked for its label. */
interface Early {
  seat: string;
  channel: RTCDataChannel;
  backlog: Backlog;
}

/** What a stream tells its label. */
type Tell = <K extends keyof RoomDataEvents>(event: K, value: RoomDataEvents[K]) => void;

/**
 * The channels under programs' data, by label. Each side opens a channel of its own to send on and takes the others' to
 * receive, so nobody has to agree on who opens.
 */
export class Streams {
  readonly #streams = new Map<string, Stream>();
  readonly #early = new Map<string, Set<Early>>();

  constructor(readonly channels: ChannelPort) {
    channels.accept(protocol, (seat, channel) => this.#arrived(seat, channel));
    channels.on('down', () => this.#sweep());
  }

  /** Opens a label that is not open. */
  open(label: string, delivery: Delivery, tell: Tell): Stream {
    const stream = new Stream(label, delivery, this.channels, tell, () => this.#streams.delete(label));
    this.#streams.set(label, stream);
    for (const {seat, channel, backlog} of this.#early.get(label) ?? []) stream.take(seat, channel, backlog.list);
    this.#early.delete(label);
    return stream;
  }

  #arrived(seat: string, channel: RTCDataChannel): void {
    const stream = this.#streams.get(channel.label);
    if (stream) stream.take(seat, channel, []);
    else this.#hold({seat, channel, backlog: new Backlog()});
  }

  /** Drops what waits on channels that are dead: one whose transport is closed on this side never says so. */
  #sweep(): void {
    for (const [label, set] of this.#early) {
      for (const early of set) if (early.channel.readyState === 'closed') set.delete(early);
      if (!set.size) this.#early.delete(label);
    }
  }

  #hold(early: Early): void {
    this.#sweep();
    const {channel, backlog} = early;
    const set = this.#early.get(channel.label) ?? new Set();
    this.#early.set(channel.label, set.add(early));
    const reliable = channel.maxRetransmits === null && channel.maxPacketLifeTime === null;
    channel.onmessage = ({data}) => {
      if (backlog.add(data)) return;
      if (reliable)
        channel.close(); // nothing may be lost, so it ends here
      else {
        backlog.drop();
        backlog.add(data);
      }
    };
    channel.onclose = () => {
      set.delete(early);
      if (!set.size && this.#early.get(channel.label) === set) this.#early.delete(channel.label);
    };
  }
}

/** My channel to one person, or to everybody on the hub, and what waits for it to open. */
interface Way {
  channel: RTCDataChannel;
  backlog: Backlog;
  shared: boolean;
}

/** One open label. Its functions are those of the SDK's `RoomData`. */
export class Stream {
  readonly #ways = new Map<string, Way>();
  readonly #alone = new Map<string, Way>(); // to one person only, where the way is for everybody
  readonly #taken = new Set<RTCDataChannel>();
  readonly #release: (() => void)[];
  readonly #reliable: boolean;
  #closed = false;

  constructor(
    readonly label: string,
    readonly delivery: Delivery,
    readonly channels: ChannelPort,
    readonly tell: Tell,
    readonly forget: () => void,
  ) {
    this.#reliable = delivery.maxRetransmits === undefined && delivery.maxPacketLifeTime === undefined;
    this.#release = [channels.on('up', (seat) => this.#up(seat)), channels.on('down', (seat) => this.#down(seat))];
    for (const seat of channels.connected) this.#up(seat);
  }

  get open(): ReadonlySet<string> {
    return new Set([...this.#ways].filter(([, {channel}]) => channel.readyState === 'open').map(([seat]) => seat));
  }

  send(data: string | ArrayBuffer | ArrayBufferView, to?: string): boolean {
    const payload = typeof data === 'string' || data instanceof ArrayBuffer ? data : copy(data);
    if (size(payload) > maxData) throw new RangeError(`${size(payload)} bytes; ${maxData} go in one message`);
    if (this.#closed) return false;
    if (to !== undefined) return this.#put(this.#wayTo(to), payload);
    let all = true;
    for (const way of new Set(this.#ways.values())) all = this.#put(way, payload) && all;
    return all;
  }

  buffered(to?: string): number {
    const ways = to === undefined ? [...this.#ways.values()] : [this.#alone.get(to) ?? this.#ways.get(to)];
    return Math.max(0, ...ways.map((way) => way?.channel.bufferedAmount ?? 0));
  }

  close(): void {
    this.#closed = true;
    for (const release of this.#release) release();
    for (const {channel} of [...this.#ways.values(), ...this.#alone.values()]) channel.close();
    for (const channel of this.#taken) channel.close();
    this.#ways.clear();
    this.#alone.clear();
    this.forget();
  }

  /** Takes a channel that somebody sends on, and what has come on it so far. */
  take(seat: string, channel: RTCDataChannel, before: readonly Payload[]): void {
    for (const c of this.#taken) if (c.readyState === 'closed') this.#taken.delete(c);
    this.#taken.add(channel);
    channel.onmessage = ({data}) => !this.#closed && this.tell('message', {from: seat, data});
    channel.onclose = () => this.#taken.delete(channel);
    // Not at once: who opened the label has yet to listen.
    if (before.length) queueMicrotask(() => before.forEach((data) => void this.tell('message', {from: seat, data})));
  }

  #up(seat: string): void {
    const way = this.#begin(seat, true);
    if (!way) return; // it went down again meanwhile; up will come
    const known = [...this.#ways.values()].find(({channel}) => channel === way.channel);
    this.#ways.set(seat, known ?? way);
    const seats = () => [...this.#ways].filter(([, other]) => other === way).map(([one]) => one);
    if (known) {
      if (known.channel.readyState === 'open') this.tell('open', seat);
      return;
    }
    this.#tie(
      way,
      () => seats().forEach((one) => void this.tell('open', one)),
      () => seats().forEach((one) => void this.#down(one)),
    );
  }

  /** Opens a channel; null when there is no transport. */
  #begin(seat: string, shared: boolean): Way | null {
    try {
      const channel = this.channels.open(seat, this.label, protocol, this.delivery, shared);
      return {channel, backlog: new Backlog(), shared: shared && this.channels.shared(seat)};
    } catch {
      return null;
    }
  }

  #tie({channel, backlog}: Way, opened: () => void, closed: () => void): void {
    channel.onopen = () => {
      for (const data of backlog.list.splice(0)) channel.send(data as string);
      opened();
    };
    channel.onclose = closed;
  }

  /** The way to one person and nobody else. */
  #wayTo(seat: string): Way | undefined {
    const way = this.#ways.get(seat);
    if (!way?.shared) return way;
    const known = this.#alone.get(seat);
    const alone = known ?? this.#begin(seat, false);
    if (!alone || known) return alone ?? undefined;
    this.#alone.set(seat, alone);
    this.#tie(
      alone,
      () => {},
      () => this.#alone.get(seat) === alone && void this.#alone.delete(seat),
    );
    return alone;
  }

  #down(seat: string): void {
    this.#alone.delete(seat);
    if (this.#ways.delete(seat)) this.tell('close', seat);
  }

  #put(way: Way | undefined, data: Payload): boolean {
    if (!way) return false;
    const {channel, backlog} = way;
    if (channel.readyState === 'connecting') return this.#reliable && backlog.add(data);
    if (channel.readyState !== 'open') return false;
    // Late is as good as lost for who allows losses; the newest shall not queue behind the old.
    if (!this.#reliable && channel.bufferedAmount > maxLate) return false;
    try {
      channel.send(data as string);
      return true;
    } catch {
      return false; // the browser's buffer is full
    }
  }
}

function size(data: Payload): number {
  // UTF-16 units times three is never less than the bytes of UTF-8; counted exactly only where it matters.
  if (typeof data !== 'string') return data.byteLength;
  return data.length * 3 <= maxData ? data.length : new TextEncoder().encode(data).length;
}

function copy(view: ArrayBufferView): ArrayBuffer {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).slice().buffer;
}
