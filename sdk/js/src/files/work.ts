/** What the page and its worker say to each other. Every call is answered once, in any order. */

import type {Bytes} from './frame.js';
import type {FileInfo, Have} from './message.js';

/** The calls, with what they take and give. */
export interface Work {
  /** Whether this browser keeps files for the page. */
  works: (_: null) => boolean;
  /** Whether so many bytes can be kept: asked by making room for them. */
  fits: (_: {bytes: number}) => boolean;
  /** The descriptions that are kept. */
  described: (_: null) => {id: string; description: string}[];
  describe: (_: {id: string; description: string}) => void;
  forget: (_: {id: string}) => void;
  /** Opens the partial data of a transfer. */
  shelf: (_: {id: string; files: readonly FileInfo[]; memory: boolean; inspect: boolean}) => void;
  have: (_: {id: string}) => {file: number; ranges: (readonly [number, number])[]; digest: string}[];
  /** Gives the memory of `data` back. */
  put: (_: {id: string; file: number; chunk: number; data: Bytes; hash: Bytes}) => {stored: boolean; data: Bytes};
  root: (_: {id: string; file: number}) => string;
  finish: (_: {id: string; file: number}) => Blob;
  close: (_: {id: string}) => void;
  /** Takes a file to be sent. */
  source: (_: {id: string; file: number; blob: Blob; size: number}) => void;
  /** Reads a chunk of it, or only its hash. */
  read: (_: {id: string; file: number; chunk: number}) => {data: Bytes; hash: Bytes};
  hash: (_: {id: string; file: number; chunk: number}) => Bytes;
  unsource: (_: {id: string}) => void;
}

export type Call = {[K in keyof Work]: {n: number; name: K; input: Parameters<Work[K]>[0]}}[keyof Work];

/** `fault` is a reason a program can branch on, `words` are for the log. */
export type Answer = {n: number; output: unknown} | {n: number; fault: string; words: string};

export type {Have};
