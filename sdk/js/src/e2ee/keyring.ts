import {type Bytes, fromBase64, random, toBase64} from './bytes.js';
import type {Boxes, Other, Secret, Self} from './secret.js';
import {Seen} from './seen.js';
import {keyLength} from './sframe.js';

/** After this time a new key is used although somebody has not said to have it. */
export const switchMs = 2_000;
/** How soon after one change of keys another one follows: many who come at once make few. */
export const restMs = 500;
/** How long words wait for others to go with them. */
const gatherMs = 20;
/** How many boxes go in one message. */
const maxBoxes = 64;
/** Generations of a key are counted in so many numbers. */
const generations = 16;
/** How many boxes of people who are not known yet wait. */
const maxEarly = 256;
/** How late a box may come, in numbers of its sender: by two ways they come in no order. */
const lateness = 4_096;
/** Of how many pages it is known which of their boxes were there. */
const maxHeard = 1_024;

/** Somebody in the room, as the server says. */
export interface Member {
  session: string;
  seat: string;
  name: string;
  order: number;
  /** Absent when they say not to encrypt. */
  identity?: string | undefined;
}

/**
 * How far somebody is known: `pending` while no key of theirs has come, `known` when one has, told by who they are shown
 * as, and `stranger` when it was told by somebody else, or what they say to be is not from who knows the room's secret.
 */
export type Standing = 'pending' | 'known' | 'stranger';

/** What the keyring asks of the page. */
export interface KeyringPort {
  /** Sends boxes by the server. */
  send(boxes: readonly {to: string; box: string}[]): void;
  /** Sends a box past the server, where there is a way. */
  tell(seat: string, box: string): void;
  /** Seals with this key from now on. */
  use(kid: number, base: Bytes): void;
  /** Opens somebody's frames with this key too. */
  add(session: string, kid: number, base: Bytes): void;
  forget(session: string): void;
  /** Somebody is there now who can be talked to. */
  met(session: string): void;
  /** Somebody's standing changed. */
  changed(): void;
  /** Somebody says what the two ends of a link are, as they see them. */
  linked(session: string, link: string, own: readonly string[], peer: readonly string[]): void;
}

interface Known {
  member: Member;
  other: Other;
  boxes: Boxes;
  heard: Seen;
  standing: Standing;
  /** What they said with their last key when it did not fit who they are shown as. */
  odd?: Record<string, unknown> | undefined;
}

/** My key that is not in use yet. */
interface Next {
  kid: number;
  base: Bytes;
  /** Who has to have it: those who can read me now. */
  wait: Set<string>;
  /** Who was given it: who comes later gets another one. */
  told: Set<string>;
  /** When it is used all the same; one that is made meanwhile takes over the time that is left. */
  timer: ReturnType<typeof setTimeout>;
}

/**
 * The keys of everybody's frames. My own is made anew whenever somebody comes or goes, told to everybody one by one, and
 * used when those who could read me have it: nobody goes dark, whoever comes reads nothing of before, whoever goes
 * nothing of after.
 */
export class Keyring {
  readonly #known = new Map<string, Known>();
  /** What was heard of each page, by its public key, the latest to come or go last: they may be back. */
  readonly #heard = new Map<string, Seen>();
  readonly #strangers = new Map<string, string>(); // identities by session
  #readers = new Set<string>(); // who was given the key in use
  #me: Member | null = null;
  /** Numbers all that is said, to whomever: somebody who comes back under another session hears no number twice. */
  #said = 0;
  #generation = 0;
  #next: Next | null = null;
  #due = false;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #out: {to: string; box: string}[] = [];
  #flush: ReturnType<typeof setTimeout> | undefined;
  #queue: Promise<void> = Promise.resolve();
  #early: {from: string; box: string}[] = [];
  #closed = false;

  constructor(
    readonly secret: Secret,
    readonly self: Self,
    readonly port: KeyringPort,
  ) {}

  /** How far somebody is known. */
  standing(session: string): Standing {
    if (this.#strangers.has(session)) return 'stranger';
    return this.#known.get(session)?.standing ?? 'pending';
  }

  /** Whether somebody was given the key in use. */
  reads(session: string): boolean {
    return this.#readers.has(session) && this.standing(session) !== 'stranger';
  }

  /** Takes who is here now, me and the others; `me` is null while I have no seat. */
  members(me: Member | null, others: readonly Member[]): void {
    this.#run(async () => {
      const moved = !same(me, this.#me);
      this.#me = me;
      await this.#meet(me ? others : [], moved);
    });
  }

