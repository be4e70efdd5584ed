import type {Transfer, TransferFile, TransferState} from './api.js';
import type {FileInfo, Offer} from './message.js';
import type {End} from './sender.js';
import {Speed} from './speed.js';

/** What a transfer is about, as it is written down for after a reload. */
export interface Record {
  id: string;
  room: string;
  seat: string;
  person: string;
  name: string;
  files: FileInfo[];
  total: number;
  /** Milliseconds since 1970. */
  at: number;
  /** What is known of files that are all there. */
  done?: Done;
}

/** What outlives the data of a transfer that is through. */
export interface Done {
  hashes: string[];
  /** Tells a sender who missed the last word that all of it is here. */
  have: {file: number; ranges: (readonly [number, number])[]; digest: string}[];
  /** When its files were given to the browser to be saved, in milliseconds since 1970. */
  savedAt?: number;
}

/** What a transfer asks of the one who keeps the list. */
export interface MovingPort {
  /** Its state changed: tell the app, and see who is next. */
  changed(transfer: Moving): void;
  /** It begins to move, goes on, or is over: for the record of the call. `ms` since it began. */
  note(transfer: Moving, cause: string, ms: number): void;
}

/** How often the record is told that one transfer goes on: more say nothing new, and the other side could make them. */
const maxResumes = 16;

const finished: readonly TransferState[] = ['done', 'refused', 'cancelled', 'failed'];

/** What both directions have in common. */
export abstract class Moving implements Transfer {
  abstract readonly direction: 'in' | 'out';
  readonly files: TransferFile[];
  state: TransferState;
  mine = false;
  reason: Transfer['reason'] = '';
  obstacle: Transfer['obstacle'] = null;
  reopens = false;
  saved = false;
  freed = false;
  /** The person paused it here. */
  pausedHere = false;
  abstract readonly pausedBy: Transfer['pausedBy'];
  abstract readonly bytes: number;
  abstract readonly carried: number;
  readonly #speed = new Speed();
  #flows = 0;
  #began = 0;

  constructor(
    readonly record: Record,
    readonly port: MovingPort,
    state: TransferState,
  ) {
    this.files = record.files.map((file) => ({...file, hash: null}));
    this.state = state;
  }

  get id(): string {
    return this.record.id;
  }
  get seat(): string {
    return this.record.seat;
  }
  get person(): string {
    return this.record.person;
  }
  get name(): string {
    return this.record.name;
  }
  get total(): number {
    return this.record.total;
  }
  get at(): number {
    return this.record.at;
  }
  get speedBps(): number {
    return this.#speed.bps;
  }
  get leftMs(): number | null {
    return this.#speed.left(this.total - this.bytes);
  }
  /** Nothing follows. */
  get over(): boolean {
    return finished.includes(this.state);
  }
  /** The channel that carries it is up. */
  abstract readonly connected: boolean;

  abstract pause(on: boolean): void;
  abstract cancel(): void;
  /** The transport is gone, and the channel with it. */
  abstract disconnect(): void;

  /** Measures the speed; `now` in milliseconds. */
  tick(now: number): void {
    if (this.state === 'moving') this.#speed.note(now, this.bytes);
    else this.#speed.rest();
  }

  /** Whether an offer is of the very same files. */
  matches({files, total}: Offer): boolean {
    const own = this.record.files;
    return (
      total === this.total &&
      files.length === own.length &&
      files.every(({path, size}, i) => path === own[i]?.path && size === own[i]?.size)
    );
  }

  protected become(state: TransferState): void {
    this.state = state;
    this.port.changed(this);
  }

  /** Notes that the other side and this one are at it, for the first time or again. */
  protected flows(): void {
    this.#began ||= performance.now();
    if (++this.#flows <= maxResumes) this.#note(this.#flows === 1 ? 'started' : 'resumed');
  }

  #note(cause: string): void {
    this.port.note(this, cause, this.#began ? performance.now() - this.#began : 0);
  }

  protected finish({how, reason, mine}: End): void {
    this.mine = mine;
    this.reason = reason;
    this.#note(how === 'done' ? 'done' : reason);
    if (how === 'done') this.become('done');
    else if (how === 'refused') this.become('refused');
    else this.become(reason === 'cancelled' ? 'cancelled' : 'failed');
  }
}
