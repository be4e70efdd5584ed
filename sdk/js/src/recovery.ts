/** What a transport says about itself, over ICE and DTLS together. */
export type TransportState = 'connecting' | 'connected' | 'disconnected' | 'failed';

/** What is done about a path that is lost: another attempt of ICE, another transport, one over the relay by TLS only. */
export type Remedy = 'restart' | 'replace' | 'replace-tls';

/** The longest time to a first connection before anything is tried. */
export const connectMs = 10_000;
/** Two sides that notice the same loss mean the same restart. */
export const sameLossMs = 700;
/** A round trip that is longer than this is a queue: no remedy waits for all of it. */
export const farMs = 1_000;
/** What was well for so long is a new problem when it breaks. */
const calmMs = 2_500;

interface Rung {
  remedy: Remedy;
  ms: number;
}

/**
 * The remedies in their order, and how long each of them has before the next; the last two go on in turns. A restart has
 * helped after 0.2 to 0.5 s or will not for seconds: for 2.5 s after it has heard of its old pair Chromium checks one
 * other each half second, where a new transport checks twenty, and it learns late which networks there are.
 */
const ladder: readonly Rung[] = [
  {remedy: 'restart', ms: 400},
  {remedy: 'replace', ms: 3_500},
  {remedy: 'replace-tls', ms: 5_000},
  {remedy: 'replace', ms: 8_000},
  {remedy: 'replace-tls', ms: 12_000},
];
/** Where the network is another one, a restart has little to go on with: another transport is there first. */
const elsewhere: readonly Rung[] = [{remedy: 'replace', ms: 1_200}, {remedy: 'restart', ms: 2_300}, ...ladder.slice(1)];

/** What has to hold for a remedy to make sense. */
export interface Reach {
  /** What is sent leaves now. */
  online: boolean;
  /** The other one's client has a socket. */
  present: boolean;
  /** How much longer a remedy has than usual, in milliseconds: on a far way or a busy machine, while media goes another. */
  slack: number;
  /** The network is another one, or may be. */
  anew: boolean;
}

/**
 * Decides what is done about the main link of a pair, and when. It keeps the time it is given and knows no timer: it is
 * asked again and again, and gives each remedy once. It never gives up; after the first minute it is slow.
 */
export class Recovery {
  #step = 0;
  #ladder = ladder;
  #due = Number.POSITIVE_INFINITY;
  #lost = false;
  #since: number;
  #triedAt = Number.NEGATIVE_INFINITY;
  #news = Number.NEGATIVE_INFINITY; // when something came back, which may be heard of before the loss
  #first = true; // it has not been well yet
  #waiting = false; // a remedy went to somebody who is away: one is enough, it waits for them

  /** `random` is between 0 and 1. A link begins as one that has {@link connectMs} to connect. */
  constructor(
    now: number,
    readonly random: () => number,
  ) {
    this.#since = now;
    this.#due = now + connectMs;
  }

  /** The path does not work. */
  get lost(): boolean {
    return this.#lost;
  }

  /** How many remedies were tried since it was well. */
  get tries(): number {
    return this.#step;
  }

  /** The path works. */
  well(now: number): void {
    if (this.#lost || this.#due !== Number.POSITIVE_INFINITY) this.#since = now;
    else if (now - this.#since > calmMs) this.#step = 0;
    this.#lost = this.#first = this.#waiting = false;
    this.#due = Number.POSITIVE_INFINITY;
  }

  /** The path works no more. */
  ill(now: number): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#since = now;
    if (this.#news - this.#triedAt >= sameLossMs) this.#step = 0; // another loss than the one that was tried for
    // What breaks again at once is given the time that it would have had.
    this.#due = Math.max(now, this.#step ? this.#triedAt + this.#pause() : 0);
  }

  /** The network, the socket or the other one came back: what is lost starts over at once. */
  hurry(now: number): void {
    this.#waiting = false;
    this.#news = now;
    // A network that changes says so more than once.
    if (!this.#lost || now - this.#triedAt < sameLossMs) return;
    this.#step = 0;
    this.#due = now;
  }

  /**
   * The other side lost the path; `anew` as in {@link Reach}. Returns the remedy, unless one is under way already: a restart
   * is none for a side that is `elsewhere`, and who is not does not know.
   */
  asked(now: number, anew: boolean, elsewhere = false): Remedy | null {
    if (now - this.#triedAt < sameLossMs) {
      if (!elsewhere || this.#first || this.#step !== 1 || this.#ladder !== ladder) return null;
      this.#step = 0;
    }
    const remedy = this.#take(now, anew);
    this.#since = now;
    if (!this.#lost) this.#due = Number.POSITIVE_INFINITY;
    return remedy;
  }

  /** The remedy that is due now, or null. */
  next(now: number, {online, present, slack, anew}: Reach): Remedy | null {
    if (now < this.#due + (this.#step ? slack : 0) || !online || (this.#waiting && !present)) return null;
    this.#lost = true;
    this.#waiting = !present;
    return this.#take(now, anew);
  }

  #take(now: number, anew: boolean): Remedy {
    if (!this.#step) this.#ladder = anew && !this.#first ? elsewhere : ladder;
    const {remedy} = this.#rung();
    this.#triedAt = now;
    this.#step++;
    this.#due = now + this.#pause();
    return remedy;
  }

  #rung(step = this.#step): Rung {
    const {length} = this.#ladder;
    const over = step - length;
    return this.#ladder[over < 0 ? step : length - 2 + (over % 2)] as Rung;
  }

  #pause(): number {
    const ms = this.#first ? connectMs : this.#rung(Math.max(0, this.#step - 1)).ms;
    return ms * (0.85 + 0.3 * this.random());
  }
}
