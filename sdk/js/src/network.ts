import type {Network, NetworkVerdict} from './api.js';
import {Events} from './emitter.js';
import type {ICEServers} from './wire.gen.js';

/** Finds out what the network between here and the server lets through. */
export class NetworkCheck extends Events<{change: NetworkVerdict}> implements Network {
  #verdict: NetworkVerdict = {kind: 'checking', directLikely: false};
  #running: AbortController | null = null;

  /** `ice` gives the servers at the moment of a check; null when there is no relay for us. */
  constructor(readonly ice: () => ICEServers | null) {
    super();
  }

  get verdict(): NetworkVerdict {
    return this.#verdict;
  }

  check(): void {
    if (!this.#running) void this.run();
  }

  /** Checks and resolves with the verdict. */
  async run(): Promise<NetworkVerdict> {
    const ice = this.ice();
    if (!ice?.servers?.length) {
      this.#say({kind: 'no-relay', directLikely: false});
      return this.#verdict;
    }
    const running = new AbortController();
    this.#running = running;
    this.#say({kind: 'checking', directLikely: false});
    try {
      const {look} = await import('./reach.js'); // its code may come after the room's
      await look(ice.servers, running.signal, (verdict) => this.#say(verdict));
    } catch {
      // the page is older than the server, whose files it asks for: the room says so
    }
    if (this.#running === running) this.#running = null;
    return this.#verdict;
  }

  close(): void {
    this.#running?.abort();
  }

  #say(verdict: NetworkVerdict): void {
    if (this.#running?.signal.aborted) return;
    const {kind, directLikely} = this.#verdict;
    this.#verdict = verdict;
    if (kind !== verdict.kind || directLikely !== verdict.directLikely) this.emit('change', verdict);
  }
}

/** Checks the network with given servers; `done` resolves with the verdict. For pages that have no room (yet). */
export function checkNetwork(ice: ICEServers): Network & {readonly done: Promise<NetworkVerdict>} {
  const check = new NetworkCheck(() => ice);
  return Object.assign(check, {done: check.run()});
}
