import type {Source} from './api.js';
import type {Carrier} from './channels.js';
import {Ear} from './ear.js';
import type {Body, LinkMessage} from './message.js';
import {type Prepared, pairStreams} from './prepared.js';
import {type Publication, sections} from './publication.js';
import {Transport, type TransportPort} from './transport.js';
import type {Seal} from './veil.js';
import type {Way} from './way.js';
import type {LinkKind, Track} from './wire.gen.js';

/** What a link asks of the one who keeps it. */
export interface LinkPort extends TransportPort {
  /** The other side asks for an ICE restart. */
  asked(elsewhere: boolean): void;
  /** What encrypts in an encrypted room. */
  readonly seal: Seal | null;
}

/** One RTCPeerConnection with one other session. */
export class Link extends Transport<LinkPort> implements Carrier, Way {
  readonly #senders = new Map<Source, {sender: RTCRtpSender; mid: string}>();
  readonly #receivers = new Map<Source, RTCRtpReceiver>();
  #publication: Publication = new Map();
  #live = false;
  #refreshed = Number.NEGATIVE_INFINITY;
  readonly #ear = new Ear();

  /** `maker` says that this side made the link: it offers first and is the polite one. `kind` is absent for a main link. */
  constructor(
    readonly peer: string,
    id: string,
    maker: boolean,
    readonly prepared: Prepared,
    port: LinkPort,
    readonly kind?: LinkKind,
  ) {
    super(id, maker, prepared, port);
    this.#cover();
  }

  /** The channel for beats. */
  get beat(): RTCDataChannel {
    return this.prepared.beat;
  }

  /** What receives sound and pictures. */
  receivers(): Iterable<RTCRtpReceiver> {
    return this.#receivers.values();
  }

  /** The source of a track that arrives, by its id. */
  sourceOf(id: string): Source | null {
    for (const [source, receiver] of this.#receivers) if (receiver.track.id === id) return source;
    return null;
  }

  track(source: Source): MediaStreamTrack | null {
    return this.#receivers.get(source)?.track ?? null;
  }

  level(): number {
    return this.#ear.level(this.#receivers.get('microphone'));
  }

  carries(mid: string, direction: 'sent' | 'received'): Source | null {
    if (direction === 'sent') return [...this.#senders].find(([, place]) => place.mid === mid)?.[0] ?? null;
    const receiver = this.pc.getTransceivers().find((t) => t.mid === mid)?.receiver;
    return [...this.#receivers].find(([, known]) => known === receiver)?.[0] ?? null;
  }

  *senders(): Generator<readonly [Source, RTCRtpSender]> {
    for (const [source, {sender}] of this.#senders) yield [source, sender];
  }

  /** Sets what is sent from now on. Nothing leaves while `live` is false: the other side has no seat, or we have none. */
  publish(publication: Publication, live: boolean): void {
    this.#publication = publication;
    this.#live = live;
    for (const [source, {sender}] of this.#senders) {
      const track = live ? (publication.get(source) ?? null) : null;
      this.swap(source, sender, track, () => track?.kind === 'video' && prefer(sender, track));
    }
  }

  /**
   * Asks for pictures that can be drawn without those before them: after a gap the other side waits for what it missed,
   * up to 3 s in Chromium. A browser that does not know the question changes nothing. Once a second, whoever wants it.
   */
  refresh(): void {
    const now = performance.now();
    if (now - this.#refreshed < 1_000) return;
    this.#refreshed = now;
    for (const {sender} of this.#senders.values()) {
      if (sender.track?.kind !== 'video') continue;
      const parameters = sender.getParameters();
      const encodingOptions = (parameters.encodings ?? []).map(() => ({keyFrame: true}));
      sender.setParameters(parameters, {encodingOptions} as RTCSetParameterOptions).catch(() => {});
    }
  }

  receive(message: LinkMessage): void {
    if (message.type === 'renegotiate' && message.restart && this.maker) this.port.asked(message.elsewhere === true);
    else this.negotiation.receive(message);
  }

  // ---- Side

  override send<K extends 'offer' | 'answer'>(type: K, body: Omit<Body<K>, 'to' | 'from' | 'link'>): void {
    super.send(type, body);
    if (type === 'answer') this.#compare();
  }

  protected override dress(body: Omit<Body<'offer'>, 'to' | 'link'>): Omit<Body<'offer'>, 'to' | 'link'> {
    return this.kind ? {...body, kind: this.kind} : body;
  }

  bind(remote: readonly Track[], type: 'offer' | 'answer'): void {
    const transceivers = this.pc.getTransceivers();
    this.#cover();
    if (type === 'answer') this.#compare();
    else for (const transceiver of transceivers) this.port.seal?.prefer(transceiver);
    for (const {mid, source} of remote) {
      const found = transceivers.find((t) => t.mid === mid);
      if (found) this.#receivers.set(source, found.receiver);
    }
    if (type === 'offer' && !this.maker) this.#place(transceivers, remote);
    this.port.changed();
  }

  tracks(): Track[] {
    // The first offer is described before it is placed: its sections are ours, in our order.
    if (this.maker && !this.#senders.size) this.#place(this.pc.getTransceivers(), []);
    return Array.from(this.#senders, ([source, {mid}]) => ({mid, source}));
  }

  // ----

  /** In an encrypted room nothing flows that is not sealed. */
  #cover(): void {
    const {seal} = this.port;
    if (seal) for (const transceiver of this.pc.getTransceivers()) seal.cover(transceiver, this.peer);
  }

  /** Both descriptions are set: are they what the other side sees? */
  #compare(): void {
    this.port.seal?.described(this.peer, this.id, this.pc, (why) => this.port.broken(why, true));
  }

  /** Gives each source its section: the one the other side uses for it, otherwise the next free one of its kind. */
  #place(transceivers: readonly RTCRtpTransceiver[], remote: readonly Track[]): void {
    if (this.#senders.size) return;
    const streams = pairStreams();
    const free = transceivers.filter((t) => t.mid !== null);
    const sourceOf = new Map(remote.map(({mid, source}) => [mid, source]));
    const take = (source: Source, fits: (t: RTCRtpTransceiver) => boolean) => {
      const index = free.findIndex(fits);
      if (index < 0 || this.#senders.has(source)) return;
      const [transceiver] = free.splice(index, 1) as [RTCRtpTransceiver];
      if (!this.maker) {
        transceiver.direction = 'sendrecv';
        transceiver.sender.setStreams?.(streams(source));
      }
      this.#senders.set(source, {sender: transceiver.sender, mid: transceiver.mid ?? ''});
    };
    const kindOf = (t: RTCRtpTransceiver) => t.receiver.track.kind;
    for (const {source, kind} of sections)
      take(source, (t) => kindOf(t) === kind && sourceOf.get(t.mid ?? '') === source);
    for (const {source, kind} of sections) take(source, (t) => kindOf(t) === kind && !sourceOf.has(t.mid ?? ''));
    this.publish(this.#publication, this.#live);
  }
}

/** A picture of text keeps its size when the network is short of bandwidth, a moving one its frame rate. */
export function prefer(sender: RTCRtpSender, {contentHint}: MediaStreamTrack): void {
  if (!contentHint) return;
  const degradationPreference = contentHint === 'motion' ? 'maintain-framerate' : 'maintain-resolution';
  const parameters = {...sender.getParameters(), degradationPreference} as RTCRtpSendParameters;
  sender.setParameters(parameters).catch(() => {}); // the hint alone has to do
}
