/**
 * Decides what a link may send, second by second: sound first, then the frame rate or the size of the picture by what
 * it shows, and no picture at all when there is no room for one beside the sound. docs/adr/0013 has the reasons.
 *
 * It is pure: time and figures come in, a plan comes out, nothing is touched. The browser's own congestion control
 * works below it, within what the plan allows.
 */

import {type PictureState, type Plan, plan, type Sending, steps} from './adaptation-plan.js';

export type {Plan, SenderPlan, Sending} from './adaptation-plan.js';

/** What is known of the way out at a moment. Losses in percent, as the other side reports. */
export interface Sample {
  /** Milliseconds of a clock that never goes back. */
  at: number;
  availableBps?: number | undefined;
  soundLost?: number | undefined;
  pictureLost?: number | undefined;
  rttMs?: number | undefined;
  /** The encoder says that bandwidth holds it back. */
  limited?: boolean | undefined;
}

/** What sound takes beside its own bits: 50 packets a second with IP, UDP, RTP and SRTP around them. */
const soundOverheadBps = 24_000;
/** Below this a picture is not worth what it takes from the sound. */
const leastPictureBps = 60_000;
/** How long a fault lasts before it counts, so that one bad second moves nothing. */
const sureMs = 1_000;
/** How long sound has to suffer at the lowest step before the picture goes. */
const sufferMs = 3_000;
/** How long the last small frames of a picture have to get through. */
const fadeMs = 3_000;
/** How long a picture lives on its first try before it is believed, and how long it may take to prove itself. */
const proofMs = 4_000;
const patienceMs = 8_000;
/** How long before a step up, or a try after a pause; more after each one that fails. */
const firstHoldMs = 4_000;
const firstWaitMs = 5_000;
const longestMs = 60_000;
/** A round trip that grows by less than this, without a loss, may be anything; a busy machine is enough. */
const swellMs = 600;
/** A step that lasted this long was right. */
const provenMs = 20_000;
/** Congestion control finds out what the path carries; until then its estimate is a guess. */
const warmUpMs = 6_000;
/** Reports about sound are up to so old. One that covers a cut of the way tells nothing of the way as it is now. */
const reportMs = 6_000;

/** With an estimate the proof is quicker when there is plenty of room, and there is none without room. */
function provedAfter(room: number): number {
  return room >= 2 * leastPictureBps ? proofMs / 2 : room >= leastPictureBps ? proofMs : Number.POSITIVE_INFINITY;
}

/** How a second looks: `poor` costs a step, `dire` costs the picture, `calm` allows more, `fair` changes nothing. */
type Weather = 'dire' | 'poor' | 'fair' | 'calm';

export class Adaptation {
  #state: PictureState = 'open';
  #step = 0;
  #weather: Weather = 'fair';
  #since = 0;
  #enteredAt = Number.NEGATIVE_INFINITY;
  #beganAt: number | null = null;
  /** The last change was a step up. */
  #rose = false;
  #hold = firstHoldMs;
  #wait = firstWaitMs;
  #leastRtt = Number.POSITIVE_INFINITY;
  #suffersSince: number | null = null;
  #deafUntil = Number.NEGATIVE_INFINITY;

  /** Whether the picture is held back altogether. */
  get paused(): boolean {
    return this.#state !== 'open';
  }

  /** 0 when nothing is held back; the last step is the smallest picture. */
  get step(): number {
    return this.#step;
  }

