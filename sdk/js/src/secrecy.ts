import type {Unable} from './e2ee/veil.js';
import type {Seal, Veil, VeilPort} from './veil.js';

/** Holds a room's encryption, whose code comes only where there is a secret. */
export class Secrecy {
  /** The secret of the room's link; empty where it has none. */
  key = '';
  /** Null without a secret, and until its code has come. */
  veil: Veil | null = null;
  /** Why the room cannot be encrypted here. */
  unable: Unable | 'code' | null = null;
  #ready: Promise<void> = Promise.resolve();

  constructor(readonly port: VeilPort) {}

  /** Undefined while nothing may be made yet, null where nothing is sealed. */
  get seal(): Seal | null | undefined {
    return this.key ? this.veil?.seal : null;
  }

  /** Resolves when it is clear what becomes of it. */
  ready(): Promise<void> {
    return this.#ready;
  }

  open(key: string): Promise<void> {
    this.key = key;
    this.#ready = import('./e2ee/veil.js')
      .then(({openVeil}) => openVeil(key, this.port))
      .catch(() => ({unable: 'code'}))
      .then((found) => void Object.assign(this, found));
    return this.#ready;
  }
}
