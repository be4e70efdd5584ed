/** What the page tells the thread that seals and opens frames, and what that tells the page. */

import type {Bytes} from './bytes.js';
import type {Kind} from './frames.js';

/** One section of a transport, in one direction. */
export interface Section {
  side: 'send' | 'receive';
  kind: Kind;
  /** Whose frames come: a session, or `anybody` where a section shows different people. */
  owner: string;
  /** What the page knows the section by. */
  id: number;
}

export type Order =
  | {do: 'use' | 'add'; owner: string; kid: number; base: Bytes}
  | {do: 'forget'; owner: string}
  | {do: 'stop'}
  | {do: 'tell'}
  | {do: 'pipe'; section: Section; readable: ReadableStream; writable: WritableStream};

/** What the work costs and what became of it, since the start. */
export interface Tally {
  sealed: number;
  opened: number;
  /** Frames that were not opened, by why; what could not be sealed counts as unsealed. */
  faults: Record<string, number>;
  /** The time from a frame's arrival here until it was handed on, all of them together and the longest, in milliseconds. */
  sealMs: number;
  openMs: number;
  worstMs: number;
}

export type News = {news: 'tally'; tally: Tally} | {news: 'owner'; id: number; owner: string};
