import {carry, holdMs} from './carry.js';
import type {Carrier} from './channels.js';
import {Link, type LinkPort} from './link.js';
import {type Body, freshId, type Incoming, type LinkMessage} from './message.js';
import type {Prepared} from './prepared.js';
import type {Publication} from './publication.js';
import {Recovery, type Remedy} from './recovery.js';
import {againMs, Spare, settledMs} from './spare.js';
import type {LinkKind, ReportEvent} from './wire.gen.js';

/** Which ways a transport besides the first may take: all, only relays reached by TCP or TLS, or by TLS. */
export type Ways = 'all' | 'stream' | 'tls';

/** What happened to a link, for the record of the call. */
export type Happening = Pick<ReportEvent, 'kind' | 'link' | 'ms' | 'cause' | 'path'>;

/** What a pair asks of the one who keeps it, beside what its links do. */
export interface PairPort
  extends Pick<LinkPort, 'freshServers' | 'trouble' | 'watched' | 'channel' | 'control' | 'clock' | 'changed'> {
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
  note(happening: Happening): void;
  /** There is a new transport, for the record of the call. */
  watch(link: Link, pc: RTCPeerConnection): void;
}

type Relayed = Incoming['offer' | 'answer' | 'candidate' | 'end-of-candidates' | 'renegotiate' | 'close-link'];

