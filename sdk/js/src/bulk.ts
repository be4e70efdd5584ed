import type {Relayed} from './pair.js';
import type {Prepared} from './prepared.js';
import type {Candidate} from './wire.gen.js';

/** How many candidates wait for the description that they belong to. */
const maxPending = 64;

/** What a link for bulk asks of its pair. */
export interface BulkPort {
  send(type: 'answer', body: {sdp: string}): void;
  send(type: 'candidate', body: Pick<Candidate, 'candidate'>): void;
  send(type: 'end-of-candidates', body: object): void;
  channel(channel: RTCDataChannel): void;
  /** It carries nothing any more. */
  broken(): void;
}

/**
 * A link on which a program sends files to this page, beside the main one: its sender decides by delay how much is on the
 * way, which would be unfair to whatever else uses a transport. Whoever sends makes it, and another one when it fails;
 * here it is only answered.
 */
export class Bulk {
  readonly #pc: RTCPeerConnection;
  #described: Promise<void> = Promise.resolve();
  #pending = 0;

  constructor(
    sdp: string,
    {pc}: Prepared,
    readonly port: BulkPort,
  ) {
    this.#pc = pc;
    pc.ondatachannel = ({channel}) => port.channel(channel);
    pc.onconnectionstatechange = () => pc.connectionState === 'failed' && port.broken();
    void this.#answer(sdp);
  }

  receive(message: Relayed): void {
    if (message.type === 'candidate') void this.#candidate(message.candidate);
  }

  close(): void {
    const pc = this.#pc;
    pc.ondatachannel = pc.onicecandidate = pc.onconnectionstatechange = null;
    pc.close();
  }

  async #answer(sdp: string): Promise<void> {
    const {port} = this;
    const pc = this.#pc;
    try {
      this.#described = pc.setRemoteDescription({type: 'offer', sdp});
      await this.#described;
      await pc.setLocalDescription();
      if (pc.signalingState === 'closed') return;
      // What was found before is in the description.
      port.send('answer', {sdp: pc.localDescription?.sdp ?? ''});
      pc.onicecandidate = ({candidate}) => this.#found(candidate);
    } catch {
      if (pc.signalingState !== 'closed') port.broken(); // the main link carries the files, slower
    }
  }

  #found(candidate: RTCIceCandidate | null): void {
    if (!candidate?.candidate) {
      this.port.send('end-of-candidates', {});
      return;
    }
    const {sdpMid, sdpMLineIndex, usernameFragment} = candidate;
    this.port.send('candidate', {
      candidate: {
        candidate: candidate.candidate,
        ...(sdpMid !== null && {sdpMid}),
        ...(sdpMLineIndex !== null && {sdpMLineIndex}),
        ...(usernameFragment && {usernameFragment}),
      },
    });
  }

  async #candidate(candidate: RTCIceCandidateInit): Promise<void> {
    if (this.#pending >= maxPending) return;
    this.#pending++;
    try {
      await this.#described;
      await this.#pc.addIceCandidate(candidate);
    } catch {
      // one way less; the others may do
    } finally {
      this.#pending--;
    }
  }
}
