/** The control messages of `parley.file.v1`: what one side says, read with distrust. */

import {chunkCount} from './frame.js';
import {fits, isName} from './path.js';
import {Ranges, readRanges} from './ranges.js';

/** The longest control message in bytes. */
export const maxText = 65_536;
/** How many files a transfer may have. */
export const maxFiles = 10_000;
/** How much text may describe a transfer, in bytes, so that an offer of long names stays small in memory. */
export const maxOffer = 4 << 20;
/** How often one side may pause or go on over one channel: more than a person ever does. */
export const maxPauses = 1_000;
/** Chunks have 32 bits on the wire. */
const maxChunks = 2 ** 32 - 1;
/** The longest media type in characters. */
const maxMedia = 255;

/** A file as it is offered. `size` is that of the moment of the offer. */
export interface FileInfo {
  /** Relative, with `/`. */
  path: string;
  /** Bytes. */
  size: number;
  /** Milliseconds since 1970. */
  modified?: number;
  /** Media type, as the sender's system guesses. */
  media?: string;
}

export interface Offer {
  /** What the person sees: the name of the file or folder, or how the sender calls them together. */
  name: string;
  files: FileInfo[];
  /** Bytes of all files. */
  total: number;
  /** The same transfer was offered before. */
  again: boolean;
}

/** Chunks of a file that the receiver holds, and the proof that they are of the same file. */
export interface Have {
  file: number;
  ranges: Ranges;
  digest: string;
}

export type RefuseReason = 'declined' | 'too-large' | 'no-space' | 'busy' | 'bad-offer';
export type CancelReason = 'cancelled' | 'changed' | 'corrupt' | 'no-space' | 'gone' | 'fault';

const refusals: readonly string[] = ['declined', 'too-large', 'no-space', 'busy', 'bad-offer'];
const cancels: readonly string[] = ['cancelled', 'changed', 'corrupt', 'no-space', 'gone', 'fault'];

/** What either side may say at any time. */
export type Common = {type: 'pause'} | {type: 'resume'} | {type: 'cancel'; reason: CancelReason};

export type FromSender =
  | {type: 'offer'; name: string; files: FileInfo[]; total: number; count: number; again: boolean}
  | {type: 'more'; files: FileInfo[]}
  | {type: 'done'; file: number; hash: string}
  | Common;

export type FromReceiver =
  /** What does not fit the `accept` that follows. */
  | {type: 'held'; have: Have[]}
  /** Data may flow; with `bulk` it rather comes by a link for bulk. */
  | {type: 'accept'; have: Have[]; bulk: boolean}
  | {type: 'refuse'; reason: RefuseReason}
  | {type: 'have'; file: number; chunk: number}
  | {type: 'again'; file: number; chunk: number}
  | {type: 'verified'; file: number; hash: string}
  | Common;

type Fields = {type?: unknown} & Record<string, unknown>;

/** The fields of a message; null when the text is none. */
function fieldsOf(text: string): Fields | null {
  if (text.length > maxText) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
  } catch {
    return null;
  }
}

/** Reads what a sender says: `unknown` is to be ignored, `bad` ends the transfer. */
export function readFromSender(text: string): FromSender | 'unknown' | 'bad' {
  const fields = fieldsOf(text);
  if (!fields) return 'bad';
  switch (fields.type) {
    case 'offer': {
      const files = readFiles(fields.files);
      const {name = files?.[0]?.path, total, count = files?.length, again} = fields;
      if (!files || typeof name !== 'string' || !isCount(total) || !isCount(count)) return 'bad';
      return {type: 'offer', name, files, total, count, again: again === true};
    }
    case 'more': {
      const files = readFiles(fields.files);
      return files ? {type: 'more', files} : 'bad';
    }
    case 'done':
      return isCount(fields.file) && isHash(fields.hash) ? {type: 'done', file: fields.file, hash: fields.hash} : 'bad';
    default:
      return readCommon(fields);
  }
}

/** Reads what a receiver says about these files. */
export function readFromReceiver(text: string, files: readonly FileInfo[]): FromReceiver | 'unknown' | 'bad' {
  const fields = fieldsOf(text);
  if (!fields) return 'bad';
  const {type, file, chunk, hash, reason} = fields;
  switch (type) {
    case 'held':
    case 'accept': {
      const have = readHave(fields.have ?? [], files);
      if (!have) return 'bad';
      return type === 'held' ? {type, have} : {type, have, bulk: fields.bulk === true};
    }
    case 'refuse':
      return {type, reason: refusals.includes(reason as string) ? (reason as RefuseReason) : 'declined'};
    case 'have':
    case 'again': {
      const info = isCount(file) ? files[file] : undefined;
      return info && isCount(chunk) && chunk < chunkCount(info.size) ? {type, file: file as number, chunk} : 'bad';
    }
    case 'verified':
      return isCount(file) && file < files.length && isHash(hash) ? {type, file, hash} : 'bad';
    default:
      return readCommon(fields);
  }
}

