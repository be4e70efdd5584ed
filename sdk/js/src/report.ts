import type {Note} from './notes.js';
import {MaxCause, MaxReport, type ReportEvent} from './wire.gen.js';

/** What the report asks of its room. */
export interface ReportPort {
  /** Whether the session has a seat and a socket now: otherwise the server would drop what it gets. */
  ready(): boolean;
  /** Takes at most MaxReport events. */
  send(events: ReportEvent[]): void;
}

/** How many events wait for a seat or a socket; then the oldest of the least use make room. */
export const maxWaiting = 256;
/** How long an event of no hurry waits for others. */
export const batchMs = 5_000;
/** Urgent ones wait this long, since they come in groups. */
export const urgentMs = 100;

const urgent: ReadonlySet<ReportEvent['kind']> = new Set(['path', 'restart', 'replaced', 'recovered']);

/** Collects what this client sees of the call and sends it in batches. Nothing in the call waits for it, or on it. */
export class Report {
  #waiting: ReportEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Number.POSITIVE_INFINITY;

  constructor(readonly port: ReportPort) {}

  /** Takes an event that happens now, or at `at` by Date.now(). */
  note(event: Note): void {
    const {cause = '', ...rest} = event;
    const said = clip(cause);
    this.#waiting.push({
      ...rest,
      at: Math.round(event.at ?? Date.now()),
      ...(event.ms !== undefined && {ms: Math.max(0, Math.round(event.ms))}),
      ...(said && {cause: said}), // the server takes no empty one
    });
    if (this.#waiting.length > maxWaiting) this.#thin();
    this.#after(urgent.has(event.kind) ? urgentMs : batchMs);
  }

  /** Sends what waits, if it can leave now: on taking a seat, on coming back, before leaving. */
  flush(): void {
    this.close();
    if (!this.port.ready()) return; // the next flush is the room's
    while (this.#waiting.length) this.port.send(this.#waiting.splice(0, MaxReport));
  }

  /** Forgets what waits: it belongs to a call that is over. */
  clear(): void {
    this.close();
    this.#waiting = [];
  }

  /** Lets go of the timer; `note` starts it again. */
  close(): void {
    clearTimeout(this.#timer);
    this.#due = Number.POSITIVE_INFINITY;
  }

  #after(ms: number): void {
    const due = performance.now() + ms;
    if (due >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.flush(), ms);
  }

  #thin(): void {
    const index = this.#waiting.findIndex(({kind}) => kind === 'quality');
    this.#waiting.splice(Math.max(0, index), 1);
  }
}

/** The server takes MaxCause bytes and no control characters. */
function clip(text: string): string {
  const clean = text.replace(/\p{Cc}+/gu, ' ').trim();
  const bytes = new TextEncoder().encode(clean);
  if (bytes.length <= MaxCause) return clean;
  return new TextDecoder().decode(bytes.subarray(0, MaxCause)).replace(/\uFFFD+$/, '');
}
