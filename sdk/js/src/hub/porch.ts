/** How long a channel waits while the server can tell who it is from, and how many do. */
const [waitMs, maxChannels] = [10_000, 64];
/** How many messages wait on a channel, and how many bytes on all of them. */
const [maxMessages, maxBytes] = [512, 1 << 20];

interface Guest {
  seat: string;
  channel: RTCDataChannel;
  enter: () => void;
  held: (string | ArrayBuffer)[];
  bytes: number;
  waited: number;
}

/**
 * Where the channels wait of people whom the roster does not know yet. The hub may be faster than the socket, which comes
 * back after it was away, and it opens a channel once only: one that is closed here stays closed until there is another link.
 */
export class Porch {
  readonly #guests = new Set<Guest>();
  #bytes = 0;
  #ticked = 0;

  /** Keeps a channel with what comes on it; `enter` hands it on. */
  keep(seat: string, channel: RTCDataChannel, enter: () => void): void {
    // A transport that is closed on this side takes its channels with it and tells none of them.
    for (const guest of this.#guests) if (guest.channel.readyState === 'closed' && !guest.bytes) this.#remove(guest);
    if (this.#guests.size >= maxChannels) {
      channel.close();
      return;
    }
    const guest: Guest = {seat, channel, enter, held: [], bytes: 0, waited: 0};
    this.#guests.add(guest);
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({data}) => this.#hear(guest, data);
  }

  /** Lets in whose seats are known now, with what came meanwhile. */
  open(known: (seat: string) => boolean): void {
    for (const guest of this.#guests) {
      if (!known(guest.seat)) continue;
      this.#remove(guest);
      const {channel, held} = guest;
      guest.enter();
      for (const data of held) channel.dispatchEvent(new MessageEvent('message', {data}));
      if (channel.readyState === 'closed') channel.dispatchEvent(new Event('close')); // it came when nobody listened
    }
  }

  /** Sends away who has waited for too long. While nothing is `online`, nobody can be told of. */
  tick(now: number, online: boolean): void {
    const passed = online ? now - this.#ticked : 0;
    this.#ticked = now;
    for (const guest of this.#guests) {
      guest.waited += passed;
      if (guest.waited > waitMs) this.#refuse(guest);
    }
  }

  clear(): void {
    for (const guest of this.#guests) this.#refuse(guest);
  }

  #hear(guest: Guest, data: string | ArrayBuffer): void {
    guest.held.push(data);
    this.#count(guest, sizeOf(data));
    if (!this.#full(guest)) return;
    const {maxRetransmits, maxPacketLifeTime} = guest.channel;
    if (maxRetransmits === null && maxPacketLifeTime === null)
      this.#refuse(guest); // nothing may be lost, so it ends here
    else while (guest.held.length && this.#full(guest)) this.#count(guest, -sizeOf(guest.held.shift() ?? ''));
  }

  #full({held}: Guest): boolean {
    return held.length > maxMessages || this.#bytes > maxBytes;
  }

  #count(guest: Guest, bytes: number): void {
    guest.bytes += bytes;
    this.#bytes += bytes;
  }

  #refuse(guest: Guest): void {
    this.#remove(guest);
    guest.channel.close();
  }

  #remove(guest: Guest): void {
    this.#guests.delete(guest);
    this.#bytes -= guest.bytes;
    guest.channel.onmessage = null;
  }
}

function sizeOf(data: string | ArrayBuffer): number {
  return typeof data === 'string' ? 2 * data.length : data.byteLength;
}
