/** Where moments lie on a lane, and which of them are drawn as one. */

import type {Entry} from './types';

export interface Span {
  from: number;
  to: number;
}

/** Places a moment in percent of the span. */
export function place(at: number, {from, to}: Span): number {
  return to > from ? (Math.min(Math.max(at - from, 0), to - from) / (to - from)) * 100 : 0;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200].map((s) => s * 1000);

/** Round times of day for the axis, at least `apart` pixels from one another on `width` pixels. */
export function ticks({from, to}: Span, width: number, apart: number): number[] {
  const least = ((to - from) * apart) / Math.max(1, width);
  const step = STEPS.find((s) => s >= least) ?? 86_400_000;
  // Round in the reader's own time of day, which differs from UTC by whole minutes.
  const shift = new Date(from).getTimezoneOffset() * 60_000;
  const list: number[] = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) list.push(at);
  return list;
}

/** Events too near to each other to be told apart by eye or finger. */
export interface Cluster {
  /** In percent. */
  at: number;
  events: Entry[];
}

/** Joins the events of a lane (in order of time) that would lie within `apart` pixels of the first of a cluster. */
export function cluster(events: readonly Entry[], span: Span, width: number, apart: number): Cluster[] {
  const list: (Cluster & {first: number})[] = [];
  for (const event of events) {
    const at = place(event.at, span);
    const last = list.at(-1);
    if (last && ((at - last.first) / 100) * width < apart) last.events.push(event);
    else list.push({at, first: at, events: [event]});
  }
  return list;
}

/** How an event is marked: by shape as well as by colour. */
export type Tone = 'plain' | 'good' | 'warn' | 'bad';

export function toneOf({kind, path, level, cause, pair}: Entry): Tone {
  switch (kind) {
    case 'away':
    case 'stalled':
    case 'signalling-lost':
      return 'bad';
    case 'left':
      return cause === 'left' ? 'plain' : 'bad';
    case 'path':
      return path?.kind === 'lost' ? 'bad' : path?.kind === 'connecting' ? 'plain' : 'good';
    case 'quality':
      return level === 0 ? 'bad' : level === 1 ? 'warn' : 'good';
    case 'restart':
    case 'replaced':
    case 'video-paused':
    case 'device':
      return 'warn';
    case 'back':
    case 'recovered':
    case 'signalling-back':
    case 'video-resumed':
      return 'good';
    case 'pair':
      return pair?.state === 'won' ? 'good' : 'plain';
    default:
      return 'plain';
  }
}

const WEIGHT: Tone[] = ['plain', 'good', 'warn', 'bad'];

/** The gravest of a cluster's tones. */
export function worst(events: readonly Entry[]): Tone {
  return WEIGHT[Math.max(0, ...events.map((e) => WEIGHT.indexOf(toneOf(e))))] ?? 'plain';
}
