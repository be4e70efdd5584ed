import type {Shown, Trouble} from '../api.js';
import {Heart} from '../heart.js';
import type {Incoming} from '../message.js';
import {type Body, freshId, type LinkMessage} from '../message.js';
import type {Happening} from '../pair.js';
import {nothing, type Publication} from '../publication.js';
import {farMs, Recovery, type Remedy} from '../recovery.js';
import type {Seal} from '../veil.js';
import {only, transportOf} from '../ways.js';
import {Hub as hub, type Source} from '../wire.gen.js';
import {Beats} from './beats.js';
import {HubLink} from './link.js';
import {pictureStep, prepareHub} from './offer.js';
import {type HubWord, read} from './words.js';

/** How often the hub is asked for a sign of life while it carries media, in a page that is looked at and in a hidden one. */
const [beatMs, hiddenBeatMs] = [250, 1_000];
/** How long a link that was replaced is kept, for what is still under way on it. */
const drainMs = 1_500;
/** How much longer a remedy has than between two: another transport brings all streams of a room anew. */
const dearMs = 500;
/** How long a replacement may take. */
const replaceMs = 15_000;
/**
 * How long after a change of networks a link that only waits is mended. To describe all its sections holds a browser's
 * threads for a tenth of a second and more, which those that carry the call need at this moment.
 */
const idleMs = 2_000;
/** How long after a refusal or an early end before another link is made; twice as long each time, up to so much. */
const [againMs, longestMs] = [500, 30_000];

const overTLS = (url: string) => transportOf(url) === 'tls';
/**
 * Servers that may lead to the hub where it is not reached itself: relays by TCP or TLS. The relay has the hub's own address
 * and port, so by UDP it leads nowhere else, and Chromium takes whatever comes from there for the relay's: the hub would not
 * be heard by UDP any more.
 */
const overStream = (url: string) => transportOf(url) === 'tcp' || overTLS(url);

/** What is wanted of the hub: no link, one that waits, or one that carries media. */
export type Use = 'none' | 'idle' | 'carry';

/** What a keeper asks of the hub's side of the room. */
export interface KeeperPort {
  send<K extends LinkMessage['type'] | 'close-link'>(type: K, body: Body<K>): number;
  /** Whether what is sent leaves now. */
  online(): boolean;
  servers(): RTCIceServer[];
  freshServers(): Promise<RTCIceServer[]>;
  /** Ways, places or the link in use changed. */
  changed(): void;
  trouble(kind: Trouble['kind'], detail: string): void;
  watched(): boolean;
  channel(link: HubLink, channel: RTCDataChannel): void;
  /** The hub said something; not a pong. */
  word(link: HubLink, word: Exclude<HubWord, {type: 'pong' | 'places'}>): void;
  /** Media says that the network is gone, or is back. */
  suspect(suspected: boolean): void;
  note(happening: Happening): void;
  /** There is a new transport, for the record of the call. */
  watch(link: HubLink, pc: RTCPeerConnection): void;
  /** A clock that stands still when the page does. */
  clock(): number;
  /** How late timers are of late, in milliseconds. */
  lag(): number;
  /** What encrypts; null in a room without a key, undefined while it is not there yet: then no link is made. */
  seal(): Seal | null | undefined;
  /** The session that holds a seat now. */
  sessionOf(seat: string): string;
}

/** A link and what is heard on it. */
interface Kept {
  link: HubLink;
  heart: Heart;
  beats: Beats;
  pc: RTCPeerConnection;
}

/**
 * Keeps the link with the hub alive: begins ICE anew, makes another one beside it, and another one when it is gone. It is
 * told the time by its ticks and has no timer.
 */
