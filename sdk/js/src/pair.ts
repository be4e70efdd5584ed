import type {Trouble} from './api.js';
import type {Carrier} from './channels.js';
import {carry, holdMs} from './carry.js';
import {Link, type Prepared} from './link.js';
import {type Body, freshId, type Incoming, type LinkMessage} from './message.js';
import type {Publication} from './publication.js';
import {Recovery, type Remedy} from './recovery.js';
import type {LinkKind, ReportEvent} from './wire.gen.js';

/** Which ways a transport may take: all of them, only relays reached by TCP or TLS, or by TLS. */
export type Ways = 'all' | 'stream' | 'tls';

/** What happened to a link, for the record of the call. */
export type Happening = Pick<ReportEvent, 'kind' | 'link' | 'ms' | 'cause' | 'path'>;

/** What a pair asks of the one who keeps it. */
export interface PairPort {
  send<K extends LinkMessage['type'] | 'close-link'>(type: K, body: Omit<Body<K>, 'to' | 'from'>): number;
  /** Whether what is sent leaves now. */
  online(): boolean;
  /** Whether the other one's client has a socket. */
  present(): boolean;
  /** Whether a second transport may be held: somebody looks at the call, and bytes cost nothing. */
  lavish(): boolean;
  /** Makes a transport; null when the browser refuses, or has no server for these ways. */
  prepare(kind: 'offer' | 'answer', ways: Ways): Prepared | null;
  freshServers(): Promise<RTCIceServer[]>;
  changed(): void;
  /** There is no main link any more; `steady` says that it did work for a while. */
  over(steady: boolean): void;
  /** The network is gone, as media tells (or is back). */
  suspect(suspected: boolean): void;
  trouble(kind: Trouble['kind'], detail: string): void;
  note(happening: Happening): void;
  /** There is a new transport, for the record of the call. */
  watch(link: Link, pc: RTCPeerConnection): void;
  watched(): boolean;
  channel(channel: RTCDataChannel): void;
  control(text: unknown): void;
  clock(): number;
}

type Relayed = Incoming['offer' | 'answer' | 'candidate' | 'end-of-candidates' | 'renegotiate' | 'close-link'];

const here = '{"type":"here"}';
/** How often beats leave on a link that carries media, and on one that waits. */
const [beatMs, idleBeatMs] = [200, 500];
/** How much silence on the spare makes it useless. */
const spareMs = 1_600;
/** For how long the main link is well before a spare is made, and how long a spare that failed is not made again. */
const [settledMs, spareAgainMs] = [3_000, 30_000];
/** How long a transport that was replaced is kept, for what is still under way on it. */
const drainMs = 1_500;
/** After so long on the spare it carries new data channels too. */
const moveMs = 3_000;
const nothing: Publication = new Map();

/**
 * All transports with one other session, and which of them carries the media: the main one, a spare one that idles over
 * the relay, and one that is to replace the main one, which goes on until the new one is connected.
 */
export class Pair {
  #main: Link;
  #spare: Link | null = null;
  #next: Link | null = null;
  #old: Link | null = null;
  #using: 'main' | 'spare' = 'main';
  #shown: 'main' | 'spare' = 'main';
  #told: 'main' | 'spare' = 'main';
  #usingSince = 0;
  #switches = 0;
  #steadySince = Number.POSITIVE_INFINITY;
  #lostAt: number | null = null; // by the clock: when something was heard for the last time before a loss
  #spareAfter = 0;
  #ticked: number;
  #publication: Publication = nothing;
  #live = false;
  #closed = false;
  readonly #recovery: Recovery;

  /** `maker` says that this side makes the links. The first one is begun with the prepared transport. */
  constructor(
    readonly peer: string,
    readonly maker: boolean,
    id: string,
    prepared: Prepared,
    readonly port: PairPort,
  ) {
    this.#ticked = port.clock();
    this.#recovery = new Recovery(port.clock(), Math.random);
    this.#main = this.#begin(id, prepared);
  }

  /** The main link. */
  get main(): Link {
    return this.#main;
  }

  /** The link that data channels are opened on. */
  get carrier(): Carrier {
    return this.#using === 'spare' && this.#spare && this.port.clock() - this.#usingSince > moveMs
      ? this.#spare
      : this.#main;
  }

