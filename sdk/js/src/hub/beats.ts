import {type BeatChannel, ping, pong, size} from '../heart.js';

/** How many pings without an answer are remembered. */
const maxAsked = 64;

/** What beats need of a link with the hub. */
interface Teller {
  readonly connected: boolean;
  tell(text: string): boolean;
}

/** Beats in the hub's words: what a heart sends on a channel of its own goes as `ping` among the small messages. */
export class Beats implements BeatChannel {
  binaryType: BinaryType = 'arraybuffer';
  onmessage: ((event: MessageEvent) => void) | null = null;
  readonly bufferedAmount = 0; // a link refuses to say more when too much waits
  readonly #asked = new Map<number, ArrayBuffer>();

  constructor(readonly link: Teller) {}

  get readyState(): RTCDataChannelState {
    return this.link.connected ? 'open' : 'connecting';
  }

  send(beat: ArrayBuffer): void {
    const bytes = new DataView(beat);
    if (beat.byteLength !== size || bytes.getUint8(0) !== ping) return;
    const id = bytes.getUint32(1);
    if (!this.link.tell(JSON.stringify({type: 'ping', id}))) return;
    this.#asked.set(id, beat);
    for (const old of this.#asked.keys()) {
      if (this.#asked.size <= maxAsked) break;
      this.#asked.delete(old);
    }
  }

  /** The hub has answered a ping. */
  answered(id: number): void {
    const beat = this.#asked.get(id);
    if (!beat) return;
    this.#asked.delete(id);
    new DataView(beat).setUint8(0, pong);
    this.onmessage?.({data: beat} as MessageEvent);
  }
}
