import type {HubReach} from '../wire.gen.js';

/** How long the hub may take to be reached before it is said that it is not: the server waits for 12 s. */
export const reachMs = 9_500;

/** What is known of the way to the hub at a moment. */
export interface Contact {
  /** What is sent leaves now. */
  online: boolean;
  connected: boolean;
  /** For how long the hub has answered nothing; endless when it never has. */
  unanswered: number;
}

/** Decides what is said about whether this client reaches the hub: as soon as it is known, and again when that changes. */
export class Reach {
  #since: number | null = null; // when it was asked last
  #fresh = 0;
  #told: boolean | null = null;

  /** Finds out anew: there is a seat, or another network. */
  ask(now: number): void {
    this.#since = now;
    this.#fresh = now;
  }

  /** Whether a sign of life is needed. */
  get open(): boolean {
    return this.#since !== null || this.#told === false;
  }

  /** What is to be told now, or null. `why` is asked when it is not reached. */
  next(now: number, {online, connected, unanswered}: Contact): boolean | null {
    const proof = connected && now - unanswered > this.#fresh;
    if (this.#since === null) {
      // It was not reached, and is now. The other way round is a loss in a call, which is not that.
      return this.#told === false && proof ? this.#tell(true, now) : null;
    }
    if (!online) {
      this.#since = now; // nothing can be told, and the link cannot be made
      return null;
    }
    if (proof) return this.#tell(true, now);
    return now - this.#since > reachMs ? this.#tell(false, now) : null;
  }

  /** A switch has found out that it is not reached. */
  fail(now: number): void {
    this.#tell(false, now);
  }

  #tell(ok: boolean, now: number): boolean {
    this.#since = null;
    this.#told = ok;
    this.#fresh = now; // what is heard from now on may change that
    return ok;
  }
}

/** Tells a port that nothing gets to from one that answers, by the statistics of the link that did not come about. */
export async function whyNot(link: Pick<RTCPeerConnection, 'getStats'> | null): Promise<NonNullable<HubReach['why']>> {
  try {
    for (const report of (await link?.getStats())?.values() ?? []) {
      if (report.type === 'candidate-pair' && (report.responsesReceived > 0 || report.bytesReceived > 0))
        return 'failed';
    }
    return link ? 'blocked' : 'failed';
  } catch {
    return 'failed'; // it was closed meanwhile
  }
}
