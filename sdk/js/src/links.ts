import type {Trouble} from './api.js';
import type {Link} from './link.js';
import {freshId, type Incoming, type Sender} from './message.js';
import type {Happening, Pair, Ways} from './pair.js';
import type {Prepared} from './prepared.js';
import type {Publication} from './publication.js';
import type {Seal} from './veil.js';

/** How often a link that broke is made again before its person counts as unreachable; then it is tried twice a minute. */
const maxRebuilds = 3;
/** A transport held ready for longer is made anew when the network comes back. */
const staleMs = 10_000;
/** Links of people who have not joined yet; the server lets fewer through. */
const maxGuests = 4;
/** How many messages may wait for the code that takes them. */
const maxEarly = 256;

/** What the links ask of the room. Its functions go on to each pair as they are. */
export interface LinksPort extends Sender {
  online(): boolean;
  servers(): RTCIceServer[];
  freshServers(): Promise<RTCIceServer[]>;
  changed(session: string): void;
  trouble(session: string, kind: Trouble['kind'], detail: string): void;
  watched(session: string): boolean;
  channel(session: string, channel: RTCDataChannel): void;
  control(session: string, text: unknown): void;
  /** Whether the client of a session has a socket. */
  present(session: string): boolean;
  /** Whether bytes that may turn out useless may be spent: the page is looked at, and they cost nothing. */
  lavish(): boolean;
  /** Media says that the network is gone, or is back. */
  suspect(suspected: boolean): void;
  note(session: string, happening: Happening): void;
  watch(session: string, link: Link, pc: RTCPeerConnection): void;
  clock(): number;
  lag(): number;
  /** What encrypts; null in a room without a key, undefined while it is not there yet. */
  seal(): Seal | null | undefined;
  /** Resolves when it is clear whether links can be made. */
  ready(): Promise<unknown>;
}

/** The links that a room wants at a moment. */
export interface Wanted {
  /** My own session. */
  session: string;
  /** The sessions that hold seats. */
  seated: ReadonlySet<string>;
  /** Those of them that I make a link to, because I came later. */
  make: ReadonlySet<string>;
  /** Whether I hold a seat myself: only then media leaves. */
  live: boolean;
  /** What kind of transport to hold ready for the next link. */
  prepare: 'offer' | 'answer' | null;
}

type PairCode = typeof import('./pair.js');

interface Entry {
  pair: Pair;
  /** The other side has no seat yet: connect, send nothing. */
  guest: boolean;
}

type Relayed = Incoming['offer' | 'answer' | 'candidate' | 'end-of-candidates' | 'renegotiate' | 'close-link'];

/** All links of one session, a pair of sessions each, and a transport held ready for the next one. */
export class Links {
  readonly #entries = new Map<string, Entry>();
  readonly #rebuilds = new Map<string, number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #prepared: Prepared | null = null;
  #publication: Publication = new Map();
  #wanted: Wanted = {session: '', seated: new Set(), make: new Set(), live: false, prepare: null};
  /** What a link is made of: it comes while the socket opens, so that the page in front of it is there sooner. */
  #code: PairCode | null = null;
  #early: Relayed[] = [];

  constructor(readonly port: LinksPort) {
    Promise.all([import('./pair.js'), port.ready()]).then(
      ([code]) => this.#begin(code),
      (error) => port.trouble('', 'connection', `the code of links: ${error}`), // the page is older than the server
    );
  }

  get(session: string): Pair | null {
    return this.#entries.get(session)?.pair ?? null;
  }