const here = '{"type":"here"}';
/** How often beats leave, in a page that is looked at and in a hidden one. */
const [beatMs, hiddenBeatMs] = [200, 1_000];
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
  #next: Link | null = null;
  #old: Link | null = null;
  #using: 'main' | 'spare' = 'main';
  #shown: 'main' | 'spare' = 'main';
  #told: 'main' | 'spare' = 'main';
  #usingSince = 0;
  #switches = 0;
  #steadySince = Number.POSITIVE_INFINITY;
  #lostAt: number | null = null; // by the clock: when something was heard for the last time before a loss
  #ticked: number;
  #publication: Publication = nothing;
  #live = false;
  #closed = false;
  readonly #recovery: Recovery;
  readonly #spare: Spare;

  /** `maker` says that this side makes the links. The first one is begun with the prepared transport. */
  constructor(
    readonly peer: string,
    readonly maker: boolean,
    id: string,
    prepared: Prepared,
    readonly port: PairPort,
  ) {
    this.#ticked = port.clock();
    this.#spare = new Spare(() => port.clock());
    this.#recovery = new Recovery(port.clock(), Math.random);
    this.#main = this.#begin(id, prepared);
  }

  /** The main link. */
  get main(): Link {
    return this.#main;
  }

  /** The link that data channels are opened on. */
  get carrier(): Carrier {
    return this.port.clock() - this.#usingSince > moveMs ? this.#inUse : this.#main;
  }

  /** The link whose tracks are to be seen and heard. */
  get shown(): Link {
    return (this.#shown === 'spare' && this.#spare.link) || this.#main;
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
    else if (!link)
      return; // of a link that is gone
    else if (message.type === 'close-link') this.#ended(link);
    else link.receive(message);
  }

  /** Goes on: beats, listens, decides. `visible` says whether this page is looked at. */
  tick(visible: boolean): void {
    const now = this.port.clock();
    const passed = now - this.#ticked;
    this.#ticked = now;
    const patience = this.#main.heart.patience(visible);
    const every = visible ? beatMs : hiddenBeatMs;
    for (const link of this.#links) {
      if (this.port.online() && this.port.present()) link.watch(passed);
      if (this.#live) link.heart.tick(every, patience);
    }
    this.#listen(now, patience);
    this.#switch(now);
    const calm = this.#using === 'spare' && this.#spare.alive;
    const reach = {online: this.port.online(), present: this.port.present(), calm};
    const remedy = this.#recovery.next(now, reach);
    if (remedy) this.#apply(remedy);
    this.#upkeep(now);
  }

  /** The network, the socket or the other one came back. */
  hurry(): void {
    this.#recovery.hurry(this.port.clock());
  }

  /** Something says that the network may be gone. */
  alarm(): void {
    this.#main.heart.alarm();
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
    return [this.#main, this.#spare.link, this.#next, this.#old].filter((link) => link !== null);
  }

  get #inUse(): Link {
    return (this.#using === 'spare' && this.#spare.link) || this.#main;
  }

  #find(id: string): Link | null {
    return this.#links.find((link) => link.id === id) ?? null;
  }

  // ---- what is heard

  #listen(now: number, patience: number): void {
    const main = this.#main;
    const {silence} = main.heart;
    const dead = main.state === 'failed' || (this.#live ? main.heart.stalled(patience) : main.state === 'disconnected');
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
    const using = carry({
      using: this.#using,
      main: !this.#recovery.lost,
      spare: this.#spare.alive,
      told: this.#told,
      leads: this.maker,
      steadyMs: now - Math.max(this.#steadySince, this.#usingSince),
      holdMs: holdMs(this.#switches),
    });
    if (this.#live && using !== this.#using) this.#use(using, now);
    this.#show();
  }

  #use(using: 'main' | 'spare', now: number): void {
    this.#using = using;
    this.#usingSince = now;
    this.#told = using; // until the other side says otherwise
    if (using === 'spare') {
      this.#switches++;
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
    const other = this.#shown === 'main' ? this.#spare.link : this.#main;
    if (!other || this.shown.heart.quiet < 250 || other.heart.quiet > 150) return;
    this.#shown = this.#told = this.#shown === 'main' ? 'spare' : 'main';
    this.port.changed();
  }

  #heard(link: Link, text: unknown): void {
    if (text !== here) {
      this.port.control(text);
      return;
    }
    this.#told = link === this.#spare.link ? 'spare' : 'main';
    link.heart.hear();
    this.#switch(this.port.clock());
  }

  // ---- what is done about a loss

  #apply(remedy: Remedy): void {
    if (remedy === 'restart' || (!this.maker && this.#main.proven)) {
      this.port.note({kind: 'restart', link: this.#main.id, cause: this.maker ? remedy : 'asked for'});
      void this.#main.restart();
      // What took both away is the network of one side; the spare finds another one sooner (frame.ts).
      this.#spare.mend();
    } else if (!this.#main.proven) this.#broken(this.#main, 'it never connected');
    else this.#replace(remedy === 'replace-tls' ? 'tls' : 'all');
  }

  /** Makes another main link beside the one that is there. */
  #replace(ways: Ways): void {
    this.#next?.close();
    this.#next = null;
    const prepared = this.port.prepare('offer', ways) ?? (ways === 'tls' ? this.port.prepare('offer', 'stream') : null);
    if (!prepared) return;
    this.port.note({
      kind: 'restart',
      link: this.#main.id,
      cause: ways === 'tls' ? 'another link, by relay' : 'another link',
    });
    this.#next = this.#begin(freshId(), prepared);
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
    if (kind === 'spare') this.#spare.set(link);
    else if (this.#main.proven) {
      this.#next?.close();
      this.#next = link;
    } else {
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
        changed: () => (link === this.#main || link === this.#spare.link) && port.changed(),
        found: () => link === this.#main && this.#recovery.news(port.clock()),
        connected: () => this.#connected(link),
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

  #connected(link: Link): void {
    if (link === this.#next) this.#promote(link);
    else if (link === this.#main && this.#recovery.lost) this.#recovered(this.port.clock());
  }

  /** The replacement is connected: it is the main link from now on. */
  #promote(link: Link): void {
    const now = this.port.clock();
    this.#old?.close();
    this.#old = this.#main;
    this.#main = link;
    this.#next = null;
    this.#using = this.#shown = this.#told = 'main';
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
    if (link === this.#main && this.#next) this.#promote(this.#next); // it is connected for the other side
    if (link === this.#main) this.port.over(link.steady);
    else if (link === this.#spare.link) this.#loseSpare(againMs);
    else {
      link.close();
      if (link === this.#old) this.#old = null;
      if (link === this.#next) this.#next = null;
    }
  }

  // ---- upkeep

  #upkeep(now: number): void {
    if (this.#old && now - this.#usingSince > drainMs) {
      this.port.send('close-link', {link: this.#old.id});
      this.#ended(this.#old);
    }
    if (!this.maker) return;
    const spare = this.#spare.link;
    const wanted = this.#live && this.port.lavish() && !this.#overStream();
    if (spare && (this.#spare.hopeless || (!wanted && this.#using === 'main'))) {
      this.port.send('close-link', {link: spare.id});
      this.#loseSpare(0);
    } else if (wanted && this.#spare.due && now - this.#steadySince > settledMs) {
      const prepared = this.port.prepare('offer', 'stream');
      if (prepared) this.#spare.set(this.#begin(freshId(), prepared, 'spare'));
      else this.#spare.drop(againMs); // there is no such relay, for now
    }
  }

  /** The main link goes the way that a spare one would go. */
  #overStream(): boolean {
    const {kind, protocol} = this.#main.path;
    return kind === 'relayed' && protocol !== undefined && protocol !== 'udp';
  }

  #loseSpare(againAfterMs: number): void {
    this.#spare.drop(againAfterMs);
    if (this.#using === 'main' && this.#shown === 'main') return;
    this.#using = this.#shown = this.#told = 'main';
    this.#place();
    this.port.changed();
  }
}
