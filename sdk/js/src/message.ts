import type * as wire from './wire.gen.js';

/** What a client sends, by type. */
export type Outgoing = {[M in wire.ClientMessage as M['type']]: M};

/** What a client gets, by type. */
export type Incoming = {[M in wire.ServerMessage as M['type']]: M};

/** The fields of an outgoing message that its sender fills in. */
export type Body<K extends keyof Outgoing> = Omit<Outgoing[K], 'type' | 'n' | 'ack'>;

/** Sends one numbered message and returns its number. It never fails: what cannot leave now leaves after the resume. */
export interface Sender {
  send<K extends keyof Outgoing>(type: K, body: Body<K>): number;
}

/** A message that a link gets from its peer. */
export type LinkMessage = Incoming['answer' | 'candidate' | 'end-of-candidates' | 'offer' | 'renegotiate'];

/** A short identifier that is unique in a session; works outside secure contexts too. */
export function freshId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(9)), (b) => b.toString(36).padStart(2, '0')).join('');
}
