import type {Path, Trouble} from './api.js';
import type {Body, LinkMessage, Outgoing} from './message.js';
import {Negotiation, type Side} from './negotiation.js';
import {pathOf, type Report, type Reports} from './path.js';
import type {Made} from './prepared.js';
import {sameLossMs, type TransportState} from './recovery.js';
import {only} from './ways.js';
import type {Source, Track} from './wire.gen.js';

/** The fields that every relayed message shares. */
type Address = 'to' | 'from' | 'link';

/** How many bytes of small messages may wait for a path before more of them are refused. */
const maxUntold = 262_144;

/** What a transport asks of the one who keeps it. */
export interface TransportPort {
  send<K extends LinkMessage['type']>(type: K, body: Omit<Body<K>, Address>): number;
  /** Servers with credentials that are good for a restart. */
  freshServers(): Promise<RTCIceServer[]>;
  /** Tracks, state or path changed. */
  changed(): void;
  /** It is connected, for the first time or again. */
  connected(): void;
  /** ICE has gone over to another pair of addresses. */
  moved?(): void;
  /** Only a new link helps; a hopeless one carries nothing any more. */
  broken(why: string, hopeless: boolean): void;
  trouble(kind: Trouble['kind'], detail: string): void;
  /** Whether somebody looks at the numbers. */
  watched(): boolean;
  /** The other side opened a data channel. */
  channel(channel: RTCDataChannel): void;
  /** The other side said something on the channel for small messages. */
  control(text: unknown): void;
}

/**
 * An RTCPeerConnection with what any of them needs: its negotiation and candidates, its state and path, restarts. What
 * its sections carry is for {@link Link} and the link with the hub to say.
 */
export abstract class Transport<P extends TransportPort = TransportPort> implements Side {
  protected readonly pc: RTCPeerConnection;
  protected readonly negotiation: Negotiation;
  readonly #control: RTCDataChannel;
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
  readonly #wished = new WeakMap<RTCRtpSender, MediaStreamTrack | null>();
  readonly #ticker: ReturnType<typeof setInterval>;

