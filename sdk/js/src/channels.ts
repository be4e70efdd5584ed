import {Events} from './emitter.js';

/** How many channels one person may have open towards us. */
const maxChannels = 64;
/** The longest control message in characters. */
const maxControl = 16_384;

/** How a channel treats what gets lost: at most one of the two limits, neither for a channel that loses nothing. */
export type Delivery = Pick<RTCDataChannelInit, 'ordered' | 'maxRetransmits' | 'maxPacketLifeTime'>;

export interface ChannelEvents {
  /** A transport with this seat is up, for the first time or a new one: channels of an older one are dead. */
  up: string;
  /** The transport is gone. A path that is being repaired is not: what is sent meanwhile waits. */
  down: string;
}

/** The data channels with the other people, whatever transport there is with them at the moment. */
export interface ChannelPort {
  /** The seats that a channel can be opened with now. */
  readonly connected: ReadonlySet<string>;
  /**
   * Opens a channel. `protocol` says whose it is. With `shared` it leads to everybody where one channel does: then it is
   * the same for each of them. Throws when there is no transport.
   */
  open(seat: string, label: string, protocol: string, delivery?: Delivery, shared?: boolean): RTCDataChannel;
  /** Whether what is sent to a seat on a shared channel goes to everybody. */
  shared(seat: string): boolean;
  /** Takes the channels of one protocol that others open. Returns what lets go. */
  accept(protocol: string, take: (seat: string, channel: RTCDataChannel) => void): () => void;
  on<K extends keyof ChannelEvents>(event: K, listener: (seat: string) => void): () => void;
}

/** A message on the control channel. */
export type ControlMessage = {type: string} & Record<string, unknown>;

/** Small messages between the SDKs at the two ends of a link, in order, past the server. */
export interface Control {
  /** Returns false when it cannot be sent now; it is not kept. */
  send(seat: string, message: ControlMessage): boolean;
  /** Listens for one type; the message is the other side's word, so check every field. */
  on(type: string, listener: (seat: string, message: ControlMessage) => void): () => void;
}

/** What channels need of a link. */
export interface Carrier {
  readonly connected: boolean;
  /** One channel may lead to everybody that is reached like this. */
  readonly shared?: boolean;
  open(label: string, init: RTCDataChannelInit, shared?: boolean): RTCDataChannel;
  tell(text: string): boolean;
}

/** Keeps the channels of everybody, across the links that come and go. */
export class Channels extends Events<ChannelEvents> implements ChannelPort {
  readonly #carriers = new Map<string, Carrier>();
  readonly #takers = new Map<string, (seat: string, channel: RTCDataChannel) => void>();
  readonly #open = new Map<string, Set<RTCDataChannel>>();
  readonly #listeners = new Map<string, Set<(seat: string, message: ControlMessage) => void>>();
  readonly control: Control = {
    send: (seat, message) => this.#carriers.get(seat)?.tell(JSON.stringify(message)) ?? false,
    on: (type, listener) => {
      const set = this.#listeners.get(type) ?? new Set();
      this.#listeners.set(type, set.add(listener));
      return () => void set.delete(listener);
    },
  };

  get connected(): ReadonlySet<string> {
    return new Set(this.#carriers.keys());
  }

  shared(seat: string): boolean {
    return this.#carriers.get(seat)?.shared === true;
  }

  open(seat: string, label: string, protocol: string, delivery: Delivery = {}, shared = false): RTCDataChannel {
    const carrier = this.#carriers.get(seat);
    if (!carrier) throw new Error(`no connection with ${seat} now`);
    const channel = carrier.open(label, {...delivery, protocol}, shared);
    channel.binaryType = 'arraybuffer';
    return channel;
  }

  accept(protocol: string, take: (seat: string, channel: RTCDataChannel) => void): () => void {
    this.#takers.set(protocol, take);
    return () => {
      if (this.#takers.get(protocol) === take) this.#takers.delete(protocol);
    };
  }

  /** Takes the link that leads to a seat now, or null. */
  connect(seat: string, link: Carrier | null): void {
    const before = this.#carriers.get(seat);
    // A link that was up and is being repaired stays; one that has yet to come up does not count.
    const now = link && (link.connected || link === before) ? link : null;
    if (now === (before ?? null)) return;
    if (before) {
      this.#carriers.delete(seat);
      this.emit('down', seat);
    }
    if (now) {
      this.#carriers.set(seat, now);
      this.emit('up', seat);
    }
  }

  /** Forgets the links of everybody but these seats. */
  retain(seats: ReadonlySet<string>): void {
    for (const seat of [...this.#carriers.keys()]) if (!seats.has(seat)) this.connect(seat, null);
    for (const seat of this.#open.keys()) if (!seats.has(seat)) this.#open.delete(seat);
  }

  /** Takes a channel that somebody opened. Who has too many of them, or of a kind that nobody takes, gets it closed. */
  arrived(seat: string, channel: RTCDataChannel): void {
    const take = this.#takers.get(channel.protocol.split(';')[0] as string); // the hub adds who sends
    const open = this.#open.get(seat) ?? new Set();
    // A transport that is closed on this side takes its channels with it and tells none of them.
    for (const c of open) if (c.readyState === 'closed') open.delete(c);
    if (!seat || !take || open.size >= maxChannels) {
      channel.close();
      return;
    }
    this.#open.set(seat, open.add(channel));
    channel.addEventListener('close', () => open.delete(channel), {once: true});
    channel.binaryType = 'arraybuffer';
    take(seat, channel);
  }

  /** Takes a text of the control channel. */
  heard(seat: string, text: unknown): void {
    if (!seat || typeof text !== 'string' || text.length > maxControl) return;
    let message: ControlMessage;
    try {
      message = JSON.parse(text);
    } catch {
      return; // the other side's fault, and nothing hangs on it
    }
    if (typeof message?.type !== 'string') return;
    for (const listener of [...(this.#listeners.get(message.type) ?? [])]) listener(seat, message);
  }
}
