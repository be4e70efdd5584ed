import {Adaptation, type Sample, type Sending} from './adaptation.js';
import {Senders} from './adaptation-senders.js';
import type {LinkStats, Path, Quality, TrackStats} from './api.js';
import type {Meter, Person} from './person.js';
import {History} from './quality-history.js';
import {Steady} from './quality-steady.js';
import {arriving, type Evidence, leaving, type Told, theirs} from './quality-verdict.js';
import {Figures} from './stats.js';
import type {Way} from './way.js';

/** A hidden page looks this often. */
const hiddenMs = 5_000;
/** Figures older than this say nothing about now. */
const staleMs = 6_000;
/** For how many looks a picture's stillness counts. */
const looks = 5;

interface MeterPort {
  /** There are new figures. */
  measured(): void;
  /** The picture on this link was paused, or flows again. */
  paused(paused: boolean, cause: string): void;
}

/** The figures of one person, from whatever link leads to them, and the plan for what is sent there. */
export class LinkMeter implements Meter {
  readonly history = new History();
  readonly #adaptation = new Adaptation();
  readonly #senders = new Senders();
  readonly #steady = new Steady();
  #figures = new Figures();
  #link: Way | null = null;
  #stats: LinkStats | null = null;
  #at = Number.NEGATIVE_INFINITY;
  #evidence: Evidence | null = null;
  #told: Told | null = null;
  #broken = false;
  /** Nothing came at the last look, or between two of them. */
  #cut = false;
  #paused = false;
  /** Of the last looks, the share of time in which the picture stood still. */
  #still: number[] = [];
  #frozenMs = 0;

  constructor(
    readonly person: Person,
    readonly port: MeterPort,
  ) {}

  get stats(): LinkStats | null {
    return this.#stats;
  }

  get evidence(): Evidence | null {
    return this.#evidence;
  }

  get told(): Told | null {
    return this.#told;
  }

