/** What this device remembers between visits, in localStorage. A browser that keeps nothing is fine: every read has a default. */

export type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export interface Visited {
  room: string;
  /** When it was last entered, in milliseconds since 1970. */
  at: number;
}

/** What to turn on when a room is opened. */
export interface Wishes {
  microphone: boolean;
  camera: boolean;
}

/** How many rooms the landing page offers. */
const KEEP = 5;
/** How long the server keeps a removed person out. */
const REMOVED_FOR_MS = 60 * 60_000;

export class Memory {
  constructor(private readonly shelf: Shelf | null) {}

  get name(): string {
    return this.read('name', '', (v) => typeof v === 'string');
  }
  set name(name: string) {
    this.write('name', name);
  }

  get wishes(): Wishes {
    return this.read('wishes', {microphone: true, camera: true}, isWishes);
  }
  set wishes(wishes: Wishes) {
    this.write('wishes', wishes);
  }

  get shareKind(): 'text' | 'motion' {
    return this.read('share', 'text', (v) => v === 'text' || v === 'motion');
  }
  set shareKind(kind: 'text' | 'motion') {
    this.write('share', kind);
  }

  /** The rooms last entered here, newest first. */
  get rooms(): Visited[] {
    return this.read<Visited[]>('rooms', [], (v) => Array.isArray(v) && v.every(isVisited));
  }

  /** Whether this device knows of calls whose records it may read (record/calls.ts). */
  get hasCalls(): boolean {
    return this.read<unknown[]>('calls', [], Array.isArray).length > 0;
  }

  visited(room: string, at: number): void {
    this.write('rooms', [{room, at}, ...this.rooms.filter((r) => r.room !== room)].slice(0, KEEP));
  }

  /** Forgets a room and, with it, the right to be its host. */
  forget(room: string): void {
    this.write(
      'rooms',
      this.rooms.filter((r) => r.room !== room),
    );
    this.setHost(room, '');
  }

  /** The host secret of a room; empty when this device has none. */
  host(room: string): string {
    return this.read(`host.${room}`, '', (v) => typeof v === 'string');
  }

  setHost(room: string, secret: string): void {
    if (secret !== '') {
      this.write(`host.${room}`, secret);
      return;
    }
    try {
      this.shelf?.removeItem(`parley.host.${room}`);
    } catch {
      // nothing kept, nothing to forget
    }
  }

  /** Whether a host removed this person from the room so lately that the server still keeps them out. */
  wasRemoved(room: string, now: number): boolean {
    const at = this.read(`removed.${room}`, 0, (v) => typeof v === 'number');
    return now - at < REMOVED_FOR_MS;
  }

  setRemoved(room: string, at: number): void {
    this.write(`removed.${room}`, at);
  }

  private read<T>(key: string, missing: T, fits: (v: unknown) => boolean): T {
    try {
      const value: unknown = JSON.parse(this.shelf?.getItem(`parley.${key}`) ?? 'null');
      return fits(value) ? (value as T) : missing;
    } catch {
      return missing;
    }
  }

  private write(key: string, value: unknown): void {
    try {
      this.shelf?.setItem(`parley.${key}`, JSON.stringify(value));
    } catch {
      // a full or forbidden store only means that nothing is remembered
    }
  }
}

/** The browser's own store, or null where it is forbidden. */
export function deviceShelf(): Shelf | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

function isWishes(v: unknown): boolean {
  const w = v as Partial<Wishes> | null;
  return typeof w?.microphone === 'boolean' && typeof w.camera === 'boolean';
}

function isVisited(v: unknown): boolean {
  const r = v as Partial<Visited> | null;
  return typeof r?.room === 'string' && typeof r.at === 'number';
}
