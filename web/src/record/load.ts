import {useEffect, useState} from 'preact/hooks';
import {forgetCall, knownCalls, recordPath, rememberCall} from './calls';
import type {CallRecord} from './types';

export type Loaded =
  | {state: 'loading' | 'denied' | 'gone' | 'offline'; record: null}
  | {state: 'here'; record: CallRecord};

/** How often the record of a call that goes on is read again. */
const AGAIN_MS = 5_000;

/** The token for a record: from the link that led here, or from a call that this device took part in. */
export function tokenFor(id: string, fragment: string): string {
  const given = new URLSearchParams(fragment.replace(/^#/, '')).get('token') ?? '';
  return given || (knownCalls().find((c) => c.id === id)?.token ?? '');
}

/** Moves the token from the address, where anybody could read it over a shoulder, into this device's memory. */
export function takeToken(id: string): string {
  const token = tokenFor(id, location.hash);
  if (location.hash.includes('token=')) history.replaceState(history.state, '', recordPath(id));
  return token;
}

/** Reads a record, and again while its call goes on. `retry` reads it now. */
export function useRecord(id: string, token: string): [loaded: Loaded, retry: () => void] {
  const [loaded, setLoaded] = useState<Loaded>({state: 'loading', record: null});
  const [round, setRound] = useState(0);
  const retry = (): void => setRound((n) => n + 1);
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    void read(id, token, stop.signal).then((next) => {
      if (stop.signal.aborted) return;
      // What was read stays on the page while the server cannot be reached.
      setLoaded((before) => (next.state === 'offline' && before.state === 'here' ? before : next));
      if (next.state === 'here' && token) remember(next.record, token);
      if (next.state === 'gone') forgetCall(id);
      if (next.state === 'offline' || (next.state === 'here' && !next.record.ended))
        timer = setTimeout(retry, AGAIN_MS);
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [id, token, round]);
  return [loaded, retry];
}

function remember(record: CallRecord, token: string): void {
  if (!knownCalls().some((c) => c.id === record.id)) {
    rememberCall({id: record.id, token, room: record.room, at: record.began});
  }
}

async function read(id: string, token: string, signal: AbortSignal): Promise<Loaded> {
  try {
    const answer = await fetch(`/api/v1/calls/${encodeURIComponent(id)}`, {
      headers: token ? {Authorization: `Bearer ${token}`} : {},
      signal,
    });
    if (answer.ok) return {state: 'here', record: await answer.json()};
    if (answer.status === 404) return {state: 'gone', record: null};
    return {state: answer.status === 401 || answer.status === 403 ? 'denied' : 'offline', record: null};
  } catch {
    return {state: 'offline', record: null};
  }
}
