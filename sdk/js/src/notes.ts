import type {DeviceEvent, Path} from './api.js';
import type {About, observe as Observe} from './observer.js';
import type {Report, ReportPort} from './report.js';
import type {ReportEvent} from './wire.gen.js';

/** An event as it is noted: it happens now, unless `at` says otherwise. */
export type Note = Omit<ReportEvent, 'at'> & {at?: number};

/** How many notes wait for the part that sends them. */
const maxEarly = 64;

/**
 * Takes down what this client sees of its call. The part that reads transports and sends reports comes by itself, later:
 * a page in front of the door does without it, and when it does not come at all, the call has less of a record.
 */
export class Notes {
  #early: Note[] = [];
  #report: Report | null = null;
  #offlineAt = 0; // by performance.now()
  readonly #ways = new Map<string, string>();

  constructor(readonly port: ReportPort) {}

  note(note: Note): void {
    const timed = {...note, at: note.at ?? Date.now()};
    if (this.#report) this.#report.note(timed);
    else if (this.#early.length < maxEarly) this.#early.push(timed);
  }

  /** Notes the way that media takes to a person, when it changed. */
  way(seat: string, {kind, protocol, server}: Path): void {
    const path = kind === 'none' ? null : {kind, ...(protocol && {protocol}), ...(server && {server})};
    const key = JSON.stringify(path);
    if (key === this.#ways.get(seat)) return;
    this.#ways.set(seat, key);
    if (path) this.note({kind: 'path', seat, path});
  }

  /** Notes what a device did by itself. Its label may name a person, so it stays here. */
  device({kind, sources}: DeviceEvent): void {
    for (const source of sources) {
      if (source === 'speaker') this.note({kind: 'device', cause: `speaker ${kind}`});
      else this.note({kind: 'device', source, cause: kind});
    }
  }

  /** Notes that the server cannot be reached, or can be again. */
  signalling(online: boolean): void {
    const now = performance.now();
    if (online) {
      this.note({kind: 'signalling-back', ms: now - this.#offlineAt});
      this.flush();
    } else {
      this.#offlineAt = now;
      this.note({kind: 'signalling-lost'});
    }
  }

  /** Watches a new transport until it is closed. */
  watch(pc: RTCPeerConnection, about: Omit<About, 'began'>): void {
    const began = performance.now();
    this.load().then((observe) => observe?.(pc, {...about, began}, (note) => this.note(note)));
  }

  /** Fetches the part that sends; the second time costs nothing. */
  load(): Promise<typeof Observe | null> {
    return import('./observer.js').then(
      ({observe, Report}) => {
        this.#report ??= new Report(this.port);
        for (const note of this.#early.splice(0)) this.#report.note(note);
        return observe;
      },
      () => null, // less of a record
    );
  }

  /** Sends what waits: on taking a seat, on coming back, before leaving. */
  flush(): void {
    this.#report?.flush();
  }

  /** Forgets what waits: the call is over. */
  clear(): void {
    this.#early = [];
    this.#ways.clear();
    this.#report?.clear();
  }
}
