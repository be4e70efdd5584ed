import type {Bulk} from './bulk.js';
import type {Carrier} from './channels.js';
import {Link, type LinkPort} from './link.js';
import {type Body, freshId, type Incoming, type LinkMessage} from './message.js';
import type {Prepared} from './prepared.js';
import {nothing, type Publication} from './publication.js';
import type {Upkeep} from './upkeep.js';
import type {Seal} from './veil.js';
import type {Ways} from './ways.js';
import type {LinkKind, ReportEvent} from './wire.gen.js';

export {fresh} from './ways.js';
export type {Ways};

/** What happened to a link, for the record of the call. */
export type Happening = Pick<ReportEvent, 'kind' | 'link' | 'ms' | 'cause' | 'path'>;

/** What a pair asks of the one who keeps it, beside what its links do. */
export interface PairPort extends Pick<LinkPort, 'freshServers' | 'trouble' | 'watched' | 'channel' | 'changed'> {
  send<K extends LinkMessage['type'] | 'close-link'>(type: K, body: Omit<Body<K>, 'to' | 'from'>): number;
  /** Whether what is sent leaves now. */
  online(): boolean;
  /** Whether the other one's client has a socket. */
  present(): boolean;
  /** Whether a second transport may be held: somebody looks at the call, and bytes cost nothing. */
  lavish(): boolean;
  /** Makes a transport; null when the browser refuses, or has no server for these ways. */
  prepare(kind: 'offer' | 'answer', ways: Ways): Prepared | null;
  /** There is no main link any more; `steady` says that it did work for a while. */
  over(steady: boolean): void;
  /** Media says that the network is gone, or is back. */
  suspect(suspected: boolean): void;
  /** The other side's SDK said something that is not about links. */
  control(text: unknown): void;
  note(happening: Happening): void;
  /** There is a new transport, for the record of the call. */
  watch(link: Link, pc: RTCPeerConnection): void;
  /** A clock that stands still when the page does. */
  clock(): number;
  /** How late timers are of late, in milliseconds. */
  lag(): number;
  /** What encrypts in an encrypted room. */
  readonly seal: Seal | null;
}

/** What a pair gets of the other session. */
export type Relayed = Incoming['offer' | 'answer' | 'candidate' | 'end-of-candidates' | 'renegotiate' | 'close-link'];

/** Which transport carries media. */
export type Role = 'main' | 'spare';

/** How many small messages of the other side are heard in a second: more than anybody has to say. */
const maxHeard = 200;

const here = '{"type":"here"}';

/**
 * All transports with one other session: the main one, a spare one that idles over the relay, one that is to replace the
 * main one, which goes on until the new one is connected, and one that was replaced and drains. What is heard on them,
 * and what is done about a loss, is for {@link Upkeep} to say.
 */
export class Pair {
  #main: Link;
  #spare: Link | null = null;
  #next: Link | null = null;
  #old: Link | null = null;
  /** The one on which a program sends files to us; its code comes with it. */
  #bulk: {id: string; link: Promise<Bulk | null>} | null = null;
  #using: Role = 'main';
  #shown: Role = 'main';
  #publication: Publication = nothing;
  #live = false;
  #closed = false;
  #upkeep: Upkeep | null = null;
  #heard = {from: 0, count: 0}; // messages of this second

  /** `maker` says that this side makes the links. The first one is begun with the prepared transport. */
  constructor(
    readonly peer: string,
    readonly maker: boolean,
    id: string,
    prepared: Prepared,
    readonly port: PairPort,
  ) {
    this.#main = this.#begin(id, prepared);
  }

  /** The main link. */
  get main(): Link {
    return this.#main;
  }

  get spare(): Link | null {
    return this.#spare;
  }

  /** The one that is to replace the main one. */
  get next(): Link | null {
    return this.#next;
  }

  /** The one that was replaced, while it drains. */
  get old(): Link | null {
    return this.#old;
  }

