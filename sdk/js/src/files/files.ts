import type {Participant, Room} from '../api.js';
import {Events} from '../emitter.js';
import type {Note} from '../notes.js';
import type {Files, FilesError, FilesEvents, Sendable, Transfer} from './api.js';
import {type Claim, claim} from './claim.js';
import {fileProtocol} from './frame.js';
import {Inbox, keptMs, maxUnanswered} from './inbox.js';
import {Incoming} from './incoming.js';
import {type Entry, Ledger} from './ledger.js';
import {type FileInfo, isMedia, maxFiles, maxOffer, offerTexts, sizeOf} from './message.js';
import type {Record as Description, Moving} from './moving.js';
import {Outgoing} from './outgoing.js';
import {baseName, cleanName, cleanPath, otherName} from './path.js';
import {saveAll, saveFile} from './save.js';
import {Workshop} from './workshop.js';

/** What files need of a room. */
export type FilesRoom = Pick<Room, 'name' | 'people' | 'channels'>;

/** How many transfers to, and from, one person move at a time; the others have to wait. */
const maxActive = 2;
/** How often the app hears how far a transfer is, in milliseconds: what it draws then takes from the transfer itself. */
const tickMs = 500;

/** How many incoming transfers of one person that came to nothing stay in the list. */
const maxVain = 8;

/** Opens the files of a room: from now on offers are heard, and what was not through goes on. `note` keeps the record. */
export function openFiles(room: FilesRoom, note: (event: Note) => void = () => {}): Files {
  return new Exchange(room, note);
}