  /** Takes a look at the way out and says what may be sent until the next one. */
  next(seen: Sample, sending: Sending): Plan {
    const sample = seen.at < this.#deafUntil ? {...seen, soundLost: undefined, pictureLost: undefined} : seen;
    const picture = sending.camera || sending.screen !== null;
    this.#beganAt = picture ? (this.#beganAt ?? sample.at) : null;
    this.#observe(sample);
    if (this.#state === 'open') {
      if (picture) this.#run(sample);
    } else if (this.#state === 'fading') {
      if (sample.at - this.#enteredAt >= fadeMs) this.#state = 'paused';
    } else if (this.#state === 'paused') this.#rest(sample, picture);
    else this.#prove(sample, picture);
    return plan(this.#step, this.#state, sending);
  }

  /** Forgets what was learned of a path: another one is in use. A picture that is paused stays so until it is tried. */
  moved(): void {
    this.#leastRtt = Number.POSITIVE_INFINITY;
    this.#beganAt = null;
    this.#hold = firstHoldMs;
    this.#wait = Math.min(this.#wait, firstWaitMs);
  }

  /** The same path carries again after it was cut: what was lost meanwhile, and the estimate that fell with it, say nothing. */
  recovered(at: number): void {
    this.#deafUntil = at + reportMs;
    this.#beganAt = null;
  }

  #observe(sample: Sample): void {
    const {at, rttMs, soundLost = 0} = sample;
    // The shortest round trip stands for the empty path; it is forgotten slowly, since paths change.
    if (rttMs !== undefined) this.#leastRtt = Math.min(rttMs, this.#leastRtt + 2);
    const weather = this.#look(sample);
    if (weather !== this.#weather) this.#since = at;
    this.#weather = weather;
    this.#suffersSince = soundLost >= 8 ? (this.#suffersSince ?? at) : null;
  }

  #look(sample: Sample): Weather {
    const {rttMs = 0, soundLost = 0, pictureLost = 0, limited} = sample;
    const room = this.#room(sample);
    const swollen = rttMs > Math.max(2 * this.#leastRtt, this.#leastRtt + 250);
    const drowned = rttMs > this.#leastRtt + 1_500;
    if (soundLost >= 20 || drowned || room < leastPictureBps) return 'dire';
    const lost = Math.max(soundLost, pictureLost);
    const need = (steps[this.#step] as (typeof steps)[number]).needBps;
    // An estimate below the need counts only while the encoder wants more: a still picture leaves it low.
    if (lost >= 10 || (swollen && lost >= 2) || (room < need && limited !== false)) return 'poor';
    return lost < 3 && rttMs <= this.#leastRtt + swellMs ? 'calm' : 'fair';
  }

  /** What the estimate leaves for the picture; endless where the browser has none, or does not know yet. */
  #room({at, availableBps, soundLost = 0}: Sample): number {
    const cold = this.#beganAt === null || at - this.#beganAt < warmUpMs;
    if (availableBps === undefined || (cold && soundLost < 10 && this.#state === 'open'))
      return Number.POSITIVE_INFINITY;
    return availableBps - (soundOverheadBps + (steps[this.#step]?.soundBps ?? 32_000));
  }

  #run(sample: Sample): void {
    const {at} = sample;
    const lasted = at - this.#since;
    const lowest = this.#step === steps.length - 1;
    const suffered = this.#suffersSince === null ? 0 : at - this.#suffersSince;
    const room = this.#room(sample);
    if (this.#weather === 'dire' && lasted >= sureMs) {
      if (lowest || room < leastPictureBps) this.#pause(at);
      else this.#enter(steps.length - 1, at);
    } else if (lowest && suffered >= sufferMs) {
      this.#pause(at);
    } else if (this.#weather === 'poor' && lasted >= sureMs && !lowest) {
      this.#fall(room, at);
    } else if (this.#weather === 'calm' && this.#step > 0 && lasted >= this.#hold && this.#fits(sample, room)) {
      this.#enter(this.#step - 1, at);
    } else if (this.#rose && at - this.#enteredAt >= provenMs) {
      this.#hold = firstHoldMs;
      this.#wait = firstWaitMs;
    }
  }

  /** Whether the next step up has room, or the encoder has more than it uses. */
  #fits({limited}: Sample, room: number): boolean {
    return limited !== true || room >= (steps[this.#step - 1]?.needBps ?? 0);
  }

  #fall(room: number, at: number): void {
    // A step up that falls back at once was too early: the next one waits longer.
    if (this.#rose && at - this.#enteredAt < provenMs) this.#hold = Math.min(longestMs, this.#hold * 2);
    let step = this.#step + 1;
    while (step < steps.length - 1 && room < (steps[step]?.needBps ?? 0)) step++;
    this.#enter(step, at);
  }

  #enter(step: number, at: number): void {
    this.#rose = step < this.#step;
    this.#step = step;
    this.#enteredAt = this.#since = at;
  }

  #pause(at: number): void {
    this.#state = 'fading';
    this.#enter(steps.length - 1, at);
    this.#suffersSince = null;
  }

  #rest(sample: Sample, picture: boolean): void {
    const {at, soundLost = 0, rttMs = 0} = sample;
    const clear = soundLost < 3 && rttMs <= this.#leastRtt + swellMs;
    if (!clear)
      this.#enteredAt = Math.max(this.#enteredAt, at - this.#wait + firstHoldMs / 2); // not now
    else if (at - this.#enteredAt >= this.#wait) {
      this.#state = picture ? 'trying' : 'open';
      this.#enter(steps.length - 1, at);
    }
  }

  #prove(sample: Sample, picture: boolean): void {
    const {at, availableBps, soundLost = 0, rttMs = 0} = sample;
    const tried = at - this.#enteredAt;
    const hurt = soundLost >= 8 || rttMs > this.#leastRtt + swellMs;
    const room = this.#room(sample);
    if (!picture) this.#state = 'open';
    else if (tried >= sureMs && hurt) this.#fail(at);
    else if (availableBps === undefined ? tried >= proofMs : tried >= provedAfter(room)) {
      this.#state = 'open';
      this.#beganAt = at;
      this.#enter(steps.length - 1, at);
    } else if (tried >= patienceMs) this.#fail(at);
  }

  #fail(at: number): void {
    this.#wait = Math.min(longestMs, this.#wait * 1.5);
    this.#pause(at);
  }
}
