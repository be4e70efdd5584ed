/** The public shapes of file transfer: what an app sees of the files that come and go. */

import type {Emitter, Participant} from '../api.js';
import type {CancelReason, FileInfo, RefuseReason} from './message.js';

export type {CancelReason, FileInfo, RefuseReason};

/** Where a transfer stands. */
export type TransferState =
  | 'queued' // waits for others of ours to the same person
  | 'offered' // the receiving person has to answer
  | 'checking' // what is there from before is looked at
  | 'moving'
  | 'paused' // see `pausedBy`
  | 'waiting' // no connection with the person; goes on by itself
  | 'missing' // the sender has to give the files again: see `retry`
  | 'done' // whole, verified, and with the receiving person
  | 'refused'
  | 'cancelled' // by a person; see `mine`
  | 'failed'; // see `reason`

export interface TransferFile extends FileInfo {
  /** SHA-256 over the chunks, lower-case hex, once it is verified on both sides. */
  hash: string | null;
}

/** One list of files on its way to one person. Read it again on each `change`. */
export interface Transfer {
  readonly id: string;
  readonly direction: 'in' | 'out';
  /** Seat and name of the other person. */
  readonly seat: string;
  readonly person: string;
  /** What it is called: the file, the folder, or the first of several. */
  readonly name: string;
  readonly files: readonly TransferFile[];
  /** Bytes of all files, and how many of them are stored and verified at the receiver. */
  readonly total: number;
  readonly bytes: number;
  /** When it was offered, milliseconds since 1970. */
  readonly at: number;
  readonly state: TransferState;
  /** Who ended it, when it was refused or cancelled. */
  readonly mine: boolean;
  readonly pausedBy: 'nobody' | 'me' | 'them';
  /** Why it was refused, or failed. */
  readonly reason: RefuseReason | CancelReason | 'unanswered' | '';
  /** Why an offer cannot be accepted here; null when it can, or when that is not known yet. */
  readonly obstacle: 'too-large' | 'no-space' | 'no-storage' | null;
  /** Bytes a second over the last seconds; 0 when nothing moves. */
  readonly speedBps: number;
  /** Milliseconds until it is through at this speed; null when that cannot be said. */
  readonly leftMs: number | null;
  /** The browser knows where the files of a `missing` transfer are: `retry` without files asks for permission. */
  readonly reopens: boolean;
  /** Where the files of an incoming transfer are: only in the browser, or with the person as well. */
  readonly saved: boolean;
  /** The browser has let go of what it received: it is only where it was saved, and `content` has nothing. */
  readonly freed: boolean;
  /** Bytes of data that crossed the network for it since the page was loaded, repetitions included. */
  readonly carried: number;
}

/** A file to send. */
export interface Sendable {
  file: File;
  /** Relative, with `/`; the file's own name when absent. */
  path?: string;
  /** Lets the transfer go on after a reload without asking for the file again. */
  handle?: FileSystemFileHandle;
}

export interface FilesEvents {
  /** A transfer came or went. */
  list: readonly Transfer[];
  /** A transfer changed; at most twice a second for progress. */
  change: Transfer;
  /** Somebody offers something, and a person has to answer. */
  offer: Transfer;
  /** An incoming transfer is whole: time to give its files to the person. */
  received: Transfer;
}

export interface FilesError extends Error {
  code: 'too-large' | 'no-space' | 'no-storage' | 'too-many' | 'other-file' | 'denied' | 'gone';
}

/** The files of a room: one per room, made by `openFiles`. */
export interface Files extends Emitter<FilesEvents> {
  /** Oldest first. Finished ones stay until `remove`. */
  readonly list: readonly Transfer[];
  /** Offers the files to a person, or to each of the others. Throws a FilesError when there are too many. */
  offer(items: readonly Sendable[], to: Participant | 'all', name?: string): readonly Transfer[];
  /** Takes an offer. Rejects with a FilesError when there is no place for it. Ask the person first. */
  accept(id: string): Promise<void>;
  refuse(id: string): void;
  pause(id: string): void;
  resume(id: string): void;
  cancel(id: string): void;
  /**
   * Goes on with a `missing` transfer: with the same files, or by asking for permission to those the browser knows (then
   * from a user gesture). Rejects with a FilesError when they are not the same.
   */
  retry(id: string, items?: readonly Sendable[]): Promise<void>;
  /** Goes on with another seat: the person came back as a new one. */
  redirect(id: string, to: Participant): void;
  /** A received file, as soon as it is verified; null before. */
  content(id: string, file: number): Blob | null;
  /**
   * Writes all received files to where the person chose, never over another file, tells so in `saved`, and frees the
   * space that they took in the browser.
   */
  save(id: string, place: FileSystemFileHandle | FileSystemDirectoryHandle): Promise<void>;
  /**
   * Notes that the app gave the files to the person in another way. A download takes its time, which the browser tells
   * nobody about: their space is freed a minute later, or more for large ones.
   */
  markSaved(id: string): void;
  /** Forgets a finished transfer, and what is stored of it. */
  remove(id: string): void;
  /** Stops; what is kept goes on the next time. */
  close(): void;
}