  /** Whether the link to a session was made anew too often. */
  hopeless(session: string): boolean {
    return (this.#rebuilds.get(session) ?? 0) > maxRebuilds;
  }

  /** Makes what is wanted true: closes, makes, lets media out or holds it back. */
  want(wanted: Wanted): void {
    this.#wanted = wanted;
    for (const [session, entry] of this.#entries) {
      if (wanted.seated.has(session)) entry.guest = false;
      else if (!(entry.guest && wanted.live)) this.close(session);
    }
    for (const session of wanted.make) {
      if (!this.#entries.has(session) && !this.#rebuilds.has(session)) this.#make(session);
    }
    this.#publish();
    this.#prepare();
  }

  /** Sets what is sent on every link whose other side has a seat. */
  publish(publication: Publication): void {
    this.#publication = publication;
    this.#publish();
  }

  /** Takes a message of another session. */
  receive(message: Relayed): void {
    if (!this.#code) {
      if (this.#early.length < maxEarly) this.#early.push(message);
      return;
    }
    const {from = ''} = message;
    const entry = this.#entries.get(from);
    const first = message.type === 'offer' && !message.kind && (!entry || entry.pair.maker);
    if (first && entry?.pair.main.id !== message.link) this.#accept(message, from, entry);
    else if (entry) entry.pair.receive(message);
    else if (message.type === 'offer') this.port.send('close-link', {to: from, link: message.link});
  }

  /** Goes on with every pair: beats, listens, decides. */
  tick(visible: boolean): void {
    for (const {pair} of this.#entries.values()) pair.upkeep?.tick(visible);
  }

  /** A session without a seat is gone. */
  gone(session: string): void {
    if (this.#entries.get(session)?.guest) this.close(session);
    this.#prepare();
  }

  /** The server did not pass on message `n`. Returns true when it was a link's first offer. */
  refused(n: number): boolean {
    for (const [session, {pair}] of this.#entries) {
      if (pair.main.offered !== n) continue;
      this.close(session);
      this.#rebuilds.set(session, 1); // until the room asks anew
      return true;
    }
    return false;
  }

  /** Forgets refusals and failures: the situation is a new one. */
  forgive(): void {
    this.#rebuilds.clear();
  }

  /** The network or the socket came back; `other` as in {@link Upkeep.hurry}. */
  hurry(other: boolean): void {
    this.forgive();
    // What was gathered a while ago may belong to a network that we have left.
    if (this.#prepared && performance.now() - this.#prepared.at > staleMs) this.#discard();
    this.#prepare();
    for (const {pair} of this.#entries.values()) pair.upkeep?.hurry(other);
  }

  /** There are links. */
  get any(): boolean {
    return this.#entries.size > 0;
  }

  /** The path to somebody does not work. */
  get lost(): boolean {
    return [...this.#entries.values()].some(({pair}) => pair.upkeep?.lost);
  }

  /** Something says that the network may be gone. */
  alarm(): void {
    for (const {pair} of this.#entries.values()) pair.upkeep?.alarm();
  }

  /** The server counts anew: what it refuses from now on is something else. */
  renumber(): void {
    for (const {pair} of this.#entries.values()) pair.renumber();
  }

  close(session: string): void {
    const entry = this.#entries.get(session);
    if (!entry) return;
    this.#entries.delete(session);
    entry.pair.close();
    this.port.changed(session);
  }

  closeAll(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const session of [...this.#entries.keys()]) this.close(session);
    this.#rebuilds.clear();
    this.#early = [];
    this.#wanted = {...this.#wanted, make: new Set(), prepare: null}; // whoever goes on says so
    this.#discard();
  }

  #begin(code: PairCode): void {
    this.#code = code;
    this.want(this.#wanted);
    for (const message of this.#early.splice(0)) this.receive(message);
  }

  #make(session: string): void {
    const prepared = this.#code && this.#take('offer');
    if (prepared) this.#open(session, freshId(), true, prepared);
  }

  #accept(offer: Incoming['offer'], from: string, old: Entry | undefined): void {
    const {seated, live, session} = this.#wanted;
    const guest = !seated.has(from);
    const guests = [...this.#entries.values()].filter((e) => e.guest).length;
    // Both made a link at once: the smaller session's stays, as both can tell.
    const lost = old?.pair.maker === true && session < from;
    if (!live || lost) return;
    if (guest && (!offer.early || guests >= maxGuests)) {
      this.port.send('close-link', {to: from, link: offer.link});
      return;
    }
    const prepared = this.#take('answer');
    if (!prepared) return;
    this.close(from);
    this.#open(from, offer.link, false, prepared).guest = guest;
    this.#publish();
    this.get(from)?.main.receive(offer);
    this.#prepare();
  }

  #open(session: string, id: string, maker: boolean, prepared: Prepared): Entry {
    const {port} = this;
    const {Pair} = this.#code as PairCode; // whoever opens has looked
    const pair: Pair = new Pair(session, maker, id, prepared, {
      ...port,
      send: (type, body) => port.send(type, {...body, to: session} as never),
      present: () => port.present(session),
      prepare: (kind, ways) => this.#fresh(kind, ways),
      changed: () => port.changed(session),
      over: (steady) => this.#rebuild(pair, steady),
      trouble: (kind, detail) => port.trouble(session, kind, detail),
      note: (happening) => port.note(session, happening),
      watch: (link, pc) => port.watch(session, link, pc),
      watched: () => port.watched(session),
      channel: (channel) => port.channel(session, channel),
      control: (text) => port.control(session, text),
      seal: port.seal() ?? null,
    });
    const entry = {pair, guest: false};
    this.#entries.set(session, entry);
    this.#attend(pair);
    port.changed(session);
    return entry;
  }

  /** Its code is not needed before there is something to keep up. A page that cannot get it has no such help. */
  #attend(pair: Pair): void {
    import('./upkeep.js').then(
      ({Upkeep}) => this.get(pair.peer) === pair && pair.attend(new Upkeep(pair)),
      (error) => this.port.trouble(pair.peer, 'connection', `upkeep: ${error}`),
    );
  }

  /** The main link of a pair is gone. Its maker makes another. */
  #rebuild(pair: Pair, steady: boolean): void {
    const session = pair.peer;
    if (this.get(session) !== pair) return;
    const count = steady ? 0 : (this.#rebuilds.get(session) ?? 0);
    this.#rebuilds.set(session, count + 1);
    this.close(session);
    if (!pair.maker || !this.#wanted.live) return;
    if (count === maxRebuilds) this.port.trouble(session, 'connection', `no link after ${count} attempts`);
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        if (this.#wanted.make.has(session) && !this.#entries.has(session)) this.#make(session);
        this.#publish();
      },
      Math.min(30_000, 250 * 4 ** count),
    );
    this.#timers.add(timer);
  }

  #publish(): void {
    for (const {pair, guest} of this.#entries.values()) pair.publish(this.#publication, this.#wanted.live && !guest);
  }

  #prepare(): void {
    const {prepare: kind} = this.#wanted;
    if (this.#prepared?.kind !== kind) this.#discard();
    if (kind && !this.#prepared && !this.#entries.size) this.#prepared = this.#fresh(kind);
  }

  #discard(): void {
    this.#prepared?.pc.close();
    this.#prepared = null;
  }

  #take(kind: 'offer' | 'answer'): Prepared | null {
    const prepared = this.#prepared;
    if (prepared?.kind !== kind) return this.#fresh(kind);
    this.#prepared = null;
    return prepared;
  }

  #fresh(kind: 'offer' | 'answer', ways: Ways | null = null): Prepared | null {
    const seal = this.port.seal();
    if (seal === undefined) return null;
    const trouble = (detail: string) => this.port.trouble('', 'connection', detail);
    return this.#code?.fresh(kind, ways, this.port.servers(), trouble, seal) ?? null;
  }
}
