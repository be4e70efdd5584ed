import type {Path, Source, Trouble} from './api.js';
import type {Carrier} from './channels.js';
import {loudness} from './level.js';
import type {Body, LinkMessage, Outgoing} from './message.js';
import {Negotiation, type Side} from './negotiation.js';
import {only} from './network.js';
import {pathOf, type Report, type Reports} from './path.js';
import {type Prepared, pairStreams} from './prepared.js';
import {type Publication, sections} from './publication.js';
import {sameLossMs, type TransportState} from './recovery.js';
import type {Seal} from './veil.js';
import type {LinkKind, Track} from './wire.gen.js';

/** The fields that every relayed message shares. */
type Address = 'to' | 'from' | 'link';

/** How many bytes of small messages may wait for a path before more of them are refused. */
const maxUntold = 262_144;

/** What a link asks of the one who keeps it. */
export interface LinkPort {
  send<K extends LinkMessage['type']>(type: K, body: Omit<Body<K>, Address>): number;
  /** Servers with credentials that are good for a restart. */
  freshServers(): Promise<RTCIceServer[]>;
  /** Tracks, state or path changed. */
  changed(): void;
  /** This machine has found an address that the other side may reach it at. */
  found(): void;
  /** It is connected, for the first time or again. */
  connected(): void;
  /** Only a new link helps; a hopeless one carries nothing any more. */
  broken(why: string, hopeless: boolean): void;
  /** The other side asks for an ICE restart. */
  asked(): void;
  trouble(kind: Trouble['kind'], detail: string): void;
  /** Whether somebody looks at the numbers. */
  watched(): boolean;
  /** The other side opened a data channel. */
  channel(channel: RTCDataChannel): void;
  /** The other side's SDK said something. */
  control(text: unknown): void;
  /** What encrypts in an encrypted room. */
  readonly seal: Seal | null;
}

/** One RTCPeerConnection with one other session. */
export class Link implements Side, Carrier {
  readonly #negotiation: Negotiation;
  readonly #pc: RTCPeerConnection;
  readonly #control: RTCDataChannel;
  readonly #senders = new Map<Source, {sender: RTCRtpSender; mid: string; track: MediaStreamTrack | null}>();
  readonly #receivers = new Map<Source, RTCRtpReceiver>();
  #publication: Publication = new Map();
  #live = false;
  #state: TransportState = 'connecting';
  #lost = false;
  #described = false; // an offer or answer has left, so candidates may follow
  #closed = false;
  #gathered = false; // an address of ours
  #path: Path = {kind: 'connecting'};
  #reports: Reports | null = null;
  #connectedAt = 0;
  #offered = 0;
  #restartedAt = Number.NEGATIVE_INFINITY;
  #heard = {timestamp: 0, at: 0};
  readonly #ticker: ReturnType<typeof setInterval>;

  /** `maker` says that this side made the link: it offers first and is the polite one. `kind` is absent for a main link. */
  constructor(
    readonly peer: string,
    readonly id: string,
    readonly maker: boolean,
    readonly prepared: Prepared,
    readonly port: LinkPort,
    readonly kind?: LinkKind,
  ) {
    const {pc} = prepared;
    this.#pc = pc;
    this.#control = prepared.control;
    this.#control.onmessage = ({data}) => port.control(data);
    pc.ondatachannel = ({channel}) => port.channel(channel);
    this.#negotiation = new Negotiation(pc, this);
    this.#control.onclose = () => this.#closed || this.port.broken('the data channels ended', false);
    this.#ticker = setInterval(() => void this.#tick(), 1_000);
    pc.onicecandidate = ({candidate}) => this.#trickle(candidate);
    pc.onconnectionstatechange = () => this.#changed();
    this.#cover();
    if (maker) this.#negotiation.offerPrepared(prepared.ready);
  }

  get polite(): boolean {
    return this.maker;
  }

  get path(): Path {
    return this.#path;
  }

