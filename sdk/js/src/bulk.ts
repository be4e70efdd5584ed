import type {Incoming, Sender} from './message.js';

/** How many links for bulk there are at most. */
const maxBulks = 8;
/** How many candidates wait for the description that they belong to. */
const maxPending = 64;

/** What links for bulk ask of the one who keeps them. */
export interface BulkPort extends Pick<Sender, 'send'> {
  servers(): RTCIceServer[];
  channel(session: string, channel: RTCDataChannel): void;
}

/** What they get of the other session. */
type Message = Incoming['offer' | 'answer' | 'candidate' | 'end-of-candidates' | 'renegotiate' | 'close-link'];

interface Bulk {
  session: string;
  pc: RTCPeerConnection;
  described: Promise<void>;
  pending: number;
}

/**
 * The links on which programs send files to this page, beside the main ones: their sender decides by delay how much is
 * on the way, which a transport for everything must not do. Whoever sends makes them, and makes another one when one
 * fails; here they are only answered.
 */
export class Bulks {
  readonly #links = new Map<string, Bulk>();

  constructor(readonly port: BulkPort) {}

  has(link: string): boolean {
    return this.#links.has(link);
  }

  /** Takes an offer of such a link, or what is about one that is there. */
  receive(message: Message): void {
    const {from = '', link} = message;
    if (message.type === 'offer') {
      void this.#accept(from, link, message.sdp);
      return;
    }
    const bulk = this.#links.get(link);
    if (bulk?.session !== from) return;
    if (message.type === 'close-link') this.#drop(link, false);
    else if (message.type === 'candidate') void this.#candidate(bulk, message.candidate);
  }

  /** Closes those with one session, or with everybody. */
  close(session?: string): void {
    for (const [link, bulk] of this.#links) {
      if (session === undefined || bulk.session === session) this.#drop(link, true);
    }
  }

  /** Refuses one. */
  refuse({from = '', link}: Message): void {
    this.port.send('close-link', {to: from, link});
  }

  async #accept(session: string, link: string, sdp: string): Promise<void> {
    // Another one of the same session means that the older one is dead to them.
    for (const [older, bulk] of this.#links) if (bulk.session === session) this.#drop(older, false);
    if (this.#links.size >= maxBulks || this.#links.has(link)) {
      this.port.send('close-link', {to: session, link});
      return;
    }
    let pc: RTCPeerConnection;
    try {
      pc = new RTCPeerConnection({iceServers: this.port.servers()});
    } catch {
      this.port.send('close-link', {to: session, link}); // the main link carries the files, slower
      return;
    }
    const described = pc.setRemoteDescription({type: 'offer', sdp});
    const bulk: Bulk = {session, pc, described, pending: 0};
    this.#links.set(link, bulk);
    pc.ondatachannel = ({channel}) => this.port.channel(session, channel);
    pc.onconnectionstatechange = () => {
      if (pc.connectionState === 'failed') this.#drop(link, true);
    };
    try {
      await described;
      await pc.setLocalDescription();
      if (this.#links.get(link) !== bulk) return;
      this.port.send('answer', {to: session, link, sdp: pc.localDescription?.sdp ?? ''});
      // What was found before is in the description.
      pc.onicecandidate = ({candidate}) => this.#found(session, link, candidate);
    } catch {
      this.#drop(link, true);
    }
  }

  #found(session: string, link: string, candidate: RTCIceCandidate | null): void {
    if (!candidate?.candidate) {
      this.port.send('end-of-candidates', {to: session, link});
      return;
    }
    const {sdpMid, sdpMLineIndex, usernameFragment} = candidate;
    this.port.send('candidate', {
      to: session,
      link,
      candidate: {
        candidate: candidate.candidate,
        ...(sdpMid !== null && {sdpMid}),
        ...(sdpMLineIndex !== null && {sdpMLineIndex}),
        ...(usernameFragment && {usernameFragment}),
      },
    });
  }

  async #candidate(bulk: Bulk, candidate: RTCIceCandidateInit): Promise<void> {
    if (bulk.pending >= maxPending) return;
    bulk.pending++;
    try {
      await bulk.described;
      await bulk.pc.addIceCandidate(candidate);
    } catch {
      // one way less; the others may do
    } finally {
      bulk.pending--;
    }
  }

  #drop(link: string, tell: boolean): void {
    const bulk = this.#links.get(link);
    if (!bulk) return;
    this.#links.delete(link);
    const {pc, session} = bulk;
    pc.ondatachannel = pc.onicecandidate = pc.onconnectionstatechange = null;
    pc.close();
    if (tell) this.port.send('close-link', {to: session, link});
  }
}