function readCommon({type, reason}: Fields): Common | 'unknown' | 'bad' {
  switch (type) {
    case 'pause':
    case 'resume':
      return {type};
    case 'cancel':
      return {type, reason: cancels.includes(reason as string) ? (reason as CancelReason) : 'fault'};
    default:
      return typeof type === 'string' ? 'unknown' : 'bad';
  }
}

function readFiles(value: unknown): FileInfo[] | null {
  if (!Array.isArray(value) || value.length > maxFiles) return null;
  const files: FileInfo[] = [];
  for (const entry of value) {
    const {path, size, modified, media} = (entry ?? {}) as Fields;
    if (typeof path !== 'string' || !isCount(size)) return null;
    files.push({
      path,
      size,
      ...(Number.isSafeInteger(modified) && {modified: modified as number}),
      ...(isMedia(media) && {media}),
    });
  }
  return files;
}

function readHave(value: unknown, files: readonly FileInfo[]): Have[] | null {
  if (!Array.isArray(value) || value.length > files.length) return null;
  const seen = new Set<number>();
  const have: Have[] = [];
  for (const entry of value) {
    const {file, ranges: list, digest} = (entry ?? {}) as Fields;
    const info = isCount(file) ? files[file] : undefined;
    if (!info || seen.has(file as number) || !isHash(digest)) return null;
    const ranges = readRanges(list, chunkCount(info.size));
    if (!ranges) return null;
    seen.add(file as number);
    have.push({file: file as number, ranges, digest});
  }
  return have;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** Whether a media type may be told. */
export function isMedia(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxMedia;
}

/** Whether a whole offer may be shown to a person: every path stays inside, none is there twice, the sums are true. */
export function isSound({name, files, total}: Offer): boolean {
  if (files.length === 0 || files.length > maxFiles || !isName(name)) return false;
  if (!files.every(({path, size}) => fits(path) && chunkCount(size) <= maxChunks)) return false;
  const sum = files.reduce((bytes, {size}) => bytes + size, 0);
  return Number.isSafeInteger(sum) && sum === total && areApart(files);
}

/** Whether no path is there twice, and none is a file and a folder. */
function areApart(files: readonly FileInfo[]): boolean {
  const paths = new Set(files.map(({path}) => path));
  if (paths.size !== files.length) return false;
  for (const {path} of files) {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      if (paths.has(path.slice(0, at))) return false;
    }
  }
  return true;
}

/** How many bytes a text takes on the wire. */
export function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The messages that make an offer: one, or several where the list of files is long. */
export function offerTexts({name, files, total, again}: Offer): string[] {
  const texts: string[] = [];
  const head = {type: 'offer', name, total, count: files.length, ...(again && {again: true})};
  let [open, part, bytes]: [object, FileInfo[], number] = [head, [], 0];
  const close = (): void => {
    texts.push(JSON.stringify({...open, files: part}));
    [open, part, bytes] = [{type: 'more'}, [], 0];
  };
  for (const file of files) {
    const size = sizeOf(JSON.stringify(file)) + 1;
    if (bytes + size > maxText - 8_192) close(); // what is left is for the head with its name
    part.push(file);
    bytes += size;
  }
  close();
  return texts;
}

/** The text of a message. */
export function textOf(message: Exclude<FromReceiver, {have: Have[]}> | Extract<FromSender, {type: 'done'}>): string {
  return JSON.stringify(message);
}

/** How many ranges of one file are told at most: what is left out is sent again. */
const maxRanges = 2_000;

/** The messages that accept an offer: one, after others where much is held. */
export function acceptTexts(have: readonly Have[], bulk = false): string[] {
  const texts: string[] = [];
  let [part, bytes]: [object[], number] = [[], 0];
  for (const {file, ranges, digest} of have) {
    const entry = {file, ranges: ranges.list, digest};
    const size = JSON.stringify(entry).length + 1;
    if (bytes + size > maxText - 1_024) {
      texts.push(JSON.stringify({type: 'held', have: part}));
      [part, bytes] = [[], 0];
    }
    part.push(entry);
    bytes += size;
  }
  texts.push(JSON.stringify({type: 'accept', have: part, ...(bulk && {bulk})}));
  return texts;
}

/** A copy of what is held now, as much of it as a message can tell. */
export function tellable(ranges: Ranges): Ranges {
  return new Ranges(ranges.list.slice(0, maxRanges));
}