  /** The link whose tracks are to be seen and heard. */
  get shown(): Link {
    return (this.#shown === 'spare' && this.#spare) || this.#main;
  }

  publish(publication: Publication, live: boolean): void {
    this.#publication = publication;
    this.#live = live;
    this.#place();
  }

  /** Takes a message of the other session; offers for a link that is not there begin one. */
  receive(message: Relayed): void {
    const link = this.#find(message.link);
    if (message.type === 'offer' && !link) this.#accept(message);
    else if (!link) return; // of a link that is gone
    else if (message.type === 'close-link') this.#ended(link);
    else link.receive(message);
  }

  /** Goes on: beats, listens, decides. `visible` says whether this page is looked at. */
  tick(visible: boolean): void {
    const now = this.port.clock();
    const passed = now - this.#ticked;
    this.#ticked = now;
    const patience = this.#main.heart.patience(visible);
    const every = visible ? beatMs : 2 * idleBeatMs;
    for (const link of this.#links) {
      if (this.port.online() && this.port.present()) link.watch(passed);
      if (this.#live) link.tick(link === this.#inUse || link === this.#main ? every : 2 * every, patience);
    }
    this.#listen(now, patience);
    this.#switch(now);
    const reach = {online: this.port.online(), present: this.port.present()};
    const remedy = this.#recovery.next(now, reach);
    if (remedy) this.#apply(remedy);
    this.#upkeep(now);
  }

  /** The network, the socket or the other one came back. */
  hurry(): void {
    this.#recovery.hurry(this.port.clock());
  }

  /** The server counts anew. */
  renumber(): void {
    for (const link of this.#links) link.renumber();
  }

  close(): void {
    this.#closed = true;
    this.port.suspect(false);
    for (const link of this.#links) link.close();
  }

  get #links(): Link[] {
    return [this.#main, this.#spare, this.#next, this.#old].filter((link) => link !== null);
  }

  get #inUse(): Link {
    return (this.#using === 'spare' && this.#spare) || this.#main;
  }

  #find(id: string): Link | null {
    return this.#links.find((link) => link.id === id) ?? null;
  }

  // ---- what is heard

  #listen(now: number, patience: number): void {
    const main = this.#main;
    const {silence} = main.heart;
    const dead = main.state === 'failed' || (this.#live ? main.silent(patience) : main.state === 'disconnected');
    if (!main.proven) {
      if (main.state === 'failed') this.#recovery.ill(now);
      return;
    }
    if (dead === this.#recovery.lost) {
      if (!dead) this.#recovery.well(now);
    } else if (dead) this.#stalled(now, silence);
    else this.#recovered(now);
    const proof = !dead && main.connected && main.heart.unanswered < patience;
    this.#steadySince = proof ? Math.min(this.#steadySince, now) : Number.POSITIVE_INFINITY;
  }

  #stalled(now: number, silence: number): void {
    this.#lostAt = now - silence;
    this.#recovery.ill(now);
    this.port.note({kind: 'stalled', link: this.#main.id, cause: this.#main.state});
    this.port.suspect(true);
    this.#main.lose(true);
  }

  #recovered(now: number): void {
    this.#recovery.well(now);
    // On the spare the gap ended long before.
    if (this.#using === 'main') this.#noteGap(now);
    this.port.suspect(false);
    this.#main.lose(false);
    this.#lostAt = null;
  }

  #noteGap(now: number): void {
    if (this.#lostAt === null) return;
    this.port.note({kind: 'recovered', link: this.#inUse.id, ms: now - this.#lostAt});
    this.#lostAt = null;
  }

  // ---- where media flows

  #switch(now: number): void {
    const spare = this.#spare !== null && this.#spare.connected && this.#spare.heart.silence < spareMs;
    const using = carry({
      using: this.#using,
      main: !this.#recovery.lost,
      spare,
      told: this.#told,
      leads: this.maker,
      steadyMs: now - this.#steadySince,
      holdMs: holdMs(this.#switches),
    });
    if (this.#live && using !== this.#using) this.#use(using, now);
    this.#show();
  }

  #use(using: 'main' | 'spare', now: number): void {
    this.#using = using;
    this.#usingSince = now;
    if (using === 'spare') {
      this.#switches++;
      this.#spareAfter = now;
      if (this.#recovery.lost) this.#noteGap(now);
    }
    this.port.note({kind: 'replaced', link: this.#inUse.id, cause: using});
    this.#place();
    this.#inUse.tell(here);
    this.port.changed();
  }

  /** Puts our tracks on the link in use. */
  #place(): void {
    for (const link of this.#links) link.publish(link === this.#inUse ? this.#publication : nothing, this.#live);
  }

  /** Shows what arrives where it arrives. */
  #show(): void {
    const spare = this.#spare;
    const other = this.#shown === 'main' ? spare : this.#main;
    if (!other || this.shown.quiet < 250 || other.quiet > 150) return;
    this.#shown = this.#shown === 'main' ? 'spare' : 'main';
    this.port.changed();
  }

  #heard(link: Link, text: unknown): void {
    if (text !== here) {
      this.port.control(text);
      return;
    }
    this.#told = link === this.#spare ? 'spare' : 'main';
    link.heart.hear();
    this.#switch(this.port.clock());
  }

  // ---- what is done about a loss

  #apply(remedy: Remedy): void {
    if (remedy === 'restart' || (!this.maker && this.#main.proven)) {
      this.port.note({kind: 'restart', link: this.#main.id, cause: this.maker ? remedy : 'asked for'});
      void this.#main.restart();
    } else if (!this.#main.proven) this.#broken(this.#main, 'it never connected');
    else this.#replace(remedy === 'replace-tls' ? 'tls' : 'all');
  }

  /** Makes another main link beside the one that is there. */
  #replace(ways: Ways): void {
    this.#drop('next');
    const prepared = this.port.prepare('offer', ways) ?? (ways === 'tls' ? this.port.prepare('offer', 'stream') : null);
    if (!prepared) return;
    this.port.note({kind: 'restart', link: this.#main.id, cause: ways === 'tls' ? 'another link, by relay' : 'another link'});
    this.#next = this.#begin(freshId(), prepared);
  }

  #accept(offer: Incoming['offer']): void {
    const {link: id, kind} = offer;
    const role = kind === 'spare' ? 'spare' : 'next';
    const suits = !this.maker && (!kind || (kind === 'spare' && this.port.lavish()));
    const prepared = suits ? this.port.prepare('answer', kind === 'spare' ? 'stream' : 'all') : null;
    if (!prepared) {
      this.port.send('close-link', {link: id});
      return;
    }
    this.#drop(role);
    const link = this.#begin(id, prepared, kind);
    if (kind === 'spare') this.#spare = link;
    else if (this.#main.proven) this.#next = link;
    else {
      this.#main.close();
      this.#main = link;
    }
    this.#place();
    link.receive(offer);
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
        changed: () => this.#changed(link),
        broken: (why) => this.#broken(link, why),
        asked: () => this.#asked(link),
        trouble: (kind, detail) => port.trouble(kind, detail),
        watched: () => port.watched(),
        channel: (channel) => port.channel(channel),
        control: (text) => this.#heard(link, text),
        clock: () => port.clock(),
      },
      kind,
    );
    port.watch(link, prepared.pc);
    return link;
  }

  #asked(link: Link): void {
    if (link !== this.#main) {
      void link.restart();
      return;
    }
    const remedy = this.#recovery.asked(this.port.clock());
    if (remedy) this.#apply(remedy);
  }

  #changed(link: Link): void {
    if (this.#closed) return;
    if (link === this.#next && link.connected) this.#promote(link);
    else if (link === this.#main && link.connected) this.#listen(this.port.clock(), Number.POSITIVE_INFINITY);
    if (link === this.#main || link === this.#spare) this.port.changed();
  }

  /** The replacement is connected: it is the main link from now on. */
  #promote(link: Link): void {
    const now = this.port.clock();
    this.#drop('old');
    this.#old = this.#main;
    this.#main = link;
    this.#next = null;
    this.#using = this.#shown = this.#told = 'main';
    this.#spareAfter = now + drainMs;
    this.#usingSince = now;
    this.port.note({kind: 'replaced', link: link.id, cause: 'another link'});
    if (this.#recovery.lost) this.#recovered(now);
    this.#place();
    link.tell(here);
  }

  /** Only another link helps. Before the first connection there is nothing to keep, and who keeps the pair begins anew. */
  #broken(link: Link, why: string): void {
    if (this.#closed || !this.#find(link.id)) return;
    if (link === this.#main && link.proven && this.maker && !why.startsWith('DTLS')) {
      if (!this.#next) this.#replace('all');
      return;
    }
    this.port.send('close-link', {link: link.id});
    this.#ended(link);
  }

  /** A link is gone, here or there. */
  #ended(link: Link): void {
    if (link === this.#main && this.#next?.connected) this.#promote(this.#next);
    if (link === this.#main) this.port.over(link.steady);
    else if (link === this.#old) this.#drop('old');
    else if (link === this.#next) this.#drop('next');
    else if (link === this.#spare) this.#loseSpare(this.port.clock() + spareAgainMs);
  }

  // ---- upkeep

  #upkeep(now: number): void {
    if (this.#old && now - this.#usingSince > drainMs) {
      this.port.send('close-link', {link: this.#old.id});
      this.#drop('old');
    }
    if (!this.maker) return;
    const wanted = this.#live && this.port.lavish() && !this.#overStream();
    if (this.#spare && !wanted && this.#using === 'main') {
      this.port.send('close-link', {link: this.#spare.id});
      this.#loseSpare(now);
    } else if (this.#spare && this.#spare.heart.silence > spareAgainMs) {
      this.port.send('close-link', {link: this.#spare.id});
      this.#loseSpare(now);
    } else if (!this.#spare && wanted && now - this.#steadySince > settledMs && now > this.#spareAfter) {
      const prepared = this.port.prepare('offer', 'stream');
      this.#spareAfter = now + spareAgainMs;
      if (prepared) this.#spare = this.#begin(freshId(), prepared, 'spare');
    }
  }

  /** The main link goes the way that a spare one would go. */
  #overStream(): boolean {
    const {kind, protocol} = this.#main.path;
    return kind === 'relayed' && protocol !== undefined && protocol !== 'udp';
  }

  #loseSpare(again: number): void {
    this.#drop('spare');
    this.#spareAfter = again;
    if (this.#using !== 'spare' && this.#shown !== 'spare') return;
    this.#using = this.#shown = this.#told = 'main';
    this.#place();
    this.port.changed();
  }

  #drop(role: 'spare' | 'next' | 'old'): void {
    const link = {spare: this.#spare, next: this.#next, old: this.#old}[role];
    link?.close();
    if (role === 'spare') this.#spare = null;
    else if (role === 'next') this.#next = null;
    else this.#old = null;
  }
}
