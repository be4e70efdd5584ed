import type {Sender} from './message.js';
import type {ICEServers} from './wire.gen.js';

/** How long a restart waits for fresh credentials before it goes on with the old ones. */
const answerMs = 2_000;

/** The ICE servers of the session. They are renewed halfway to their end, and on demand. */
export class Servers {
  #ice: ICEServers | null = null;
  #waiting = new Set<() => void>();
  #renewal: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly sender: Sender) {}

  /** Null when this session may not use the relay. */
  get ice(): ICEServers | null {
    return this.#ice;
  }

  get list(): RTCIceServer[] {
    return this.#ice?.servers ?? [];
  }

  set(ice: ICEServers | null): void {
    this.#ice = ice;
    for (const go of this.#waiting) go();
    this.#waiting.clear();
    clearTimeout(this.#renewal);
    if (!ice) return;
    // Our clock may differ from the server's: never hectic, never idle for long.
    const half = (ice.expires - Date.now()) / 2;
    this.#renewal = setTimeout(() => this.#ask(), Math.min(3_600_000, Math.max(60_000, half)));
  }

  /** Asks for fresh credentials and returns the best that there are. */
  async fresh(): Promise<RTCIceServer[]> {
    if (!this.#ice) return [];
    await new Promise<void>((go) => {
      this.#waiting.add(go);
      setTimeout(go, answerMs);
      this.#ask();
    });
    return this.list;
  }

  close(): void {
    this.set(null);
  }

  #ask(): void {
    this.sender.send('ice-servers', {});
  }
}
