/** What a transport says about itself, over ICE and DTLS together. */
export type TransportState = 'connecting' | 'connected' | 'disconnected' | 'failed';

export interface Recoverable {
  /** The side that waits a little, so that one restart is under way, not two. */
  readonly polite: boolean;
  /** Restarts ICE with fresh servers. */
  restart(): void;
  /** Restarts did not help, or cannot: the link has to be replaced. */
  replace(): void;
}

/** How many ICE restarts in a row are tried before the link is replaced. */
export const maxRestarts = 4;

/** The longest time to a first connection before a restart is tried. */
export const connectMs = 12_000;

/** Decides when a link restarts ICE and when it gives up. Bounded: a link restarts four times, in about a minute. */
export class Recovery {
  #restarts = 0;
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
    const trying = this.#restarts > 0;
    this.#state = state;
    const {polite} = this.link;
    if (state === 'connected') {
      clearTimeout(this.#timer);
      this.#restarts = 0;
    } else if (state === 'failed' && dtls) {
      this.close();
      this.link.replace();
    } else if (state === 'failed') {
      this.#after(polite ? 1_000 : 0);
    } else if (state === 'disconnected' && !trying) {
      // A blip heals by itself; ICE needs some seconds to notice a real loss, so little time is left to wait.
      this.#after(polite ? 3_000 : 1_500);
    }
  }

  /** The network came back: what is not connected tries at once. */
  hurry(): void {
    const first = this.#state === 'connecting' && !this.#restarts;
    if (this.#state === 'connected' || first) return;
    this.#restarts = 0;
    this.#after(this.link.polite ? 500 : 0);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #after(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#restart(), ms);
  }

  #restart(): void {
    if (this.#restarts === maxRestarts) {
      this.link.replace();
      return;
    }
    this.#restarts++;
    this.link.restart();
    this.#after(5_000 * (this.#restarts + 1));
  }
}