  set told(told: Told | null) {
    const paused = told?.paused ?? false;
    if (paused !== (this.#told?.paused ?? false)) this.#still = [];
    this.#told = told;
    if (this.#evidence) {
      this.#evidence = {...this.#evidence, told};
      const verdict = theirs(this.#evidence);
      if (!this.#broken) this.#steady.take(verdict, performance.now(), paused);
    }
  }

  /** Whether what we send there does not arrive well, and what they send, here. */
  get loses(): boolean {
    return this.#evidence !== null && leaving(this.#evidence).level < 2;
  }
  get misses(): boolean {
    return this.#evidence !== null && arriving(this.#evidence).level < 2;
  }

  get quality(): Quality {
    const {level, reason} = this.#steady;
    const sound = this.#evidence && arriving(this.#evidence).sound;
    const paused = this.#told?.paused === true && this.person.media.camera;
    return {level, reason, paused, ...(sound && !this.#broken && {sound})};
  }

  wants(): boolean {
    return typeof document === 'undefined' || !document.hidden || performance.now() - this.#at >= hiddenMs;
  }

  fresh(now: number): boolean {
    return now - this.#at < staleMs;
  }

  /** Takes a change of the path; true when that alone changes the quality. */
  broke(kind: Path['kind']): boolean {
    const broken = this.#stats !== null && (kind === 'lost' || kind === 'connecting' || kind === 'none');
    if (kind === 'lost') this.#cut = true; // it may be whole again before the next look
    if (!broken || this.#broken) return false;
    this.#broken = true;
    return this.#steady.take({level: 0, reason: 'reconnecting'}, performance.now(), true);
  }

  take(link: Way): void {
    const {reports} = link;
    if (!reports) return;
    if (link !== this.#link) {
      this.#link = link;
      this.#figures = new Figures();
      this.#adaptation.moved();
      this.#still = [];
    }
    const now = performance.now();
    const cut = link.path.kind === 'lost';
    if (this.#cut && !cut) this.#adaptation.recovered(now);
    this.#cut = cut;
    const stats = this.#figures.take(reports, link.path, (mid, direction) => link.carries(mid, direction));
    this.#stats = stats;
    const seconds = (now - this.#at) / 1000;
    this.#at = now;
    this.#record(stats, now);
    this.#watch(stats, seconds);
    if (!cut) this.#adapt(link, stats, now);
    this.port.measured();
  }

  /** Judges the last look, with what the other links say beside it. */
  weigh(beside: Pick<Evidence, 'accessSwells' | 'othersLose' | 'othersMiss'>): void {
    const {stats} = this;
    if (!stats) return;
    const frozen = this.#still.reduce((sum, share) => sum + share, 0) / looks;
    this.#evidence = {
      stats,
      frozen,
      step: this.#sends().picture ? this.#adaptation.step : 0,
      paused: this.#paused,
      told: this.#told,
      ...beside,
    };
    const healed = this.#broken;
    this.#broken = false;
    this.#steady.take(theirs(this.#evidence), this.#at, healed);
  }

  #record({tracks, path}: LinkStats, now: number): void {
    const {history} = this;
    const of = (direction: TrackStats['direction']) => tracks.filter((t) => t.direction === direction);
    const bps = (list: TrackStats[]) =>
      list.some((t) => t.bps !== undefined) ? list.reduce((sum, t) => sum + (t.bps ?? 0), 0) : undefined;
    const lost = (list: TrackStats[]) =>
      list.reduce<number | undefined>(
        (worst, {lostPercent: p}) => (p === undefined ? worst : Math.max(p, worst ?? 0)),
        undefined,
      );
    history.advance(now);
    history.put('receivedBps', bps(of('received')));
    history.put('sentBps', bps(of('sent')));
    history.put('receivedLost', lost(of('received')));
    history.put('sentLost', lost(of('sent')));
    history.put('rttMs', path.rttMs);
  }

  /** Watches for a picture that should move and does not. One that is off or paused is no fault. */
  #watch({tracks}: LinkStats, seconds: number): void {
    const camera = tracks.find((t) => t.source === 'camera' && t.direction === 'received');
    const frozenMs = camera?.frozenMs ?? 0;
    const counted = Number.isFinite(seconds) ? (frozenMs - this.#frozenMs) / (1000 * seconds) : 0;
    this.#frozenMs = frozenMs;
    const expected = camera && this.person.media.camera && !this.#told?.paused;
    if (!expected || camera.fps === undefined) {
      this.#still = [];
      return;
    }
    // A browser counts a standstill when it is over; while it lasts, no frames come.
    this.#still.push(Math.min(1, Math.max(0, counted, camera.fps === 0 ? 1 : 0)));
    if (this.#still.length > looks) this.#still.shift();
  }

  #sends(): Sending & {picture: boolean} {
    let [camera, screen]: [boolean, Sending['screen']] = [false, null];
    for (const [source, {track}] of this.#link?.senders() ?? []) {
      if (source === 'camera') camera = track !== null;
      if (source === 'screen' && track) screen = track.contentHint === 'motion' ? 'motion' : 'text';
    }
    return {camera, screen, picture: camera || screen !== null};
  }

  #adapt(link: Way, stats: LinkStats, at: number): void {
    const sending = this.#sends();
    const plan = this.#adaptation.next(sampleOf(stats, at), sending);
    if (link.follow) link.follow(plan);
    else void this.#senders.apply(plan, link.senders());
    const paused = plan.paused && sending.picture;
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.port.paused(paused, paused ? 'upload-small' : 'none');
  }
}

/** What adaptation wants to know of the figures. */
function sampleOf({tracks, path, availableBps}: LinkStats, at: number): Sample {
  const sent = tracks.filter((t) => t.direction === 'sent');
  const sound = sent.find((t) => t.source === 'microphone');
  const pictures = sent.filter((t) => t.source === 'camera' || t.source === 'screen');
  const active = pictures.filter((t) => (t.bps ?? 0) > 0);
  const worst = Math.max(...active.map((t) => t.lostPercent ?? 0), -1);
  return {
    at,
    availableBps,
    soundLost: sound?.lostPercent,
    pictureLost: worst < 0 ? undefined : worst,
    // Reports about pictures come every second; those about sound may be five seconds old.
    rttMs: active.find((t) => t.rttMs !== undefined)?.rttMs ?? path.rttMs ?? sound?.rttMs,
    limited: active.some((t) => t.limited === 'bandwidth'),
  };
}
