/** What a transport says about itself, over ICE and DTLS together. */
export type TransportState = 'connecting' | 'connected' | 'disconnected' | 'failed';

export interface Recoverable {
  /** The side that restarts ICE itself; the other one asks it to, a little later, so that one restart is under way. */
  readonly leads: boolean;
  /** Whether the other side can be told anything now. */
  online(): boolean;
  /** Restarts ICE with fresh servers, or asks for it. */
  restart(): void;
  /** Restarts did not help, or cannot: the link has to be replaced. */
  replace(): void;
}

/** How many ICE restarts in a row are tried before the link is replaced. */
export const maxRestarts = 5;
/** The longest time to a connection before the next restart. */
export const connectMs = 10_000;
/** Two sides that notice the same loss mean the same restart. */
const sameLossMs = 3_000;

/** Decides when a link restarts ICE and when it gives up: after five restarts in a row, a minute at most. */
export class Recovery {
  #restarts = 0;
  #restartedAt = Number.NEGATIVE_INFINITY;
  #state: TransportState = 'connecting';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly link: Recoverable) {
    this.#after(connectMs);
  }

  get state(): TransportState {
    return this.#state;
  }

  /** Takes a change of the transport. `dtls` says that not ICE but what is above it failed: no restart helps. */
  change(state: TransportState, dtls = false): void {
    if (state === this.#state) return;
    this.#state = state;
    const {leads} = this.link;
    if (state === 'connected') {
      this.close();
      this.#restarts = 0;
    } else if (state === 'failed' && dtls) {
      this.close();
      this.link.replace();
    } else if (state === 'failed') {
      // At once the first time; a path that is gone for a while must not use up all attempts in a second.
      this.#after((leads ? 0 : 1_000) + (this.#restarts ? 500 * 2 ** this.#restarts : 0));
    } else if (state === 'disconnected' && !this.#restarts) {
      // A blip heals by itself; ICE needs some seconds to notice a real loss, so little time is left to wait.
      this.#after(leads ? 1_500 : 2_500);
    }
  }

  /** The other side asks for a restart. */
  asked(): void {
    if (performance.now() - this.#restartedAt > sameLossMs) this.#restart();
  }

  /** The network came back: what is not connected tries at once. */
  hurry(): void {
    const first = this.#state === 'connecting' && !this.#restarts;
    if (this.#state === 'connected' || first) return;
    this.#restarts = 0;
    this.#after(this.link.leads ? 0 : 500);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #after(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#restart(), ms);
  }

  #restart(): void {
    if (!this.link.online()) {
      this.#after(1_000); // nobody would hear it
      return;
    }
    if (this.#restarts === maxRestarts) {
      this.link.replace();
      return;
    }
    this.#restarts++;
    this.#restartedAt = performance.now();
    this.link.restart();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#state !== 'connected' && this.#restart(), connectMs);
  }
}
