/** The calls that this device took part in: what leads back to their records. */

import type {Room} from '@parley-rtc/sdk';

const KEY = 'parley.calls';
/** How many are remembered; the server keeps records for a month. */
const KEEP = 20;

export interface KnownCall {
  id: string;
  /** Lets its bearer read the record. */
  token: string;
  room: string;
  /** When we took our seat, in milliseconds since 1970. */
  at: number;
}

type Shelf = Pick<Storage, 'getItem' | 'setItem'>;

function shelfOf(): Shelf | null {
  try {
    return window.localStorage;
  } catch {
    return null; // forbidden: nothing is remembered
  }
}

/** The calls, newest first. */
export function knownCalls(shelf: Shelf | null = shelfOf()): KnownCall[] {
  try {
    const list: unknown = JSON.parse(shelf?.getItem(KEY) ?? '[]');
    return Array.isArray(list) ? list.filter(isCall) : [];
  } catch {
    return [];
  }
}

export function rememberCall(call: KnownCall, shelf: Shelf | null = shelfOf()): void {
  try {
    shelf?.setItem(KEY, JSON.stringify([call, ...knownCalls(shelf).filter((c) => c.id !== call.id)].slice(0, KEEP)));
  } catch {
    // a full store only means that the record is not found again
  }
}

/** Forgets a call: its record is gone, or nobody wants it here. */
export function forgetCall(id: string, shelf: Shelf | null = shelfOf()): void {
  try {
    shelf?.setItem(KEY, JSON.stringify(knownCalls(shelf).filter((c) => c.id !== id)));
  } catch {
    // it stays, and leads to a page that says why there is nothing
  }
}

/** Remembers the call that is held in a room. */
export function rememberRoom({name, call}: Pick<Room, 'name' | 'call'>): void {
  if (call) rememberCall({...call, room: name, at: Date.now()});
}

/** The address of a record. With the token, whoever has it can read the record. */
export function recordPath(id: string, token = ''): string {
  return `/calls/${id}${token && `#token=${token}`}`;
}

function isCall(v: unknown): v is KnownCall {
  const c = v as Partial<KnownCall> | null;
  return (
    typeof c?.id === 'string' && typeof c.token === 'string' && typeof c.room === 'string' && typeof c.at === 'number'
  );
}