  /** All that there are. */
  get links(): Link[] {
    return [this.#main, this.#spare, this.#next, this.#old].filter((link) => link !== null);
  }

  /** Which of them our media leaves on. */
  get using(): Role {
    return this.#using;
  }

  /** The link that our media leaves on. */
  get inUse(): Link {
    return (this.#using === 'spare' && this.#spare) || this.#main;
  }

  /** The link whose tracks are to be seen and heard. */
  get shown(): Link {
    return (this.#shown === 'spare' && this.#spare) || this.#main;
  }

  /** The link that data channels are opened on; null while its ends are not known to be those of the two of us. */
  get carrier(): Carrier | null {
    const link = this.#upkeep?.settled ? this.inUse : this.#main;
    const {seal} = this.port;
    return !seal || seal.trusts(this.peer, link.id) ? link : null;
  }

  /** Media may leave: both sides have their seats. */
  get live(): boolean {
    return this.#live;
  }

  /** Gives it what keeps it up; without, it lives as long as its first transport. */
  attend(upkeep: Upkeep): void {
    this.#upkeep = upkeep;
  }

  get upkeep(): Upkeep | null {
    return this.#upkeep;
  }

  publish(publication: Publication, live: boolean): void {
    if (live && !this.#live) this.#upkeep?.began();
    this.#publication = publication;
    this.#live = live;
    this.#place();
  }

  /** Takes a message of the other session; offers for a link that is not there begin one. */
  receive(message: Relayed): void {
    const link = this.#find(message.link);
    if (message.type === 'offer' && message.kind === 'bulk') this.#takeBulk(message);
    else if (message.link === this.#bulk?.id) this.#tellBulk(message);
    else if (message.type === 'offer' && !link) this.#accept(message);
    else if (!link)
      return; // of a link that is gone
    else if (message.type === 'close-link') this.#ended(link);
    else link.receive(message);
  }

  /** The server counts anew: numbers of before mean nothing. */
  renumber(): void {
    for (const link of this.links) link.renumber();
  }

  close(): void {
    this.#closed = true;
    this.port.suspect(false);
    for (const link of this.links) link.close();
    this.#dropBulk();
  }

  // ---- what upkeep does with it

  /** Puts our tracks on another transport, and says so on it. */
  use(role: Role): void {
    this.#using = role;
    this.port.note({kind: 'replaced', link: this.inUse.id, cause: role});
    this.#place();
    this.greet();
    this.port.changed();
  }

  /** Says on the link in use that we are there. */
  greet(): void {
    this.inUse.tell(here);
  }

  /** Shows what arrives on a transport. */
  show(role: Role): void {
    this.#shown = role;
    this.port.changed();
  }

  /** Makes another main link beside the one that is there. */
  replace(ways: Ways): void {
    if (this.#next) this.end(this.#next);
    const prepared = this.port.prepare('offer', ways) ?? (ways === 'tls' ? this.port.prepare('offer', 'stream') : null);
    if (!prepared) return;
    const cause = ways === 'tls' ? 'another link, by relay' : 'another link';
    this.port.note({kind: 'restart', link: this.#main.id, cause});
    this.#next = this.#begin(freshId(), prepared);
  }

  /** Makes a spare; false when there is no relay for one. */
  addSpare(): boolean {
    const prepared = this.port.prepare('offer', 'stream');
    if (prepared) this.#spare = this.#begin(freshId(), prepared, 'spare');
    return prepared !== null;
  }

  /** Ends a link on both sides. */
  end(link: Link): void {
    this.port.send('close-link', {link: link.id});
    this.#ended(link);
  }

  // ----

  #find(id: string): Link | null {
    return this.links.find((link) => link.id === id) ?? null;
  }

  /** Puts our tracks on the link in use, and takes them off the others. */
  #place(): void {
    for (const link of this.links) link.publish(link === this.inUse ? this.#publication : nothing, this.#live);
  }

  #accept(offer: Incoming['offer']): void {
    const {link: id, kind} = offer;
    const suits = !this.maker && (!kind || (kind === 'spare' && this.port.lavish()));
    const prepared = suits ? this.port.prepare('answer', kind === 'spare' ? 'stream' : 'all') : null;
    if (!prepared) {
      this.port.send('close-link', {link: id});
      return;
    }
    const link = this.#begin(id, prepared, kind);
    if (kind === 'spare') {
      this.#spare?.close();
      this.#spare = link;
    } else if (this.#main.proven) {
      this.#next?.close();
      this.#next = link;
    } else {
      this.#main.close();
      this.#main = link;
    }
    this.#place();
    link.receive(offer);
  }

  /** A program wants to send files. Another link for it means that the older one is dead to them. */
  #takeBulk({link: id, sdp}: Incoming['offer']): void {
    this.#dropBulk();
    if (this.port.seal) {
      this.port.send('close-link', {link: id}); // its ends are not compared: the main link has to do
      return;
    }
    const port = {
      send: (type: 'answer' | 'candidate' | 'end-of-candidates', body: object) =>
        void this.port.send(type, {...body, link: id} as never),
      channel: (channel: RTCDataChannel) => this.port.channel(channel),
      broken: () => {
        if (this.#bulk?.id !== id) return;
        this.port.send('close-link', {link: id});
        this.#dropBulk();
      },
    };
    const link = import('./bulk.js').then(({Bulk}) => {
      const prepared = this.#bulk?.id === id && this.#live ? this.port.prepare('answer', 'all') : null;
      if (prepared) return new Bulk(sdp, prepared, port);
      this.port.send('close-link', {link: id});
      return null;
    });
    const refused = (): null => {
      this.port.send('close-link', {link: id}); // the page is older than the server: the main link has to do
      return null;
    };
    this.#bulk = {id, link: link.catch(refused)};
  }

  #tellBulk(message: Relayed): void {
    if (message.type === 'close-link') this.#dropBulk();
    else void this.#bulk?.link.then((link) => link?.receive(message));
  }

  #dropBulk(): void {
    void this.#bulk?.link.then((link) => link?.close());
    this.#bulk = null;
  }

  #begin(id: string, prepared: Prepared, kind?: LinkKind): Link {
    const {port} = this;
    const link: Link = new Link(
      this.peer,
      id,
      this.maker,
      prepared,
      {
        send: (type, body) => port.send(type, {...body, link: id} as never),
        freshServers: () => port.freshServers(),
        changed: () => (link === this.#main || link === this.#spare) && port.changed(),
        connected: () => this.#connected(link),
        moved: () => this.#upkeep?.moved(link),
        broken: (why, hopeless) => this.#broken(link, why, hopeless),
        asked: (elsewhere) =>
          link === this.#main && this.#upkeep ? this.#upkeep.asked(elsewhere) : void link.restart(),
        trouble: (kind, detail) => port.trouble(kind, detail),
        watched: () => port.watched(),
        channel: (channel) => {
          if (port.seal) port.seal.hold(this.peer, id, channel, (held) => port.channel(held));
          else port.channel(channel);
        },
        control: (text) => this.#control(link, text),
        seal: port.seal,
      },
      kind,
    );
    port.watch(link, prepared.pc);
    return link;
  }

  #connected(link: Link): void {
    if (link === this.#next) this.#promote(link);
    else this.#upkeep?.connected(link);
  }

  #control(link: Link, text: unknown): void {
    const now = performance.now();
    if (now - this.#heard.from >= 1_000) this.#heard = {from: now, count: 0};
    if (++this.#heard.count > maxHeard) return;
    if (text === here) this.#upkeep?.told(link, link === this.#spare ? 'spare' : 'main');
    else if (this.port.seal?.trusts(this.peer, link.id) ?? true) this.port.control(text);
  }

  /** The replacement is connected: it is the main link from now on. */
  #promote(link: Link): void {
    if (this.#old !== link) this.#old?.close();
    this.#old = this.#main;
    this.#main = link;
    this.#next = null;
    this.#using = this.#shown = 'main';
    this.#upkeep?.replaced();
    this.use('main');
  }

  /** Only another link helps. One that may still carry media goes on until that is there. */
  #broken(link: Link, why: string, hopeless: boolean): void {
    if (this.#closed || !this.#find(link.id)) return;
    this.port.note({kind: 'note', link: link.id, cause: why});
    // One that breaks as soon as it is there is made again later and later (links.ts), not at once for ever.
    if (link !== this.#main || !link.steady || !this.maker || hopeless) this.end(link);
    else if (!this.#next) this.replace('all');
  }

  /** A link is gone, here or there. */
  #ended(link: Link): void {
    // The next is connected for the other side, or the one before was mended there and this one is not needed.
    const heir = this.#next ?? this.#old;
    if (link === this.#main && heir) this.#promote(heir);
    if (link === this.#main) {
      this.port.over(link.steady);
      return;
    }
    link.close();
    if (link === this.#old) this.#old = null;
    else if (link === this.#next) this.#next = null;
    else if (link === this.#spare) this.#spareEnded(link.steady);
  }

  #spareEnded(steady: boolean): void {
    const carried = this.#using === 'spare' || this.#shown === 'spare';
    this.#spare = null;
    this.#using = this.#shown = 'main';
    this.#upkeep?.spareEnded(steady);
    if (!carried) return;
    this.#place();
    this.port.changed();
  }
}
