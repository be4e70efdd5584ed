import type {Body, LinkMessage, Outgoing} from './message.js';
import type {Track} from './wire.gen.js';

/** What a negotiation needs of an RTCPeerConnection. */
export type Connection = Pick<
  RTCPeerConnection,
  | 'signalingState'
  | 'localDescription'
  | 'remoteDescription'
  | 'setLocalDescription'
  | 'setRemoteDescription'
  | 'addIceCandidate'
  | 'restartIce'
>;

type Spoken = 'offer' | 'answer';

/** How long an offer may stay unanswered before it is sent again. */
export const answerMs = 2_500;
/** How often it is. */
const maxRepeats = 3;

/** The link that a negotiation works for. */
export interface Side {
  /** The side that gives way when both offer at once. */
  readonly polite: boolean;
  send<K extends Spoken>(type: K, body: Omit<Body<K>, 'to' | 'from' | 'link'>): void;
  /** A remote description is set; on an offer, the transceivers may be prepared for the answer. */
  bind(remote: readonly Track[], type: Spoken): void;
  /** What each media section carries from here. */
  tracks(): Track[];
  /** A step was rejected. A fatal one leaves the two sides with different ideas: only a new link helps. */
  fault(step: keyof Outgoing, error: unknown, fatal: boolean): void;
}

interface Words {
  sdp: string;
  tracks: Track[];
}

/**
 * Perfect negotiation (RFC 8829 §4, W3C WebRTC §10.7) over ordered signalling. Every step runs after the one before it
 * has ended, and every rejection ends in {@link Side.fault}. What arrives twice is known by its description: a server
 * that lost its memory makes the sides repeat themselves, and so does an offer without an answer ({@link Negotiation.watch}),
 * which otherwise would block every other.
 */
export class Negotiation {
  #queue: Promise<void> = Promise.resolve();
  #wanted: {restart: boolean} | null = null;
  #restarting = false; // our pending offer restarts ICE
  #early: RTCIceCandidateInit[] = []; // candidates before any remote description
  #pending: (Words & {waited: number; repeats: number}) | null = null; // our offer that has no answer yet
  #answered: {offer: string; answer: Words} | null = null; // their newest offer, and what we said
  #accepted = ''; // the newest answer that we took
  #restarts = 0; // of the other side's ICE
  #closed = false;

  constructor(
    readonly pc: Connection,
    readonly side: Side,
  ) {}

  /** Makes an offer as soon as the signalling state allows it. */
  offer(restart = false): void {
    this.#wanted = {restart: restart || (this.#wanted?.restart ?? false)};
    this.#run('offer', () => this.#offer());
  }

