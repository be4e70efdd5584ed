import type {Encryption} from './api.js';
import type {Control} from './channels.js';
import type {Sender} from './message.js';
import type {Person} from './person.js';
import type * as wire from './wire.gen.js';

/**
 * What an encrypted room does with every transport. **Whoever makes an RTCPeerConnection makes it with `config`, and
 * shows each transceiver to `prefer` before it is described and to `cover` before anything flows**; a link with the hub
 * covers with an empty session, because its places show one person after the other, and with its data each channel.
 */
export interface Seal {
  readonly config: RTCConfiguration;
  /** Puts a codec first whose frames can be sealed. */
  prefer(transceiver: RTCRtpTransceiver): void;
  /** Seals what it sends and opens what it receives from a session. */
  cover(transceiver: RTCRtpTransceiver, session: string): void;
  /** The session whose key opened what a receiver received last; empty before anything did. */
  ownerOf(receiver: RTCRtpReceiver): string;
  /** Both descriptions of a link with a session are set: its ends are compared with what the other side sees. */
  described(session: string, link: string, pc: RTCPeerConnection, broken: (why: string) => void): void;
  /** Whether the ends of a link were found to be the same on both sides: only then data go on it. */
  trusts(session: string, link: string): boolean;
  /** Whether somebody can open what is sealed here now: only then data are sealed for them. */
  reads(session: string): boolean;
  /**
   * Seals what goes through the hub on a channel, and opens what comes on it from a session; with an empty one nothing
   * does. `seat` is whom it leads to, empty for everybody.
   */
  channel(channel: RTCDataChannel, session: string, seat: string): RTCDataChannel;
  /** Hands a channel of a link on when that is trusted, with what came on it meanwhile. */
  hold(session: string, link: string, channel: RTCDataChannel, take: (channel: RTCDataChannel) => void): void;
}

/** What the room asks of its encryption; its code comes when the room has a secret (e2ee/veil.ts). */
export interface Veil {
  readonly seal: Seal;
  /** What `join` says of this page. */
  readonly identity: string;
  /** Takes who is here. */
  people(me: Person | null, others: readonly Person[]): void;
  standing(session: string): Encryption;
  receive(message: wire.Keys): void;
  /** Seals a text of mine and sends it, in order. */
  say(id: string, text: string): void;
  /** Opens what is written in a message and hands it on, in order; what is not sealed is left out. */
  read<M extends wire.Chat | wire.HistoryAnswer | wire.ChatSaved>(message: M, take: (message: M) => void): void;
  close(): void;
}

/** What encryption asks of the room. */
export interface VeilPort extends Sender {
  readonly room: string;
  readonly control: Control;
  me(): Person | null;
  /** Drops the links that were made without a key. */
  renew(): void;
  /** The room is encrypted from now on: links may be made. */
  begun(): void;
  changed(): void;
}