export class Keeper {
  #use: Use = 'none';
  #main: Kept | null = null;
  #next: Kept | null = null;
  #old: Kept | null = null;
  #recovery: Recovery | null = null;
  #since = 0; // when the main link was replaced last
  #ticked = 0;
  #patience = Number.POSITIVE_INFINITY;
  #fails = 0;
  #after = 0;
  #anew = false; // the network may be another one since the last remedy
  #mendAt = Number.POSITIVE_INFINITY; // a link that only waits
  #lostAt: number | null = null;
  #publication: Publication = nothing;
  #announced: readonly Source[] = [];
  #shown: readonly Shown[] = [];
  /** A sign of life is asked for, though the link only waits. */
  asking = false;

  constructor(readonly port: KeeperPort) {}

  /** The link in use; null while there is none. */
  get link(): HubLink | null {
    return this.#main?.link ?? null;
  }

  /** For how long the hub has answered nothing. */
  get unanswered(): number {
    return this.#main?.heart.unanswered ?? Number.POSITIVE_INFINITY;
  }

  /** It does not work now. */
  get lost(): boolean {
    return this.#recovery?.lost ?? false;
  }

  /** How often a link was refused or ended before it worked. */
  get fails(): number {
    return this.#fails;
  }

  /** Sets what the link is for; makes or ends it. */
  want(use: Use): void {
    if (use === this.#use) return;
    this.#use = use;
    if (use === 'none') this.close();
    else if (!this.#main) this.#make();
    if (use === 'carry') this.#main?.heart.hear(); // until now there was nothing to hear
  }

  /** Sets what is sent, and which sources the hub is to know of. */
  publish(publication: Publication, announced: readonly Source[]): void {
    this.#publication = publication;
    this.#announced = announced;
    for (const {link} of this.#all()) link.publish(publication, announced);
  }

  /** Sets what is shown. */
  show(shown: readonly Shown[]): void {
    this.#shown = shown;
    for (const {link} of this.#all()) link.show(shown);
  }

  /** Takes a message of the hub. */
  receive(message: LinkMessage | Incoming['close-link']): void {
    const kept = this.#all().find(({link}) => link.id === message.link);
    if (!kept) return; // of a link that is gone
    if (message.type === 'close-link') this.#ended(kept);
    else kept.link.receive(message);
  }

  /** The server did not pass on message `n`. Returns true when it was a link's first offer. */
  refused(n: number): boolean {
    const kept = this.#all().find(({link}) => link.offered === n);
    if (kept) this.#ended(kept);
    return kept !== undefined;
  }

  tick(visible: boolean): void {
    const now = this.port.clock();
    const passed = now - this.#ticked;
    this.#ticked = now;
    if (this.#use === 'none') return;
    if (!this.#main) {
      if (now >= this.#after && this.port.online()) this.#make();
      return;
    }
    const carries = this.#use === 'carry';
    for (const {link, heart} of this.#all()) {
      if (this.port.online()) link.watch(passed);
      this.#patience = heart.patience(visible);
      if (carries || this.asking) heart.tick(visible ? beatMs : hiddenBeatMs, this.#patience);
    }
    if (!this.#main) return; // it has just been given up
    if (now >= this.#mendAt || (carries && this.#mendAt < Number.POSITIVE_INFINITY)) {
      this.#mendAt = Number.POSITIVE_INFINITY;
      if (this.#main.link.proven) void this.#main.link.restart(true);
    }
    this.#listen(this.#main, now, carries);
    const slack = 2 * (this.port.lag() + Math.min(farMs, this.#main.heart.rttMs)) + dearMs;
    const reach = {online: this.port.online(), present: true, slack, anew: false};
    const remedy = this.#recovery?.next(now, reach);
    if (remedy && this.#main) this.#apply(this.#main, remedy);
    if (this.#old && now - this.#since > drainMs) this.#drop(this.#old);
    if (this.#next && this.#next.link.age > replaceMs) this.#drop(this.#next);
  }

  /** The network or the socket came back; `other` says that the network may be another one. */
  hurry(other: boolean): void {
    this.#anew ||= other;
    this.#after = 0;
    this.#recovery?.hurry(this.port.clock());
    // The browser notices late that its addresses are not valid any more, and a link that only waits has no beats.
    if (other && this.#use === 'idle') this.#mendAt = Math.min(this.#mendAt, this.port.clock() + idleMs);
  }

  /** Something says that the network may be gone. */
  alarm(): void {
    this.#main?.heart.alarm();
  }

  /** The server counts anew, and its hub knows no link: another one is made, and what there is goes on until it works. */
  reset(): void {
    if (!this.#main) return;
    for (const {link} of this.#all()) link.renumber();
    this.#replace(this.#main, 'all', 'the server began anew');
  }

  close(): void {
    this.port.suspect(false);
    for (const {link} of this.#all()) {
      this.port.send('close-link', {to: hub, link: link.id});
      link.close();
    }
    this.#main = this.#next = this.#old = this.#recovery = this.#lostAt = null;
    this.#fails = 0;
    this.#after = 0;
    this.port.changed();
  }

  // ----

  #all(): Kept[] {
    return [this.#main, this.#next, this.#old].filter((kept) => kept !== null);
  }

  #make(): void {
    if (this.port.seal() === undefined) return; // the next tick tries again
    this.#main = this.#begin('all');
    this.#recovery = this.#main && new Recovery(this.port.clock(), Math.random);
    if (!this.#main) this.#fail();
    this.port.changed();
  }

  #begin(ways: 'all' | 'tls'): Kept | null {
    const seal = this.port.seal();
    if (seal === undefined) return null;
    const servers = this.port.servers();
    const tls = ways === 'tls' ? only(servers, overTLS) : [];
    const fits = tls.length ? overTLS : overStream;
    const pictures = Math.ceil(Math.max(1, this.#shown.length) / pictureStep) * pictureStep;
    const config: RTCConfiguration = tls.length
      ? {iceServers: tls, iceTransportPolicy: 'relay'}
      : {iceServers: only(servers, fits)};
    const {made, sections} =
      this.#prepare(config, pictures, seal) ?? this.#prepare({iceServers: []}, pictures, seal) ?? {};
    if (!made || !sections) return null;
    const id = freshId();
    const link: HubLink = new HubLink(id, {...made, fits}, sections, {
      send: (type, body) => this.port.send(type, {...body, to: hub, link: id} as never),
      freshServers: () => this.port.freshServers(),
      changed: () => link === this.link && this.port.changed(),
      connected: () => this.#connected(kept),
      broken: (why) => this.#broken(kept, why),
      trouble: (kind, detail) => this.port.trouble(kind, `hub: ${detail}`),
      watched: () => this.port.watched(),
      channel: (channel) => this.port.channel(link, channel),
      control: (data) => this.#heard(kept, data),
      asked: () => this.#asked(kept),
      seal,
      sessionOf: (seat) => this.port.sessionOf(seat),
    });
    const beats = new Beats(link);
    const heart = new Heart(beats, {
      clock: () => this.port.clock(),
      receivers: () => link.receivers(),
      getStats: () => link.getStats(),
    });
    const kept: Kept = {link, heart, beats, pc: made.pc};
    link.publish(this.#publication, this.#announced);
    link.show(this.#shown);
    this.port.watch(link, made.pc);
    return kept;
  }

  #prepare(config: RTCConfiguration, pictures: number, seal: Seal | null): ReturnType<typeof prepareHub> | null {
    try {
      return prepareHub(config, pictures, seal);
    } catch (error) {
      this.port.trouble('connection', `hub: RTCPeerConnection: ${error}`);
      return null;
    }
  }

  #heard({link, beats}: Kept, data: unknown): void {
    const word = read(data);
    if (word?.type === 'pong') beats.answered(word.id);
    else if (word?.type === 'places') link.showing(word.places);
    else if (word) this.port.word(link, word);
  }

  #connected(kept: Kept): void {
    kept.heart.hear();
    if (kept === this.#next) this.#promote(kept);
    if (kept !== this.#main) return;
    this.#fails = 0;
    const now = this.port.clock();
    if (this.#recovery?.lost) this.#recovered(kept, now);
    else this.#recovery?.well(now);
    this.port.changed();
  }

  /** The replacement is connected: it is the link from now on. */
  #promote(kept: Kept): void {
    this.#old?.link.close();
    this.#old = this.#main;
    this.#main = kept;
    this.#next = null;
    this.#since = this.port.clock();
    this.port.note({kind: 'replaced', link: kept.link.id, cause: 'hub'});
  }

  #listen(kept: Kept, now: number, carries: boolean): void {
    const {link, heart} = kept;
    if (!link.proven) {
      if (link.state === 'failed') this.#recovery?.ill(now);
      return;
    }
    const silent = carries ? heart.stalled(this.#patience) : link.state === 'disconnected';
    const dead = link.state === 'failed' || silent;
    if (dead && !this.#recovery?.lost) {
      this.#lostAt = now - (carries ? heart.silence : 0);
      this.#recovery?.ill(now);
      this.port.note({kind: 'stalled', link: link.id, cause: `hub ${link.state}`});
      this.port.suspect(true);
      link.lose(true);
    } else if (!dead && this.#recovery?.lost) this.#recovered(kept, now);
    else if (!dead) this.#recovery?.well(now);
  }

  #recovered({link}: Kept, now: number): void {
    this.#recovery?.well(now);
    if (this.#lostAt !== null) this.port.note({kind: 'recovered', link: link.id, ms: now - this.#lostAt});
    this.#lostAt = null;
    this.port.suspect(false);
    link.lose(false);
  }

  #apply(kept: Kept, remedy: Remedy): void {
    const {link} = kept;
    if (remedy === 'restart') {
      this.port.note({kind: 'restart', link: link.id, cause: 'ICE, hub'});
      void link.restart(this.#anew);
    } else this.#replace(kept, remedy === 'replace-tls' ? 'tls' : 'all', 'another link with the hub');
    this.#anew = false;
  }

  #replace({link}: Kept, ways: 'all' | 'tls', cause: string): void {
    if (this.#next) this.#drop(this.#next);
    this.port.note({kind: 'restart', link: link.id, cause});
    this.#next = this.#begin(ways);
  }

  /** The hub asks for a restart. */
  #asked(kept: Kept): void {
    if (kept.link.restarting) return;
    if (kept !== this.#main) void kept.link.restart();
    else {
      const remedy = this.#recovery?.asked(this.port.clock(), false);
      if (remedy) this.#apply(kept, remedy);
    }
  }

  /** Only another link helps. One that may still carry media goes on until that is there. */
  #broken(kept: Kept, why: string): void {
    if (!this.#all().includes(kept)) return;
    this.port.note({kind: 'note', link: kept.link.id, cause: `hub: ${why}`});
    if (kept !== this.#main || !kept.link.steady) {
      this.port.send('close-link', {to: hub, link: kept.link.id});
      this.#ended(kept);
    } else if (!this.#next) this.#replace(kept, 'all', why);
  }

  /** A link is gone, here or there. */
  #ended(kept: Kept): void {
    kept.link.close();
    if (kept === this.#old) this.#old = null;
    else if (kept === this.#next) this.#next = null;
    else if (kept === this.#main) this.#mainEnded(kept);
    this.port.changed();
  }

  #mainEnded({link}: Kept): void {
    // What it had lost went with it: whatever comes in its place has lost nothing, and would never take it back.
    if (this.#lostAt !== null) this.port.suspect(false);
    this.#lostAt = null;
    this.#main = this.#next;
    this.#next = null;
    this.#recovery = this.#main && new Recovery(this.port.clock(), Math.random);
    if (this.#main) return;
    if (link.steady) this.#fails = 0;
    this.#fail();
  }

  #drop(kept: Kept): void {
    this.port.send('close-link', {to: hub, link: kept.link.id});
    this.#ended(kept);
  }

  #fail(): void {
    const ms = Math.min(longestMs, againMs * 2 ** this.#fails++);
    this.#after = this.port.clock() + ms * (0.75 + Math.random() / 2);
  }
}
