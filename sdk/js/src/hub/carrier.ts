import type {Carrier} from '../channels.js';
import type {HubLink} from './link.js';

/** The data channels to everybody at once on one link with the hub. */
export class Trunk {
  readonly #open = new Map<string, RTCDataChannel>();

  constructor(readonly link: HubLink) {}

  /** Opens a channel to everybody; the same one again while it is open. */
  open(label: string, init: RTCDataChannelInit): RTCDataChannel {
    const key = JSON.stringify([label, init]);
    const known = this.#open.get(key);
    if (known && (known.readyState === 'open' || known.readyState === 'connecting')) return known;
    const raw = this.link.open(label, init);
    const channel = this.link.port.seal?.channel(raw, '', '') ?? raw; // nothing comes on it
    this.#open.set(key, channel);
    return channel;
  }
}

/** Carries data to somebody through the hub. */
export class HubCarrier implements Carrier {
  readonly shared = true;

  constructor(
    readonly seat: string,
    readonly trunk: Trunk,
  ) {}

  get connected(): boolean {
    return this.trunk.link.connected;
  }

  open(label: string, init: RTCDataChannelInit, shared = false): RTCDataChannel {
    if (shared) return this.trunk.open(label, init);
    const {link} = this.trunk;
    const raw = link.open(label, {...init, protocol: `${init.protocol};to=${this.seat}`});
    return link.port.seal?.channel(raw, link.port.sessionOf(this.seat), this.seat) ?? raw;
  }

  tell(text: string): boolean {
    // What a word says is for its reader only; those that are sealed themselves may pass.
    if (this.trunk.link.port.seal && JSON.parse(text).type !== 'keys') return false;
    return this.trunk.link.tell(JSON.stringify({type: 'tell', to: this.seat, message: JSON.parse(text)}));
  }
}

/** Who opened a channel at the other end, by its protocol; empty when it does not say so. */
export function senderOf({protocol}: Pick<RTCDataChannel, 'protocol'>): string {
  return /;from=([^;]+)/.exec(protocol)?.[1] ?? '';
}