  /** Sends an offer that was set as local description long before, with all that was gathered since. */
  offerPrepared(ready: Promise<void>): void {
    this.#run('offer', async () => {
      await ready;
      this.#sendOffer();
    });
  }

  receive(message: LinkMessage): void {
    switch (message.type) {
      case 'offer':
        this.#run('answer', () => this.#answer(message.sdp, message.tracks ?? []));
        return;
      case 'answer':
        this.#run('offer', () => this.#accept(message.sdp, message.tracks ?? []));
        return;
      case 'candidate':
        this.#run('candidate', () => this.#candidate(message.candidate));
        return;
      case 'end-of-candidates': {
        const usernameFragment = message.usernameFragment ?? null;
        this.#run('end-of-candidates', () =>
          this.#candidate({candidate: '', sdpMid: '0', sdpMLineIndex: 0, usernameFragment}),
        );
        return;
      }
      case 'renegotiate':
        this.offer(message.restart);
    }
  }

  /**
   * Takes the time for which our offer could have been answered since the last call, and sends it again when it was too
   * long. An offer that is never answered is a fault.
   */
  watch(ms: number): void {
    const pending = this.#pending;
    if (!pending || this.#closed) return;
    pending.waited += ms;
    if (pending.waited < answerMs) return;
    pending.waited = 0;
    if (pending.repeats++ < maxRepeats) this.side.send('offer', {sdp: pending.sdp, tracks: pending.tracks});
    else this.side.fault('offer', new Error('no answer'), true);
  }

  /** An offer of ours that restarts ICE has no answer yet: another one would do no more. */
  get restarting(): boolean {
    return this.#pending !== null && this.#restarting;
  }

  /** An offer of ours has no answer yet. */
  get waiting(): boolean {
    return this.#pending !== null;
  }

  /** Resolves when everything asked for so far is done. */
  settled(): Promise<void> {
    return this.#queue;
  }

  close(): void {
    this.#closed = true;
  }

  #run(step: keyof Outgoing, work: () => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      if (this.#closed) return;
      try {
        await work();
      } catch (error) {
        const fatal = step === 'offer' || step === 'answer';
        if (!this.#closed) this.side.fault(step, error, fatal);
      }
    });
  }

  async #offer(): Promise<void> {
    // When an offer is on its way already, the wish waits until the state is stable again.
    if (!this.#wanted || this.pc.signalingState !== 'stable') return;
    const {restart} = this.#wanted;
    this.#wanted = null;
    if (restart) this.pc.restartIce();
    this.#restarting = restart;
    await this.pc.setLocalDescription();
    this.#sendOffer();
  }

  #sendOffer(): void {
    if (this.#closed) return;
    const words = {sdp: this.pc.localDescription?.sdp ?? '', tracks: this.side.tracks()};
    this.#pending = {...words, waited: 0, repeats: 0};
    this.side.send('offer', words);
  }

  async #answer(sdp: string, tracks: readonly Track[]): Promise<void> {
    if (sdp === this.#answered?.offer) {
      this.side.send('answer', this.#answered.answer); // the first one may have been lost
      return;
    }
    if (this.pc.signalingState !== 'stable') {
      if (!this.side.polite) return; // ours wins; the other side takes its own back and answers
      await this.pc.setLocalDescription({type: 'rollback'});
      this.#pending = null;
      if (this.#restarting) this.#wanted = {restart: true};
    }
    // An offer that restarts ICE does what our own, taken back, wanted.
    if (await this.#describe('offer', sdp)) this.#wanted = null;
    this.side.bind(tracks, 'offer');
    await this.pc.setLocalDescription();
    if (this.#closed) return;
    const answer = {sdp: this.pc.localDescription?.sdp ?? '', tracks: this.side.tracks()};
    this.#answered = {offer: sdp, answer};
    this.side.send('answer', answer);
    await this.#stable();
  }

  async #accept(sdp: string, tracks: readonly Track[]): Promise<void> {
    // To an offer that was taken back, or for the second time.
    if (this.pc.signalingState !== 'have-local-offer' || sdp === this.#accepted) return;
    await this.#describe('answer', sdp);
    this.#accepted = sdp;
    this.#pending = null;
    this.side.bind(tracks, 'answer');
    await this.#stable();
  }

  /** Takes a description of the other side, and says whether it restarts ICE. */
  async #describe(type: Spoken, sdp: string): Promise<boolean> {
    const before = this.#generations()?.join();
    await this.pc.setRemoteDescription({type, sdp});
    const restarts = before !== undefined && before !== this.#generations()?.join();
    if (restarts) this.#restarts++;
    return restarts;
  }

  async #stable(): Promise<void> {
    this.#restarting = false;
    for (const candidate of this.#early.splice(0)) this.#run('candidate', () => this.#candidate(candidate));
    if (this.#wanted) this.#run('offer', () => this.#offer());
  }

  async #candidate({usernameFragment, ...given}: RTCIceCandidateInit): Promise<void> {
    const generations = this.#generations();
    if (!generations) {
      if (this.#early.length < 100) this.#early.push({usernameFragment: usernameFragment ?? null, ...given});
      return;
    }
    // Signalling keeps the order, so an unknown generation is an old one or belongs to an offer that lost.
    if (usernameFragment && !generations.includes(usernameFragment)) return;
    const candidate = {...given, candidate: outrank(given.candidate ?? '', this.#restarts)};
    await this.pc.addIceCandidate(usernameFragment ? {...candidate, usernameFragment} : candidate);
  }

  /** The ICE generations of the remote description, null while there is none. */
  #generations(): string[] | null {
    const sdp = this.pc.remoteDescription?.sdp;
    return sdp ? [...new Set(Array.from(sdp.matchAll(/^a=ice-ufrag:(\S+)/gm), (m) => m[1] ?? ''))] : null;
  }
}

/** What every candidate of a restarted ICE has, above the greatest of RFC 8445 §5.1.2.1 with a type preference of 126. */
const floor = 0x7f000000;
/** Bits of the given priority that are kept, below those of the number of the restart, and the greatest such number. */
const [kept, most] = [17, 127];

/**
 * A candidate of the other side with a priority above that of every candidate before the restart, and in the same order
 * among those after it; `restarts` counts from 1, and 0 leaves it as it is.
 *
 * Chromium does not check a pair on the same network as the selected one when that has the greater priority and was
 * heard of in the last 2.5 s. A device that loses its preferred network offers the other with less: for so long nobody
 * would try it, although we know better than ICE that the old pair is dead. ICE works whatever the two sides believe of
 * each other's priorities; only the order of the checks depends on it. Relays stay below what is direct.
 */
export function outrank(candidate: string, restarts: number): string {
  if (!restarts || / typ relay\b/.test(candidate)) return candidate;
  return candidate.replace(/^((?:candidate:)?\S+ \S+ \S+ )(\d+)/, (_, before: string, priority: string) => {
    const rank = (Number(priority) & 0x7fffffff) >>> (31 - kept);
    return before + (floor + Math.min(restarts, most) * 2 ** kept + rank);
  });
}