  /** Takes a box of somebody, by whatever way it came. */
  receive(from: string, box: string): void {
    this.#run(() => this.#open(from, box));
  }

  /** Tells somebody what the ends of our link are as I see them. */
  describe(session: string, link: string, own: readonly string[], peer: readonly string[]): void {
    this.#run(async () => {
      const known = this.#known.get(session);
      if (known) await this.#say(known, {type: 'link', link, own, peer});
    });
  }

  /** Resolves when everything asked for so far is done. */
  settled(): Promise<void> {
    return this.#queue;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#rest);
    clearTimeout(this.#flush);
    clearTimeout(this.#next?.timer);
  }

  #run(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      if (this.#closed) return;
      await work().catch(() => {}); // of somebody else's making, and nothing but their own hangs on it
    });
  }

  async #meet(others: readonly Member[], moved: boolean): Promise<void> {
    const here = new Map(others.map((m) => [m.session, m]));
    let changed = moved;
    for (const [session, {member}] of this.#known) {
      const now = here.get(session);
      if (now?.identity === member.identity) continue;
      this.#drop(session);
      changed = true;
    }
    for (const [session, identity] of this.#strangers) {
      if (here.get(session)?.identity !== identity) this.#strangers.delete(session);
    }
    const fresh: Known[] = [];
    for (const member of others) {
      const known = this.#known.get(member.session);
      if (known) this.#show(known, member);
      else if (!this.#strangers.has(member.session)) {
        const made = await this.#recognize(member);
        if (made) fresh.push(made);
        changed = true;
      }
    }
    if (changed) this.port.changed();
    for (const {from, box} of this.#early.splice(0)) await this.#open(from, box);
    // Words past the server may have come before its own, which they have to fit.
    for (const known of this.#known.values()) if (known.odd) await this.#believe(known, known.odd);
    if (this.#me && changed) await this.#rotate();
  }

  /** Takes somebody as the server shows them now. Under another name they have yet to say who they are. */
  #show(known: Known, member: Member): void {
    const {seat, name, order} = known.member;
    known.member = member;
    if (known.standing !== 'known') return;
    if (seat === member.seat && name === member.name && order === member.order) return;
    known.standing = 'pending';
    this.port.changed();
  }

  async #recognize(member: Member): Promise<Known | null> {
    const other = member.identity ? await this.secret.recognize(member.identity) : null;
    // My own words come back to me, in somebody else's name.
    const mirrored = other?.point.join() === this.self.point.join();
    if (!other || mirrored) {
      this.#strangers.set(member.session, member.identity ?? '');
      return null;
    }
    const boxes = await this.secret.agree(this.self, other);
    const known: Known = {member, other, boxes, heard: this.#remember(other), standing: 'pending'};
    this.#known.set(member.session, known);
    this.port.met(member.session);
    return known;
  }

  /** Remembers what was heard of a page: no box counts again when the server takes somebody away and back. */
  #remember({point}: Other, heard = this.#heard.get(toBase64(point)) ?? new Seen(lateness)): Seen {
    const page = toBase64(point);
    this.#heard.delete(page);
    this.#heard.set(page, heard);
    for (const old of this.#heard.keys()) {
      if (this.#heard.size <= maxHeard) break;
      this.#heard.delete(old);
    }
    return heard;
  }

  #drop(session: string): void {
    const known = this.#known.get(session);
    if (known) this.#remember(known.other, known.heard); // long here is not long gone
    this.#known.delete(session);
    this.#shut(session);
  }

  /** Somebody is to read nothing of me any more, nor I of them; a new key has to follow. */
  #shut(session: string): void {
    this.#readers.delete(session);
    this.#next?.told.delete(session);
    this.port.forget(session);
    this.#got(session);
  }

  /** Makes a new key and tells it to everybody who is not a stranger; soon, when the last one is not long ago. */
  async #rotate(): Promise<void> {
    if (this.#rest !== undefined) {
      this.#due = true;
      return;
    }
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      if (!this.#due) return;
      this.#due = false;
      this.#run(() => this.#rotate());
    }, restMs);
    const me = this.#me;
    if (!me) return;
    this.#generation = (this.#generation + 1) % generations;
    const [kid, base] = [me.order * generations + this.#generation, random(keyLength)];
    const timer = this.#next?.timer ?? setTimeout(() => this.#switch(), switchMs);
    const next: Next = {kid, base, wait: new Set(this.#readers), told: new Set(), timer};
    this.#next = next;
    for (const known of this.#known.values()) {
      if (known.standing === 'stranger') continue;
      await this.#give(known, kid, base);
      next.told.add(known.member.session);
    }
    if (this.#next !== next)
      this.port.changed(); // its time came while it was told
    else if (!next.wait.size) this.#switch();
  }

  #give(known: Known, kid: number, base: Bytes): Promise<void> {
    const {seat, name} = this.#me as Member;
    return this.#say(known, {type: 'key', kid, key: toBase64(base), seat, name});
  }

  /** Begins to use the newest key. */
  #switch(): void {
    const next = this.#next;
    if (!next || this.#closed) return;
    clearTimeout(next.timer);
    this.#next = null;
    this.#readers = next.told;
    this.port.use(next.kid, next.base);
    this.port.changed();
  }

  /** Somebody has the next key, or is gone. */
  #got(session: string): void {
    const next = this.#next;
    if (next?.wait.delete(session) && !next.wait.size) this.#switch();
  }

  async #open(from: string, box: string): Promise<void> {
    const known = this.#known.get(from);
    if (!known) {
      // Its sender may have heard of me before I heard of them.
      if (!this.#strangers.has(from) && this.#early.length < maxEarly) this.#early.push({from, box});
      return;
    }
    const words = await known.boxes.open(box);
    const n = words?.n;
    if (typeof n !== 'number' || !Number.isSafeInteger(n) || n < 0 || !known.heard.fresh(n)) return;
    known.heard.add(n);
    await this.#take(known, words as Record<string, unknown>);
  }

  async #take(known: Known, words: Record<string, unknown>): Promise<void> {
    const {type, kid, link, own, peer} = words;
    if (type === 'have' && kid === this.#next?.kid) this.#got(known.member.session);
    if (type === 'link' && typeof link === 'string' && isList(own) && isList(peer)) {
      this.port.linked(known.member.session, link, own, peer);
    }
    if (type === 'key') await this.#believe(known, words);
  }

  /** Takes somebody's key, if they say to be who they are shown as; otherwise they are a stranger until they do. */
  async #believe(known: Known, words: Record<string, unknown>): Promise<void> {
    const {session, seat, name, order} = known.member;
    const {kid, key} = words;
    if (typeof kid !== 'number' || typeof key !== 'string') return;
    const base = fromBase64(key);
    const before = known.standing;
    // The server might show one person's words under another one's name.
    const theirs = words.seat === seat && words.name === name && Math.floor(kid / generations) === order;
    const fits = theirs && base?.length === keyLength;
    known.odd = fits ? undefined : words;
    known.standing = fits ? 'known' : 'stranger';
    if (fits) {
      this.port.add(session, kid, base);
      await this.#say(known, {type: 'have', kid});
    } else if (before !== 'stranger') this.#shut(session);
    if (known.standing === before) return;
    this.port.changed();
    // Who has turned out to be a stranger reads no further; who is none any more reads again.
    if (!fits || before === 'stranger') await this.#rotate();
  }

  async #say(known: Known, words: object): Promise<void> {
    const box = await known.boxes.seal({...words, n: this.#said++});
    const {session, seat} = known.member;
    this.port.tell(seat, box);
    this.#out.push({to: session, box});
    this.#flush ??= setTimeout(() => this.#send(), gatherMs);
  }

  #send(): void {
    this.#flush = undefined;
    while (this.#out.length) this.port.send(this.#out.splice(0, maxBoxes));
  }
}

/** Whether the others would see the same person. */
function same(a: Member | null, b: Member | null): boolean {
  return a?.session === b?.session && a?.seat === b?.seat && a?.name === b?.name;
}

function isList(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= 16 && value.every((one) => typeof one === 'string');
}
