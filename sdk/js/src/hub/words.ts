import type {NetworkLevel} from '../api.js';
import {sections} from '../publication.js';
import type {Source, Place as WirePlace} from '../wire.gen.js';

/** What a place shows now. */
export interface Place extends WirePlace {
  /** Why nothing comes. */
  paused?: 'bandwidth' | 'publisher';
}

/** What the hub says on the control channel. */
export type HubWord =
  | {type: 'places'; places: Place[]}
  | {type: 'speakers'; speakers: string[]}
  | {type: 'layers'; layers: {mid: string; rids: string[]}[]}
  | {type: 'network'; seats: ({seat: string} & NetworkLevel)[]}
  | {type: 'told'; from: string; message: unknown}
  | {type: 'pong'; id: number};

/** The longest word of the hub in characters. */
const maxWord = 65_536;

const text = (value: unknown): value is string => typeof value === 'string';
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const object = (value: unknown) => (typeof value === 'object' && value ? value : {}) as Record<string, unknown>;

/** Reads a word of the hub; null when it is none that is known. */
export function read(data: unknown): HubWord | null {
  if (!text(data) || data.length > maxWord) return null;
  let word: Record<string, unknown>;
  try {
    word = object(JSON.parse(data));
  } catch {
    return null;
  }
  switch (word.type) {
    case 'places':
      return {
        type: 'places',
        places: list(word.places)
          .map(placeOf)
          .filter((place) => place !== null),
      };
    case 'speakers':
      return {type: 'speakers', speakers: list(word.speakers).filter(text)};
    case 'layers':
      return {type: 'layers', layers: list(word.layers).map(object).map(layerOf)};
    case 'network':
      return {
        type: 'network',
        seats: list(word.seats)
          .map(object)
          .map(networkOf)
          .filter((one) => one !== null),
      };
    case 'told':
      return text(word.from) ? {type: 'told', from: word.from, message: word.message} : null;
    case 'pong':
      return typeof word.id === 'number' ? {type: 'pong', id: word.id} : null;
  }
  return null;
}

function layerOf({mid, rids}: Record<string, unknown>) {
  return {mid: text(mid) ? mid : '', rids: list(rids).filter(text)};
}

function placeOf(value: unknown): Place | null {
  const {mid, seat, source, paused} = object(value);
  if (!text(mid) || !text(seat) || !sections.some((s) => s.source === source)) return null;
  const why = paused === 'bandwidth' || paused === 'publisher' ? ({paused} as const) : {};
  return {mid, seat, source: source as Source, ...why};
}

function networkOf({seat, level, why}: Record<string, unknown>): ({seat: string} & NetworkLevel) | null {
  const known = why === 'upload' || why === 'download' || why === 'loss' || why === 'delay';
  if (!text(seat) || (level !== 0 && level !== 1 && level !== 2)) return null;
  return {seat, level, why: known ? why : 'loss'};
}
