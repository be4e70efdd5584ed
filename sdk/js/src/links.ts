import type {Trouble} from './api.js';
import {Link, type Prepared, prepare} from './link.js';
import {freshId, type Incoming, type Sender} from './message.js';
import type {Publication} from './publication.js';

/** How often a link that broke is made again before its person counts as unreachable; then it is tried twice a minute. */
const maxRebuilds = 3;
/** A transport held ready for longer is made anew when the network comes back. */
const staleMs = 10_000;
/** Links of people who have not joined yet; the server lets fewer through. */
const maxGuests = 4;

/** What the links ask of the room. */
export interface LinksPort extends Sender {
  online(): boolean;
  servers(): RTCIceServer[];
  freshServers(): Promise<RTCIceServer[]>;
  changed(session: string): void;
  trouble(session: string, kind: Trouble['kind'], detail: string): void;
  watched(session: string): boolean;
  channel(session: string, channel: RTCDataChannel): void;
  control(session: string, text: unknown): void;
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

interface Entry {
  link: Link;
  /** The other side has no seat yet: connect, send nothing. */
  guest: boolean;
}

type Relayed = Incoming['offer' | 'answer' | 'candidate' | 'end-of-candidates' | 'renegotiate' | 'close-link'];

/** All links of one session, one to each other session, and a transport held ready for the next one. */
export class Links {
  readonly #entries = new Map<string, Entry>();
  readonly #rebuilds = new Map<string, number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #prepared: Prepared | null = null;
  #publication: Publication = new Map();
  #wanted: Wanted = {session: '', seated: new Set(), make: new Set(), live: false, prepare: null};

  constructor(readonly port: LinksPort) {}

  get(session: string): Link | null {
    return this.#entries.get(session)?.link ?? null;
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
    const {from = '', link: id} = message;
    const entry = this.#entries.get(from);
    if (message.type === 'offer' && entry?.link.id !== id) {
      this.#accept(message, from, entry);
      return;
    }
    if (entry?.link.id !== id) return; // of a link that is gone
    if (message.type === 'close-link') this.#rebuild(entry.link);
    else entry.link.receive(message);
  }

  /** A session without a seat is gone. */
  gone(session: string): void {
    if (this.#entries.get(session)?.guest) this.close(session);
    this.#prepare();
  }

  /** The server did not pass on message `n`. Returns true when it was a link's first offer. */
  refused(n: number): boolean {
    for (const [session, {link}] of this.#entries) {
      if (link.offered !== n) continue;
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

  /** The network came back. */
  hurry(): void {
    this.forgive();
    // What was gathered a while ago may belong to a network that we have left.
    if (this.#prepared && performance.now() - this.#prepared.at > staleMs) this.#discard();
    this.#prepare();
    for (const {link} of this.#entries.values()) link.hurry();
  }

  close(session: string): void {
    const entry = this.#entries.get(session);
    if (!entry) return;
    this.#entries.delete(session);
    entry.link.close();
    this.port.changed(session);
  }

  closeAll(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const session of [...this.#entries.keys()]) this.close(session);
    this.#rebuilds.clear();
    this.#discard();
  }

  #make(session: string): void {
    const prepared = this.#take('offer');
    if (prepared) this.#open(session, freshId(), true, prepared);
  }

  #accept(offer: Incoming['offer'], from: string, old: Entry | undefined): void {
    const {seated, live, session} = this.#wanted;
    const guest = !seated.has(from);
    const guests = [...this.#entries.values()].filter((e) => e.guest).length;
    // Both made a link at once: the smaller session's stays, as both can tell.
    const lost = old?.link.maker === true && session < from;
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
    this.get(from)?.receive(offer);
    this.#prepare();
  }

  #open(session: string, id: string, maker: boolean, prepared: Prepared): Entry {
    const address = {to: session, link: id};
    const link: Link = new Link(session, id, maker, prepared, {
      send: (type, body) => this.port.send(type, {...body, ...address} as never),
      online: () => this.port.online(),
      freshServers: () => this.port.freshServers(),
      changed: () => this.port.changed(session),
      broken: () => this.#broken(link),
      trouble: (kind, detail) => this.port.trouble(session, kind, detail),
      watched: () => this.port.watched(session),
      channel: (channel) => this.port.channel(session, channel),
      control: (text) => this.port.control(session, text),
    });
    const entry = {link, guest: false};
    this.#entries.set(session, entry);
    this.port.changed(session);
    return entry;
  }

  /** Only a new link helps. Its maker makes it; the other side asks for it by closing this one. */
  #broken(link: Link): void {
    if (this.get(link.peer) !== link) return;
    this.port.send('close-link', {to: link.peer, link: link.id});
    this.#rebuild(link);
  }

  #rebuild(link: Link): void {
    const session = link.peer;
    const count = link.steady ? 0 : (this.#rebuilds.get(session) ?? 0);
    this.#rebuilds.set(session, count + 1);
    this.close(session);
    if (!link.maker || !this.#wanted.live) return;
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
    for (const {link, guest} of this.#entries.values()) link.publish(this.#publication, this.#wanted.live && !guest);
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

  #fresh(kind: 'offer' | 'answer'): Prepared | null {
    // A browser that dislikes one of the servers, such as its port, may still reach the other side without any.
    for (const servers of [this.port.servers(), []]) {
      try {
        return prepare(kind, servers);
      } catch (error) {
        this.port.trouble('', 'connection', `RTCPeerConnection: ${error}`);
      }
    }
    return null;
  }
}
