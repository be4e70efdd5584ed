import {Events} from './emitter.js';

export interface PageEvents {
  /** The page is looked at (true), or is not. */
  visible: boolean;
  /** The network may be another one, or none; true says that it is one of another kind. */
  network: boolean;
  /** The browser's idea of how good the network is has changed: that is news only when something is wrong. */
  drift: undefined;
  /** The page was not running for a while, perhaps. */
  wake: undefined;
  /** The page goes. */
  leave: undefined;
}

/** What the browser tells of a connection; few of them do. */
interface Connection extends EventTarget {
  saveData?: boolean;
  type?: string;
}

/** What the browser says about the page and the network under it. Outside of a page nothing ever happens. */
export class Page extends Events<PageEvents> {
  readonly #ears: [EventTarget | undefined, string, () => void][];
  #type = connection()?.type;

  constructor() {
    super();
    const root = typeof globalThis.addEventListener === 'function' ? (globalThis as unknown as EventTarget) : undefined;
    const wake = () => this.emit('wake', undefined);
    const network = () => this.emit('network', false);
    this.#ears = [
      [root, 'online', network],
      [root, 'offline', network],
      [connection(), 'change', () => this.#changed()],
      [globalThis.document, 'visibilitychange', () => this.emit('visible', this.visible)],
      [globalThis.document, 'resume', wake],
      [root, 'pageshow', wake],
      [root, 'pagehide', () => this.emit('leave', undefined)],
    ];
    for (const [target, type, listener] of this.#ears) target?.addEventListener(type, listener);
  }

  get visible(): boolean {
    return globalThis.document?.visibilityState !== 'hidden';
  }

  /** Whether bytes that are not needed cost somebody money. */
  get thrifty(): boolean {
    const {saveData, type} = connection() ?? {};
    return saveData === true || type === 'cellular';
  }

  /** Browsers fire "change" for every new estimate of the speed, too. */
  #changed(): void {
    const before = this.#type;
    this.#type = connection()?.type;
    if (before !== this.#type) this.emit('network', true);
    else this.emit('drift', undefined);
  }

  close(): void {
    for (const [target, type, listener] of this.#ears) target?.removeEventListener(type, listener);
  }
}

function connection(): Connection | undefined {
  return (globalThis.navigator as {connection?: Connection} | undefined)?.connection;
}
