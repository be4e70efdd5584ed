import {Events} from './emitter.js';

/** Beats a drum in a thread of its own: browsers slow the timers of hidden pages down, but not those of workers. */
const drum = 'let t;onmessage=({data})=>{clearInterval(t);if(data)t=setInterval(()=>postMessage(0),data)}';

function startWorker(): Worker | null {
  try {
    const url = URL.createObjectURL(new Blob([drum], {type: 'text/javascript'}));
    const worker = new Worker(url);
    URL.revokeObjectURL(url);
    return worker;
  } catch {
    return null; // no workers here, or none from a blob: page timers have to do
  }
}

/** What passes between two ticks counts up to here: a busy machine is awake, though slow; a frozen page is not. */
const heldUpMs = 300;
/** A longer delay is sleep, not lag. */
const maxLagMs = 2_000;
/** The worst delay of late is half forgotten after this time. */
const forgetMs = 10_000;
/** Without a tick for so long, the page or the machine slept. */
const sleepMs = 5_000;

export interface PulseEvents {
  /** The clock of the pulse, in milliseconds. */
  tick: number;
  /** The page or the machine slept for so many milliseconds, by the clock on the wall. */
  slept: number;
}

/**
 * Ticks, and a clock that stands still whenever the page does. Silence is measured by that clock: a page that was frozen,
 * asleep or busy has heard nothing because it did not listen.
 */
export class Pulse extends Events<PulseEvents> {
  #worker: Worker | null | undefined; // undefined until it is needed
  #timer: ReturnType<typeof setInterval> | undefined;
  #every = 0;
  #last = performance.now();
  #wall = Date.now(); // of the last tick; performance.now() may stand still while the machine sleeps
  #awake = 0;
  #worst = {ms: 0, at: 0};
  #closed = false;

  /** For how long this page has been awake, in milliseconds. */
  get awake(): number {
    return this.#awake + this.#passed();
  }

  /** How late ticks are of late, in milliseconds: on a machine that has too much to do, others wait for us too. */
  get lag(): number {
    return this.#worst.ms * 0.5 ** ((performance.now() - this.#worst.at) / forgetMs);
  }

  /** Sets how many milliseconds lie between two ticks; 0 stops. */
  beat(every: number): void {
    if (every === this.#every || (this.#closed && every)) return;
    this.#advance();
    this.#wall = Date.now();
    this.#every = every;
    clearInterval(this.#timer);
    if (this.#worker === undefined && every) this.#start();
    if (this.#worker) this.#worker.postMessage(every);
    else if (every) this.#timer = setInterval(() => this.#tick(), every);
  }

  /** Stops for good. */
  close(): void {
    this.#closed = true;
    this.beat(0);
    this.#worker?.terminate();
    this.#worker = null;
  }

  #start(): void {
    this.#worker = startWorker();
    if (!this.#worker) return;
    this.#worker.onmessage = () => this.#tick();
    this.#worker.onerror = () => {
      this.#worker = null;
      const every = this.#every;
      this.#every = 0;
      this.beat(every);
    };
  }

  #tick(): void {
    if (!this.#every) return; // on its way when it was stopped
    const now = performance.now();
    const late = Math.min(now - this.#last - this.#every, maxLagMs);
    if (late > this.lag) this.#worst = {ms: late, at: now};
    this.#advance();
    const wall = Date.now();
    const missing = wall - this.#wall - this.#every;
    this.#wall = wall;
    // The timers of a hidden page may be a minute late by themselves; those of a worker are not.
    if (missing > sleepMs && this.#worker) this.emit('slept', missing);
    this.emit('tick', this.#awake);
  }

  #advance(): void {
    this.#awake += this.#passed();
    this.#last = performance.now();
  }

  /** What passed since the last tick, as far as the page was awake. */
  #passed(): number {
    const passed = performance.now() - this.#last;
    return this.#every ? Math.min(passed, Math.max(heldUpMs, 2 * this.#every)) : passed;
  }
}
