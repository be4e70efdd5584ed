import type {Sender} from './message.js';
import type {ICEServers} from './wire.gen.js';

/** How long a restart waits for fresh credentials before it goes on with the old ones. */
const answerMs = 2_000;

/** The ICE servers of the session. They are renewed halfway to their end, and on demand. */
export class Servers {
  #ice: ICEServers | null | undefined; // undefined until the server has said anything
  #waiting = new Set<() => void>();
  #asked = 0;
  #young = 0; // until then, by performance.now(), they are good for long
  #renewal: ReturnType<typeof setTimeout> | undefined;

  /** `changed` hears when a relay becomes available, or turns out not to be. */
  constructor(
    readonly sender: Sender,
    readonly changed: () => void,
  ) {}

  /** Null when this session may not use the relay. */
  get ice(): ICEServers | null {
    return this.#ice ?? null;
  }

  get list(): RTCIceServer[] {
    return this.#ice?.servers ?? [];
  }

  set(ice: ICEServers | null = null): void {
    const news = this.#ice === undefined || !this.#ice !== !ice;
    this.#ice = ice;
    if (news) this.changed();
    for (const go of this.#waiting) go();
    this.#waiting.clear();
    clearTimeout(this.#renewal);
    if (!ice) return;
    // Our clock may differ from the server's: never hectic, never idle for long.
    const half = Math.min(3_600_000, Math.max(60_000, (ice.expires - Date.now()) / 2));
    this.#young = performance.now() + half;
    this.#renewal = setTimeout(() => this.ask(), half);
  }

  /** Returns credentials that open a relay: those that are there while they are young, otherwise it asks for others. */
  async fresh(): Promise<RTCIceServer[]> {
    if (!this.#ice) return [];
    if (performance.now() < this.#young) return this.list;
    await new Promise<void>((go) => {
      this.#waiting.add(go);
      setTimeout(go, answerMs);
      this.ask();
    });
    return this.list;
  }

  close(): void {
    clearTimeout(this.#renewal);
  }

  ask(): void {
    this.#asked = this.sender.send('ice-servers', {});
  }

  /** Takes an error of the server; true when it answered our question. Without fresh servers the old ones have to do. */
  refused(n: number): boolean {
    if (n !== this.#asked) return false;
    for (const go of this.#waiting) go();
    this.#waiting.clear();
    return true;
  }
}