  get state(): TransportState {
    return this.#state;
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  /** It was connected once. */
  get proven(): boolean {
    return this.#connectedAt > 0;
  }

  /** The channel for beats. */
  get beat(): RTCDataChannel {
    return this.prepared.beat;
  }

  /** It may take a part of the ways only. */
  get restricted(): boolean {
    return this.prepared.fits !== undefined;
  }

  /** How long ago it was begun, in milliseconds. */
  get age(): number {
    return performance.now() - this.prepared.at;
  }

  /** What receives sound and pictures. */
  receivers(): Iterable<RTCRtpReceiver> {
    return this.#receivers.values();
  }

  getStats(): Promise<RTCStatsReport> {
    return this.#pc.getStats();
  }

  /** It did connect, and not just now: what breaks it is a new problem. */
  get steady(): boolean {
    return this.#connectedAt > 0 && performance.now() - this.#connectedAt > 10_000;
  }

  /** The number of the message that carried the first offer; 0 before, and on the side that answers. */
  get offered(): number {
    return this.#offered;
  }

  /** The source of a track that arrives, by its id. */
  sourceOf(id: string): Source | null {
    for (const [source, receiver] of this.#receivers) if (receiver.track.id === id) return source;
    return null;
  }

  /** What arrives, by source; whether anything is sent on it is for the seat to say. */
  track(source: Source): MediaStreamTrack | null {
    return this.#receivers.get(source)?.track ?? null;
  }

  /** Loudness 0…1 of what the microphone of the other side sends now. */
  level(): number {
    const source = this.#receivers.get('microphone')?.getSynchronizationSources?.()[0];
    if (!source) return 0;
    const now = performance.now();
    // Browsers count the time of a source from different origins, so only its standing still tells silence.
    if (source.timestamp !== this.#heard.timestamp) this.#heard = {timestamp: source.timestamp, at: now};
    return now - this.#heard.at > 500 ? 0 : loudness(source.audioLevel ?? 0);
  }

  /** The last look at the statistics, another object each time; null without a connection. */
  get reports(): Reports | null {
    return this.#reports;
  }

  /** The source that a section carries in a direction. */
  carries(mid: string, direction: 'sent' | 'received'): Source | null {
    if (direction === 'sent') return [...this.#senders].find(([, place]) => place.mid === mid)?.[0] ?? null;
    const receiver = this.#pc.getTransceivers().find((t) => t.mid === mid)?.receiver;
    return [...this.#receivers].find(([, known]) => known === receiver)?.[0] ?? null;
  }

  /** What sends each source here. */
  *senders(): Generator<readonly [Source, RTCRtpSender]> {
    for (const [source, {sender}] of this.#senders) yield [source, sender];
  }

  /** Sets what is sent from now on. Nothing leaves while `live` is false: the other side has no seat, or we have none. */
  publish(publication: Publication, live: boolean): void {
    this.#publication = publication;
    this.#live = live;
    for (const [source, place] of this.#senders) {
      const track = live ? (publication.get(source) ?? null) : null;
      if (track === place.track) continue;
      place.track = track;
      place.sender.replaceTrack(track).then(
        () => track && track.kind === 'video' && prefer(place.sender, track),
        (error) => !this.#closed && this.port.trouble('negotiation', `replaceTrack ${source}: ${error}`),
      );
    }
  }

  receive(message: LinkMessage): void {
    if (message.type === 'renegotiate' && message.restart && this.maker) this.port.asked();
    else this.#negotiation.receive(message);
  }

  /** Says that the path does not work, or does again: what is shown follows. */
  lose(lost: boolean): void {
    if (lost === this.#lost) return;
    this.#lost = lost;
    if (lost) this.#path = {kind: 'lost'};
    else void this.#sample();
    this.port.changed();
  }

  /** See {@link Negotiation.restarting}. */
  get restarting(): boolean {
    return this.#negotiation.restarting;
  }

  /** See {@link Negotiation.watch}. */
  watch(ms: number): void {
    this.#negotiation.watch(ms);
  }

  /** The server counts anew: numbers of before mean nothing. */
  renumber(): void {
    this.#offered = 0;
  }

  // ---- Carrier

  open(label: string, init: RTCDataChannelInit): RTCDataChannel {
    return this.#pc.createDataChannel(label, init);
  }

  tell(text: string): boolean {
    if (this.#control.readyState !== 'open' || this.#control.bufferedAmount > maxUntold) return false;
    try {
      this.#control.send(text);
      return true;
    } catch {
      return false; // it closes
    }
  }

  // ----

  close(): void {
    this.#closed = true;
    this.#negotiation.close();
    clearInterval(this.#ticker);
    this.#pc.onicecandidate = this.#pc.onconnectionstatechange = this.#pc.ondatachannel = null;
    this.#control.onclose = null;
    this.#pc.close();
  }

  // ---- Side

  send<K extends 'offer' | 'answer'>(type: K, body: Omit<Body<K>, Address>): void {
    this.#described = true;
    const n = this.port.send(type, type === 'offer' && this.kind ? {...body, kind: this.kind} : body);
    if (type === 'answer') this.#compare();
    if (type === 'offer') this.#offered ||= n;
  }

  bind(remote: readonly Track[], type: 'offer' | 'answer'): void {
    const transceivers = this.#pc.getTransceivers();
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
    if (this.maker && !this.#senders.size) this.#place(this.#pc.getTransceivers(), []);
    return Array.from(this.#senders, ([source, {mid}]) => ({mid, source}));
  }

  fault(step: keyof Outgoing, error: unknown, fatal: boolean): void {
    this.port.trouble('negotiation', `${step}: ${error}`);
    if (fatal) this.port.broken(`${step}: ${error}`, false);
  }

  // ----

  /** In an encrypted room nothing flows that is not sealed. */
  #cover(): void {
    const {seal} = this.port;
    if (seal) for (const transceiver of this.#pc.getTransceivers()) seal.cover(transceiver, this.peer);
  }

  /** Both descriptions are set: are they what the other side sees? */
  #compare(): void {
    this.port.seal?.described(this.peer, this.id, this.#pc, (why) => this.port.broken(why, true));
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
      this.#senders.set(source, {sender: transceiver.sender, mid: transceiver.mid ?? '', track: null});
    };
    const kindOf = (t: RTCRtpTransceiver) => t.receiver.track.kind;
    for (const {source, kind} of sections)
      take(source, (t) => kindOf(t) === kind && sourceOf.get(t.mid ?? '') === source);
    for (const {source, kind} of sections) take(source, (t) => kindOf(t) === kind && !sourceOf.has(t.mid ?? ''));
    this.publish(this.#publication, this.#live);
  }

  #trickle(candidate: RTCIceCandidate | null): void {
    this.#gathered ||= !!candidate?.candidate;
    if (!candidate?.candidate && this.restricted && !this.#gathered) {
      this.port.broken('no relay to be had', true); // before the browser tries for long, and complains
      return;
    }
    if (!this.#described) return; // it is in the description that is still to leave
    if (!candidate?.candidate) {
      const usernameFragment = candidate?.usernameFragment ?? '';
      this.port.send('end-of-candidates', usernameFragment ? {usernameFragment} : {});
      return;
    }
    this.port.found();
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

  #changed(): void {
    const {connectionState, iceConnectionState} = this.#pc;
    const ice = iceConnectionState === 'connected' || iceConnectionState === 'completed';
    const state = (
      connectionState === 'new' || connectionState === 'closed' ? 'connecting' : connectionState
    ) as TransportState;
    if (this.#closed || state === this.#state) return;
    this.#state = state;
    if (state === 'connected') {
      this.#connectedAt = performance.now();
      void this.#sample();
      this.port.connected();
    } else if (state === 'failed' && ice) {
      this.port.broken('DTLS failed', true); // no restart of ICE helps
      return;
    } else if (!this.#connectedAt) {
      // A restart that is under way is still a loss until it succeeds.
      this.#path = {kind: state === 'connecting' ? 'connecting' : 'lost'};
      this.#reports = null;
    }
    this.port.changed();
  }

  /**
   * Begins ICE anew with fresh servers, or asks the other side to: it does so only when it is the maker. While an offer
   * to do so waits for its answer, another one is made only for a network that is another one since (`anew`).
   */
  async restart(anew = false): Promise<void> {
    if (!anew && this.#negotiation.restarting) return;
    const now = performance.now();
    if (now - this.#restartedAt < sameLossMs) return; // both sides noticed the same loss
    this.#restartedAt = now;
    const servers = await this.port.freshServers();
    if (this.#closed) return;
    const {fits} = this.prepared;
    const iceServers = fits ? only(servers, fits) : servers;
    try {
      this.#pc.setConfiguration({...this.#pc.getConfiguration(), iceServers});
    } catch (error) {
      this.port.trouble('connection', `setConfiguration: ${error}`); // the old servers may still do
    }
    // Only the maker restarts: were the sides of an offer to change, Firefox would change its DTLS role with them.
    if (this.maker) this.#negotiation.offer(true);
    else this.port.send('renegotiate', {restart: true});
  }

  async #tick(): Promise<void> {
    // The pair may still change in the first seconds; later only a reader makes it worth a look.
    if (this.connected && (!this.steady || this.port.watched())) await this.#sample();
  }

  async #sample(): Promise<void> {
    try {
      const reports = new Map<string, Report>();
      (await this.#pc.getStats()).forEach((report: Report) => void reports.set(report.id, report));
      if (this.#closed || !this.connected) return;
      this.#reports = reports;
      const urls = (this.#pc.getConfiguration().iceServers ?? []).flatMap((s) => s.urls);
      const path = pathOf(
        reports,
        urls.filter((url) => url.startsWith('turn')),
      );
      if (!this.#lost) this.#path = path;
      this.port.changed();
    } catch {
      // the connection was closed meanwhile
    }
  }
}

/** A picture of text keeps its size when the network is short of bandwidth, a moving one its frame rate. */
function prefer(sender: RTCRtpSender, {contentHint}: MediaStreamTrack): void {
  if (!contentHint) return;
  const degradationPreference = contentHint === 'motion' ? 'maintain-framerate' : 'maintain-resolution';
  const parameters = {...sender.getParameters(), degradationPreference} as RTCRtpSendParameters;
  sender.setParameters(parameters).catch(() => {}); // the hint alone has to do
}