  /** `maker` says that this side made the link: it offers first and is the polite one. */
  constructor(
    readonly id: string,
    readonly maker: boolean,
    readonly made: Made,
    readonly port: P,
  ) {
    const {pc} = made;
    this.pc = pc;
    this.#control = made.control;
    this.#control.onmessage = ({data}) => port.control(data);
    pc.ondatachannel = ({channel}) => port.channel(channel);
    this.negotiation = new Negotiation(pc, this);
    this.#control.onclose = () => this.#closed || this.port.broken('the data channels ended', false);
    this.#ticker = setInterval(() => void this.#tick(), 1_000);
    pc.onicecandidate = ({candidate}) => this.#trickle(candidate);
    pc.onconnectionstatechange = () => this.#changed();
    if (maker) this.negotiation.offerPrepared(made.ready);
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

  /** It did connect, and not just now: what breaks it is a new problem. */
  get steady(): boolean {
    return this.#connectedAt > 0 && performance.now() - this.#connectedAt > 10_000;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** It may take a part of the ways only. */
  get restricted(): boolean {
    return this.made.fits !== undefined;
  }

  /** How long ago it was begun, in milliseconds. */
  get age(): number {
    return performance.now() - this.made.at;
  }

  getStats(): Promise<RTCStatsReport> {
    return this.pc.getStats();
  }

  /** The number of the message that carried the first offer; 0 before, and on the side that answers. */
  get offered(): number {
    return this.#offered;
  }

  /** The last look at the statistics, another object each time; null without a connection. */
  get reports(): Reports | null {
    return this.#reports;
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
    return this.negotiation.restarting;
  }

  /** See {@link Negotiation.watch}. */
  watch(ms: number): void {
    this.negotiation.watch(ms);
  }

  /** The server counts anew: numbers of before mean nothing. */
  renumber(): void {
    this.#offered = 0;
  }

  open(label: string, init: RTCDataChannelInit): RTCDataChannel {
    return this.pc.createDataChannel(label, init);
  }

  /** Says something on the channel for small messages. Returns false when it cannot be said now. */
  tell(text: string): boolean {
    if (this.#control.readyState !== 'open' || this.#control.bufferedAmount > maxUntold) return false;
    try {
      this.#control.send(text);
      return true;
    } catch {
      return false; // it closes
    }
  }

  close(): void {
    this.#closed = true;
    this.negotiation.close();
    clearInterval(this.#ticker);
    this.pc.onicecandidate = this.pc.onconnectionstatechange = this.pc.ondatachannel = null;
    this.#control.onclose = null;
    this.pc.close();
  }

  /**
   * Begins ICE anew with fresh servers, or asks the other side to: it does so only when it is the maker. While an offer
   * to do so waits for its answer, another one is made only for a network that is another one since (`anew`). Whoever asks
   * may say that another link would do better (`elsewhere`).
   */
  async restart(anew = false, elsewhere = false): Promise<void> {
    if (!anew && this.negotiation.restarting) return;
    const now = performance.now();
    if (now - this.#restartedAt < sameLossMs) return; // both sides noticed the same loss
    this.#restartedAt = now;
    const servers = await this.port.freshServers();
    if (this.#closed) return;
    const {fits} = this.made;
    const iceServers = fits ? only(servers, fits) : servers;
    try {
      this.pc.setConfiguration({...this.pc.getConfiguration(), iceServers});
    } catch (error) {
      this.port.trouble('connection', `setConfiguration: ${error}`); // the old servers may still do
    }
    // Only the maker restarts: were the sides of an offer to change, Firefox would change its DTLS role with them.
    if (this.maker) this.negotiation.offer(true);
    else this.port.send('renegotiate', {restart: true, ...(elsewhere && {elsewhere})});
  }

  // ---- Side

  abstract bind(remote: readonly Track[], type: 'offer' | 'answer'): void;

  abstract tracks(): Track[];

  /** Adds to an offer what is said with it. */
  protected dress(body: Omit<Body<'offer'>, Address>): Omit<Body<'offer'>, Address> {
    return body;
  }

  send<K extends 'offer' | 'answer'>(type: K, body: Omit<Body<K>, Address>): void {
    this.#described = true;
    const n = this.port.send(
      type,
      type === 'offer' ? (this.dress(body as Omit<Body<'offer'>, Address>) as never) : body,
    );
    if (type === 'offer') this.#offered ||= n;
  }

  fault(step: keyof Outgoing, error: unknown, fatal: boolean): void {
    this.port.trouble('negotiation', `${step}: ${error}`);
    if (fatal) this.port.broken(`${step}: ${error}`, false);
  }

  // ----

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
    const {connectionState, iceConnectionState} = this.pc;
    const ice = iceConnectionState === 'connected' || iceConnectionState === 'completed';
    const state = (
      connectionState === 'new' || connectionState === 'closed' ? 'connecting' : connectionState
    ) as TransportState;
    if (this.#closed || state === this.#state) return;
    this.#state = state;
    if (state === 'connected') {
      this.#connectedAt = performance.now();
      const ice = this.pc.sctp?.transport?.iceTransport;
      if (ice) ice.onselectedcandidatepairchange = () => this.#closed || this.port.moved?.();
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

  async #tick(): Promise<void> {
    // The pair may still change in the first seconds; later only a reader makes it worth a look.
    if (this.connected && (!this.steady || this.port.watched())) await this.#sample();
  }

  /**
   * Sets what a sender sends. What was wished last is compared, not what is sent: a browser swaps tracks behind a negotiation
   * that is under way, so off and on again would end with off.
   */
  protected swap(source: Source, sender: RTCRtpSender, track: MediaStreamTrack | null, done: () => unknown): void {
    if (track === (this.#wished.get(sender) ?? null)) return;
    this.#wished.set(sender, track);
    sender.replaceTrack(track).then(done, (error) => {
      if (this.#wished.get(sender) === track) this.#wished.set(sender, sender.track); // the next publication tries again
      if (!this.#closed) this.port.trouble('negotiation', `replaceTrack ${source}: ${error}`);
    });
  }

  /** The way that the statistics tell. */
  protected wayOf(reports: Reports, relays: readonly string[]): Path {
    return pathOf(reports, relays);
  }

  async #sample(): Promise<void> {
    try {
      const reports = new Map<string, Report>();
      (await this.pc.getStats()).forEach((report: Report) => void reports.set(report.id, report));
      if (this.#closed || !this.connected) return;
      this.#reports = reports;
      const urls = (this.pc.getConfiguration().iceServers ?? []).flatMap((s) => s.urls);
      const path = this.wayOf(
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
