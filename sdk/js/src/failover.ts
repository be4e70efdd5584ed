import type {SourceStatus} from './api.js';
import {arrived, defaultMoved, type Known, successors, systemDefault} from './inventory.js';

/** How often, and after how long in milliseconds, a search that found nothing is repeated by itself. */
const pauses = [2_000, 4_000, 8_000, 16_000, 30_000] as const;
/** A device that is lost sooner than this after it was taken does not count as found. */
export const steadyMs = 10_000;

/**
 * What is known of one source, microphone or camera.
 * - `idle`: nobody wants it;
 * - `live`: it runs;
 * - `trying`: the browser was asked;
 * - `waiting`: nothing could be had, and it is tried again after a pause;
 * - `stuck`: only news helps, such as a device that is plugged in or a permission that is given back.
 */
export interface Source {
  phase: 'idle' | 'live' | 'trying' | 'waiting' | 'stuck';
  /** The one in use, or the last one that was. */
  using: Known | null;
  /** The one that the person chose at some time; null when they never did. */
  chosen: string | null;
  /** What is there of its kind now. */
  list: readonly Known[];
  /** What is still to be tried in this search, and what is being tried. */
  untried: readonly string[];
  trying: string | null;
  /** Why it is being tried. */
  reason: 'lost' | 'returned' | 'followed';
  /** Searches in a row that did not end with a steady device. */
  fails: number;
  /** When it went live. */
  since: number;
  /** The first refusal of this search. */
  why: SourceStatus;
  /** Whether the person was told that there is nothing. */
  told: boolean;
  /** Hardware that was plugged in and is offered: that the system prefers it now is no order to take it. */
  offered: readonly string[];
}

export type SourceEvent =
  /** A track runs, whoever asked for it. */
  | {type: 'live'; device: Known; at: number}
  /** Turned off, or closed. */
  | {type: 'idle'}
  /** The track ended by itself. `present`: its device is still listed. */
  | {type: 'ended'; present: boolean; permission: PermissionState | null; at: number}
  /** A permission of `prompt` means that the browser would ask the person each time. */
  | {type: 'refused'; status: SourceStatus; permission: PermissionState | null}
  | {type: 'list'; list: readonly Known[]}
  | {type: 'permission'; state: PermissionState}
  | {type: 'chosen'; id: string}
  /** The pause is over. */
  | {type: 'due'}
  /** The machine, or the page, slept and woke up. */
  | {type: 'woke'};

export type Action =
  /** Take this device, and no other; any when the id is empty. */
  | {do: 'ask'; id: string}
  | {do: 'wait'; ms: number}
  | {do: 'status'; status: SourceStatus}
  | {
      do: 'tell';
      kind: 'switched' | 'lost' | 'returned' | 'followed' | 'revoked';
      device: Known | null;
      before: Known | null;
    };

export const nothing: Source = {
  phase: 'idle',
  using: null,
  chosen: null,
  list: [],
  untried: [],
  trying: null,
  reason: 'lost',
  fails: 0,
  since: 0,
  why: 'missing',
  told: false,
  offered: [],
};

type Step = [Source, Action[]];

/** What becomes of a source, and what is to be done. No search is endless: see `pauses`. */
export function step(source: Source, event: SourceEvent): Step {
  switch (event.type) {
    case 'live':
      return lives(source, event.device, event.at);
    case 'idle':
      return [{...source, phase: 'idle', untried: [], trying: null, fails: 0, told: false}, []];
    case 'ended':
      return ends(source, event);
    case 'refused':
      return refuses(source, event.status, event.permission);
    case 'list':
      return lists(source, event.list);
    case 'permission':
      return permits(source, event.state);
    case 'chosen':
      return [{...source, chosen: event.id}, []];
    case 'due':
      return source.phase === 'waiting' ? search(source, true) : [source, []];
    case 'woke':
      return source.phase === 'waiting' || (source.phase === 'stuck' && !said(source.why))
        ? search({...source, fails: 0}, true)
        : [source, []];
  }
}

/** Whether somebody said no: then asking again is theirs to start. */
function said(status: SourceStatus): boolean {
  return status === 'denied' || status === 'dismissed' || status === 'insecure';
}

function lives(source: Source, taken: Known, at: number): Step {
  // A list that was made before the permission names nothing.
  const device = source.list.find((d) => d.id === taken.id && d.id !== '' && d.label !== '') ?? taken;
  const before = source.using;
  const ours = source.phase === 'trying';
  const next: Source = {
    ...source,
    phase: 'live',
    using: device,
    untried: [],
    trying: null,
    since: at,
    why: 'missing',
    told: false,
    offered: [],
  };
  const same = device?.id === before?.id && device?.label === before?.label;
  if (!ours || (same && !source.told)) return [next, []];
  const kind = source.reason === 'lost' ? (same ? 'returned' : 'switched') : source.reason;
  return [next, [{do: 'tell', kind, device, before: same ? null : before}]];
}