/** All transfers of this page in a room. */
export class Exchange extends Events<FilesEvents> implements Files {
  #list: readonly Moving[] = [];
  readonly #claims = new Map<string, Claim>();
  readonly #release: (() => void)[];
  #arranging = false;
  #closed = false;
  readonly #port = {
    changed: (one: Moving) => this.#changed(one),
    received: (one: Moving) => this.emit('received', one),
    promised: (except: Incoming) =>
      this.#list.reduce((sum, one) => sum + (one instanceof Incoming && one !== except ? one.owed : 0), 0),
    freed: () => this.#freed(),
    note: (one: Moving, cause: string, ms: number) => this.record({kind: 'transfer', seat: one.seat, cause, ms}),
  };

  constructor(
    readonly room: FilesRoom,
    readonly record: (event: Note) => void = () => {},
    readonly workshop = new Workshop(),
    readonly ledger = new Ledger(),
  ) {
    super();
    const {channels} = room;
    const inbox = new Inbox(room, this.workshop, {
      ...this.#port,
      find: (id) => this.#get(id, Incoming),
      unanswered: (seat) =>
        this.#list.filter((one) => one.direction === 'in' && one.seat === seat && one.state === 'offered').length,
      add: (one) => {
        this.#forgetVain(one.seat);
        this.#add(one);
      },
      offered: (one) => this.emit('offer', one),
      claim: (id) => this.#claim(`in ${id}`).held,
    });
    const cut = (seat: string): void => {
      inbox.gone(seat);
      for (const one of this.#list) if (one.seat === seat && !one.over) one.disconnect();
    };
    const ticker = setInterval(() => this.#tick(), tickMs);
    this.#release = [
      channels.accept(fileProtocol, (seat, channel) => inbox.arrived(seat, channel)),
      channels.on('up', (seat) => {
        cut(seat); // what an older transport carried died with it, perhaps without a word
        for (const one of this.#list) if (one instanceof Outgoing && one.seat === seat) one.forgive();
        this.#arrange();
      }),
      channels.on('down', cut),
      () => clearInterval(ticker),
    ];
    void this.#recall();
  }

  get list(): readonly Transfer[] {
    return this.#list;
  }

  offer(items: readonly Sendable[], to: Participant | 'all', name = ''): readonly Transfer[] {
    const total = items.reduce((sum, {file}) => sum + file.size, 0);
    if (items.length === 0 || items.length > maxFiles || !Number.isSafeInteger(total)) {
      throw refusal('too-many', `files: a transfer has 1 to ${maxFiles} files, not ${items.length}`);
    }
    const files = apart(items.map(infoOf));
    const called = cleanName(name || nameOf(files));
    const texts = offerTexts({name: called, files, total, again: true});
    if (texts.reduce((bytes, text) => bytes + sizeOf(text), 0) > maxOffer) {
      throw refusal('too-many', `files: the names of ${files.length} files are too long together`);
    }
    const people = to === 'all' ? this.room.people.filter((p) => !p.isMe && p.state !== 'waiting') : [to];
    return people.map((person) => {
      const record: Description = {
        id: newId(),
        room: this.room.name,
        seat: person.id,
        person: person.name,
        name: called,
        files,
        total,
        at: Date.now(),
      };
      const handles = items.flatMap(({handle}) => handle ?? []);
      void this.ledger.put({...record, ...(handles.length === items.length && {handles})});
      this.#claim(`out ${record.id}`);
      const blobs = items.map(({file}) => file);
      return this.#add(new Outgoing(record, this.#port, this.workshop, blobs));
    });
  }

  async accept(id: string): Promise<void> {
    const one = this.#get(id, Incoming);
    if (!one) return;
    // The browser may ask the person, so nothing waits for the answer.
    void globalThis.navigator?.storage?.persist?.().catch(() => {});
    this.#claim(`in ${id}`);
    await one.accept();
  }

  refuse(id: string): void {
    this.#get(id, Incoming)?.refuse();
  }

  pause(id: string): void {
    this.#find(id)?.pause(true);
  }

  resume(id: string): void {
    this.#find(id)?.pause(false);
  }

  cancel(id: string): void {
    this.#find(id)?.cancel();
  }

  async retry(id: string, items?: readonly Sendable[]): Promise<void> {
    const one = this.#get(id, Outgoing);
    if (!one || one.over) return;
    const blobs = items ? match(one.record.files, items) : await this.#reopen(id, true);
    if (!blobs) throw refusal(items ? 'other-file' : 'denied', 'files: these are not the files that were offered');
    one.supply(blobs);
  }

  redirect(id: string, to: Participant): void {
    const one = this.#get(id, Outgoing);
    if (!one || one.over) return;
    one.redirect(to.id, to.name);
    void this.#entry(id).then((entry) => entry && this.ledger.put({...entry, seat: to.id, person: to.name}));
  }

  content(id: string, file: number): Blob | null {
    return this.#get(id, Incoming)?.content(file) ?? null;
  }

  async save(id: string, place: FileSystemFileHandle | FileSystemDirectoryHandle): Promise<void> {
    const one = this.#get(id, Incoming);
    if (!one) return;
    const blob = one.content(0);
    if (place.kind === 'directory') await saveAll(place as FileSystemDirectoryHandle, one.files, (i) => one.content(i));
    else if (blob) await saveFile(place as FileSystemFileHandle, blob);
    one.save(false);
  }

  markSaved(id: string): void {
    this.#get(id, Incoming)?.save(true);
  }

  remove(id: string): void {
    const one = this.#find(id);
    if (!one?.over) return;
    if (one instanceof Incoming) one.forget();
    this.#list = this.#list.filter((other) => other !== one);
    this.#letGo(one);
    this.emit('list', this.list);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const release of this.#release) release();
    for (const one of this.#list) if (!one.over) one.disconnect();
    for (const {release} of this.#claims.values()) release();
    this.workshop.close();
  }

  #find(id: string): Moving | null {
    return this.#list.find((one) => one.id === id) ?? null;
  }

  #get<T extends Moving>(id: string, kind: abstract new (...args: never[]) => T): T | null {
    return this.#list.find((one): one is T => one.id === id && one instanceof kind) ?? null;
  }

  #add<T extends Moving>(one: T): T {
    this.#list = [...this.#list, one];
    this.emit('list', this.list);
    this.#changed(one);
    return one;
  }

  /** Nobody fills the list with offers that are withdrawn. */
  #forgetVain(seat: string): void {
    const vain = this.#list.filter(
      (one) => one instanceof Incoming && one.seat === seat && one.over && one.state !== 'done',
    );
    for (const one of vain.slice(0, -maxVain)) this.remove(one.id);
  }

  #changed(one: Moving): void {
    if (this.#closed) return;
    if (one.over && one instanceof Outgoing) this.#letGo(one);
    this.emit('change', one);
    this.#arrange();
  }

  /** It is over: nothing has to be remembered of it. */
  #letGo(one: Moving): void {
    if (one instanceof Outgoing) void this.ledger.remove(one.id);
    const key = `${one.direction} ${one.id}`;
    this.#claims.get(key)?.release();
    this.#claims.delete(key);
  }

  #tick(): void {
    for (const one of this.#list) {
      const moves = one.state === 'moving';
      one.tick(performance.now());
      if (moves) this.emit('change', one);
    }
  }

  /** What had no room may have some now. */
  #freed(): void {
    if (this.#closed) return;
    for (const one of this.#list) {
      if (one instanceof Incoming && one.state === 'offered' && one.obstacle === 'no-space') void one.measure(true);
    }
  }

  /** Offers what may be offered now, and lets the first ones of each person move. Once for all changes of a moment. */
  #arrange(): void {
    if (this.#arranging || this.#closed) return;
    this.#arranging = true;
    queueMicrotask(() => {
      this.#arranging = false;
      if (this.#closed) return;
      for (const seat of this.room.channels.connected) this.#arrangeFor(seat);
    });
  }

  #arrangeFor(seat: string): void {
    const ours = this.#list.filter((one): one is Outgoing => one instanceof Outgoing && one.seat === seat && !one.over);
    let active = 0;
    for (const one of ours) one.admit(one.accepted && one.pausedBy === 'nobody' && active++ < maxActive);
    let unanswered = ours.filter((one) => one.asking).length;
    for (const one of ours) {
      if (!one.ready || unanswered >= maxUnanswered) continue;
      unanswered++;
      try {
        one.connect(this.room.channels.open(seat, one.id, fileProtocol, {ordered: true}));
      } catch {
        return; // the link has just gone; `up` says when it is back
      }
    }
  }

  /** Takes up what was not through before the page was loaded. */
  async #recall(): Promise<void> {
    for (const entry of await this.ledger.list()) {
      if (Date.now() - entry.at > keptMs) void this.ledger.remove(entry.id);
      else if (entry.room === this.room.name) void this.#recallOutgoing(entry);
    }
  }

  async #recallOutgoing(entry: Entry): Promise<void> {
    await this.#claim(`out ${entry.id}`).held;
    if (this.#closed || this.#find(entry.id) || !(await this.#entry(entry.id))) return;
    const blobs = await this.#reopen(entry.id, false);
    const {handles, ...record} = entry;
    const one = new Outgoing(record, this.#port, this.workshop, blobs);
    one.reopens = handles !== undefined;
    one.offeredBefore = true;
    this.#add(one);
  }

  #claim(name: string): Claim {
    const known = this.#claims.get(name) ?? claim(name);
    this.#claims.set(name, known);
    return known;
  }

  async #entry(id: string): Promise<Entry | null> {
    return (await this.ledger.list()).find((entry) => entry.id === id) ?? null;
  }

  /** Opens the files that the browser knows the places of; null when it may not, or they are others by now. */
  async #reopen(id: string, ask: boolean): Promise<File[] | null> {
    const entry = await this.#entry(id);
    if (!entry?.handles) return null;
    try {
      const files: File[] = [];
      for (const handle of entry.handles) {
        if (!(await permitted(handle, ask))) return null;
        files.push(await handle.getFile());
      }
      return files.every(({size}, i) => size === entry.files[i]?.size) ? files : null;
    } catch {
      return null; // moved or deleted since
    }
  }
}

type Permits = FileSystemFileHandle & Partial<Record<'queryPermission' | 'requestPermission', () => Promise<string>>>;

async function permitted(handle: Permits, ask: boolean): Promise<boolean> {
  if ((await handle.queryPermission?.()) === 'granted') return true;
  return ask && (await handle.requestPermission?.()) === 'granted';
}

function infoOf({file, path}: Sendable): FileInfo {
  const {size, lastModified, type} = file;
  return {path: cleanPath(path ?? file.name), size, modified: lastModified, ...(isMedia(type) && {media: type})};
}

/** Numbers the paths that are there twice: files of one name from several folders. */
function apart(files: readonly FileInfo[]): FileInfo[] {
  const taken = new Map<string, number>(); // with the last number that was given
  return files.map((file) => {
    const name = baseName(file.path);
    let {path} = file;
    let n = taken.get(path) ?? 1;
    while (taken.has(path)) path = file.path.slice(0, -name.length) + otherName(name, ++n);
    taken.set(file.path, n);
    taken.set(path, taken.get(path) ?? 1);
    return {...file, path};
  });
}

/** What several files are called together: their folder, or the first of them. */
function nameOf(files: readonly FileInfo[]): string {
  const first = files[0]?.path ?? '';
  const slash = first.indexOf('/');
  return slash > 0 ? first.slice(0, slash) : baseName(first);
}

/** Finds the same files again, by path and size, or by name and size where the person chose them differently. */
export function match(files: readonly FileInfo[], items: readonly Sendable[]): File[] | null {
  const found: File[] = [];
  const offered = items.map((item) => ({...infoOf(item), file: item.file}));
  for (const {path, size} of files) {
    const same =
      offered.find((one) => one.path === path && one.size === size) ??
      offered.find((one) => baseName(one.path) === baseName(path) && one.size === size);
    if (!same) return null;
    found.push(same.file);
  }
  return found;
}

/** 128 random bits, in 22 letters. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function refusal(code: FilesError['code'], words: string): FilesError {
  return Object.assign(new Error(words), {code});
}