function ends(source: Source, {present, permission, at}: SourceEvent & {type: 'ended'}): Step {
  if (source.phase !== 'live') return [source, []];
  if (permission === 'denied' || (present && permission === 'prompt')) {
    const status = permission === 'denied' ? 'denied' : 'dismissed';
    return [
      {...source, phase: 'stuck', why: status, told: true},
      [
        {do: 'status', status},
        {do: 'tell', kind: 'revoked', device: null, before: source.using},
      ],
    ];
  }
  const fails = at - source.since < steadyMs ? source.fails + 1 : 0;
  const lost: Source = {...source, fails, reason: 'lost'};
  // One that comes and goes again is not chased.
  if (fails > 1) return pause(lost);
  return search(lost, present);
}

/** Begins a search through everything that is there. */
function search(source: Source, present: boolean): Step {
  const [first = hidden(source.list), ...untried] = successors(source.list, source.using, source.chosen, present);
  if (first === undefined) return gone({...source, why: 'missing'});
  return [
    {...source, phase: 'trying', reason: 'lost', trying: first, untried, why: 'missing'},
    [{do: 'ask', id: first}],
  ];
}

/** A list without a permission names nothing, and still there is something to ask for. */
function hidden(list: readonly Known[]): string | undefined {
  return list.find((d) => d.id === '')?.id;
}

/** Nothing is left to try, nor will there be before something is plugged in. */
function gone(source: Source): Step {
  return [{...source, phase: 'stuck', trying: null, told: true}, bad(source, source.why)];
}

/** Says once in a search that there is nothing, and each time how it stands. */
function bad(source: Source, status: SourceStatus): Action[] {
  const stands: Action = {do: 'status', status};
  return source.told ? [stands] : [stands, {do: 'tell', kind: 'lost', device: null, before: source.using}];
}

function pause(source: Source): Step {
  const ms = pauses[source.fails - 1];
  const why = source.why === 'missing' ? 'failed' : source.why;
  const told = bad(source, why);
  const next: Source = {...source, trying: null, why, told: true};
  if (ms === undefined) return [{...next, phase: 'stuck'}, told];
  return [{...next, phase: 'waiting'}, [...told, {do: 'wait', ms}]];
}

function refuses(source: Source, status: SourceStatus, permission: PermissionState | null): Step {
  if (said(status)) {
    const told: Action[] = [{do: 'status', status}];
    if (source.phase === 'trying') told.push({do: 'tell', kind: 'revoked', device: null, before: source.using});
    return [{...source, phase: 'stuck', trying: null, untried: [], why: status}, told];
  }
  if (source.phase !== 'trying') {
    // The person's own start was refused: what they chose is taken or broken, another one may do.
    if (status === 'missing' || permission === 'prompt') {
      return [{...source, phase: 'stuck', why: status, told: true}, [{do: 'status', status}]];
    }
    const wished = source.list.find((d) => d.id === (source.chosen ?? systemDefault)) ?? source.list[0] ?? null;
    const untried = successors(source.list, wished, source.chosen, false);
    return next({...source, phase: 'trying', using: wished, reason: 'lost', untried, why: status});
  }
  // The one that came back cannot be had: the one before it goes on.
  if (source.reason !== 'lost') return [{...source, phase: 'live', trying: null}, []];
  const why = source.why === 'missing' ? status : source.why;
  return next({...source, why, untried: permission === 'prompt' ? [] : source.untried});
}

function next(source: Source): Step {
  const [trying, ...untried] = source.untried;
  if (trying === undefined) {
    return source.why === 'missing' ? gone(source) : pause({...source, fails: source.fails + 1});
  }
  return [{...source, trying, untried}, [{do: 'ask', id: trying}]];
}

function lists(source: Source, list: readonly Known[]): Step {
  const before = source.list;
  const came = arrived(before, list);
  const groups = came.map((d) => d.group).filter((group) => group !== '');
  const now: Source = {...source, list, offered: [...source.offered, ...groups]};
  if (source.phase === 'live') {
    const returned = came.find((d) => d.id === source.chosen && d.id !== source.using?.id);
    if (returned) return take(now, returned.id, 'returned');
    const kind = list[0]?.kind;
    const favourite = list.find((d) => d.id === systemDefault);
    if (kind && source.using?.id === systemDefault && defaultMoved(before, list, kind)) {
      // The favourite of the system is a newcomer: the person is asked, as about any other.
      if (now.offered.includes(favourite?.group ?? '')) return [{...now, using: source.using}, []];
      return take(now, systemDefault, 'followed');
    }
    return [now, []];
  }
  const helps = came.length > 0 && (source.phase === 'waiting' || (source.phase === 'stuck' && !said(source.why)));
  if (!helps) return [now, []];
  const [first] = [...came].sort((a, b) => Number(b.id === source.chosen) - Number(a.id === source.chosen));
  return [
    {...now, phase: 'trying', reason: 'lost', fails: 0, trying: first?.id ?? '', untried: [], why: 'missing'},
    [{do: 'ask', id: first?.id ?? ''}],
  ];
}

function take(source: Source, id: string, reason: Source['reason']): Step {
  return [{...source, phase: 'trying', reason, trying: id, untried: []}, [{do: 'ask', id}]];
}

function permits(source: Source, state: PermissionState): Step {
  if (state === 'granted' && source.phase === 'stuck' && said(source.why)) return search({...source, fails: 0}, true);
  if (state === 'denied' && (source.phase === 'live' || source.phase === 'waiting')) {
    return ends({...source, phase: 'live'}, {type: 'ended', present: true, permission: state, at: 0});
  }
  return [source, []];
}
