import type {Shown, Trouble} from '../api.js';
import type {Carrier} from '../channels.js';
import type {Link} from '../link.js';
import type {Incoming, LinkMessage, Sender} from '../message.js';
import type {Notes} from '../notes.js';
import type {People} from '../people.js';
import type {Person} from '../person.js';
import {nothing, type Publication, sections, sends} from '../publication.js';
import type {Servers} from '../servers.js';
import type {Seal} from '../veil.js';
import type {Way} from '../way.js';
import type {Source, Topology} from '../wire.gen.js';
import {HubCarrier, senderOf, Trunk} from './carrier.js';
import type {Expected} from './crossing.js';
import {Keeper, type Use} from './keeper.js';
import {Both, Leg, Uplink} from './leg.js';
import type {HubLink} from './link.js';
import {soundPlaces} from './offer.js';
import {Passage} from './passage.js';
import {Porch} from './porch.js';
import {Reach, whyNot} from './reach.js';
import type {HubWord} from './words.js';

/** For how long the links of the old path are kept after a switch, for what is still under way on them. */
const drainMs = 1_500;
/** How often the hub is told what is shown, at most. */
const showMs = 150;
/** How large pictures are wanted while the app has not said. */
const [usualWidth, usualHeight] = [640, 360];

/** What the hub's side of a room asks of the room. */
export interface HubPort extends Sender {
  readonly roster: People;
  readonly servers: Servers;
  readonly record: Notes;
  /** Whether what is sent leaves now. */
  online(): boolean;
  trouble(kind: Trouble['kind'], detail: string): void;
  /** Media says that the network is gone, or is back. */
  suspect(suspected: boolean): void;
  /** Whether a link that may turn out useless may be kept. */
  lavish(): boolean;
  /** When I took my seat, by performance.now(); 0 without one. */
  joinedAt(): number;
  /** The direct link whose tracks are to be seen and heard. */
  direct(person: Person): Link | null;
  arrived(seat: string, channel: RTCDataChannel): void;
  heard(seat: string, text: unknown): void;
  speakers(seats: readonly string[]): void;
  /** What encrypts; null in a room without a key, undefined while it is not there yet. */
  seal(): Seal | null | undefined;
  /** The ways to everybody may be others. */
  changed(): void;
  clock(): number;
  lag(): number;
}

/** The hub's side of a room: the link with it, the ways to people that lead through it, and the switch to it and back. */
export class Hub {
  readonly #keeper: Keeper;
  readonly #reach = new Reach();
  readonly #porch = new Porch();
  readonly #legs = new Map<string, Leg>();
  readonly #carriers = new Map<string, HubCarrier>();
  #trunk: Trunk | null = null;
  #uplink: Uplink | null = null;
  #session = '';
  #topology: Topology | null = null;
  #passage: Passage | null = null;
  #settledAt = Number.NEGATIVE_INFINITY; // when a switch ended
  #publication: Publication = nothing;
  #shown: readonly Shown[] | null = null;
  #showAt = 0;
  #asking = false;

  constructor(readonly port: HubPort) {
    this.#keeper = new Keeper({
      send: (type, body) => port.send(type, body),
      online: () => port.online(),
      servers: () => port.servers.list,
      freshServers: () => port.servers.fresh(),
      changed: () => this.#changed(),
      trouble: (kind, detail) => port.trouble(kind, detail),
      watched: () => this.carries && port.roster.list.some((person) => person.watched),
      channel: (link, channel) => link === this.#keeper.link && this.#arrived(channel),
      word: (link, word) => link === this.#keeper.link && this.#heard(link, word),
      suspect: (suspected) => port.suspect(suspected && this.carries),
      note: (happening) => port.record.note(happening),
      watch: (link, pc) =>
        port.record.watch(pc, {
          link: link.id,
          seat: () => port.roster.me?.id ?? '',
          joined: () => port.joinedAt(),
          sourceOf: () => null, // whose it is may change
        }),
      clock: () => port.clock(),
      lag: () => port.lag(),
      seal: () => port.seal(),
      sessionOf: (seat) => port.roster.get(seat)?.session ?? '',
    });
  }

  /** Media go through the hub, or are about to. */
  get carries(): boolean {
    return this.#use() === 'carry';
  }

  /** A switch is under way. */
  get crossing(): boolean {
    return this.#passage !== null;
  }

  /** The direct links are needed. */
  get direct(): boolean {
    const {kind, next} = this.#topology ?? {kind: 'direct'};
    return kind === 'direct' || next === 'direct' || this.#draining;
  }

  /** Takes how things stand; a topology of null closes everything, as does an empty session. */
  update(session: string, topology: Topology | null): void {
    if (session !== this.#session) {
      this.#keeper.want('none'); // the hub has forgotten a session that is gone
      this.#porch.clear();
      this.#session = session;
      this.#topology = this.#passage = null;
      this.#settledAt = Number.NEGATIVE_INFINITY;
      if (session) this.#reach.ask(this.port.clock());
    }
    if (!session || !topology) this.#topology = this.#passage = null;
    else if (topology.epoch !== this.#topology?.epoch) this.#turn(topology);
    else this.#topology = topology;
    this.#follow();
    this.#porch.open((seat) => this.port.roster.get(seat) !== null);
  }

  /** The server began anew: its hub knows nobody. */
  reset(): void {
    this.#keeper.reset();
    this.#passage?.again(this.port.clock());
    this.#reach.ask(this.port.clock());
  }

  publish(publication: Publication): void {
    this.#publication = publication;
    this.#follow();
  }

  show(shown: readonly Shown[]): void {
    this.#shown = shown;
  }

  receive(message: LinkMessage | Incoming['close-link']): void {
    this.#keeper.receive(message);
  }

  refused(n: number): boolean {
    return this.#keeper.refused(n);
  }

  /** The network or the socket came back; `other` says that the network may be another one. */
  hurry(other: boolean): void {
    this.#keeper.hurry(other);
    if (other && this.#session) this.#reach.ask(this.port.clock());
  }

  alarm(): void {
    this.#keeper.alarm();
  }

  tick(visible: boolean): void {
    const now = this.port.clock();
    this.#porch.tick(now, this.port.online());
    if (!this.#session) return;
    this.#keeper.asking = this.#reach.open;
    this.#keeper.want(this.#use()); // a link that waits ends when nobody needs it any more
    this.#keeper.tick(visible);
    if (now - this.#showAt >= showMs) {
      this.#showAt = now;
      this.#keeper.show(this.carries ? this.#wanted() : []);
    }
    if (this.#settledAt > Number.NEGATIVE_INFINITY && !this.#draining) {
      this.#settledAt = Number.NEGATIVE_INFINITY;
      this.#follow();
      this.port.changed();
    }
    this.#find(now);
    this.#passage?.tick(now);
  }

  /** The way that leads to somebody; null while there is none. */
  way(person: Person): Way | null {
    const direct = this.port.direct(person);
    const leg = this.#leg(person.id);
    const {kind = 'direct', next} = this.#topology ?? {};
    const passage = this.#passage;
    if (!next || !passage) return kind === 'hub' ? leg : direct;
    const [before, after] = next === 'hub' ? [direct, leg] : [leg, direct];
    return after ? new Both(before, after, (source) => passage.arrived(person.id, source)) : before;
  }

  /** What carries data to somebody; null while nothing does, or what I seal would not be legible to them. */
  carrier(person: Person, direct: Carrier | null): Carrier | null {
    if (this.#topology?.kind !== 'hub') return direct;
    const {link} = this.#keeper;
    if (!link || link.port.seal?.reads(person.session) === false) return null;
    if (this.#trunk?.link !== link) {
      this.#trunk = new Trunk(link);
      this.#carriers.clear();
    }
    const known = this.#carriers.get(person.id) ?? new HubCarrier(person.id, this.#trunk);
    this.#carriers.set(person.id, known);
    return known;
  }

  /** The way that what I send takes, when it is one for all. */
  uplink(): Way | null {
    const {link} = this.#keeper;
    if (!link || !this.carries) return null;
    if (this.#uplink?.link !== link) this.#uplink = new Uplink(link);
    return this.#uplink;
  }

  close(): void {
    this.update('', null);
    this.#keeper.close();
    this.#legs.clear();
    this.#carriers.clear();
  }

  // ---- the switch

  /** Takes a later epoch. */
  #turn(topology: Topology): void {
    const {kind, next, epoch} = topology;
    const before = this.#topology;
    const now = this.port.clock();
    const passage = this.#passage;
    this.#topology = topology;
    this.#passage = null;
    if (passage && !next) {
      this.#settledAt = now; // what was left is kept for a moment, whichever it is
      passage.end(kind, now);
    } else if (before && before.kind !== kind) this.#settledAt = now; // its beginning was slept through
    if (!next) return;
    this.#passage = new Passage(
      {epoch, from: kind, to: next, now},
      {
        link: () => this.#keeper.link,
        people: () => this.#others(),
        direct: (person) => this.port.direct(person),
        expected: () => this.#expected(next === 'hub'),
        moved: (missing, connected) => this.#moved(epoch, missing, connected),
        changed: () => this.#changed(),
        note: (note) => this.port.record.note(note),
      },
    );
  }

  #moved(epoch: number, missing: Expected[], connected: boolean): void {
    if (!connected && this.#topology?.next === 'hub') {
      this.#reach.fail(this.port.clock());
      void whyNot(this.#keeper.link).then((why) => {
        this.port.send('hub-reach', {ok: false, why});
        this.port.send('moved', {epoch, missing});
      });
    } else this.port.send('moved', {epoch, ...(missing.length && {missing})});
  }

  #expected(hub: boolean): Expected[] {
    const shown = this.#wanted();
    const all: Expected[] = [];
    for (const {id: seat, media, encryption} of this.#others()) {
      if (encryption === 'stranger') continue; // nothing of theirs can be opened
      for (const {source, kind} of sections) {
        if (!sends(media, source)) continue;
        if (kind === 'audio' || shown.some((one) => one.seat === seat && one.source === source))
          all.push({seat, source});
      }
    }
    // Of more sources of sound than there are places, the hub sends the loudest.
    const sounds = all.filter(({source}) => source === 'microphone' || source === 'screen-audio');
    if (!hub || sounds.length <= soundPlaces) return all;
    return all.filter((one) => !sounds.includes(one) || this.#keeper.link?.placeOf(one.seat, one.source));
  }

  get #draining(): boolean {
    return this.port.clock() - this.#settledAt < drainMs;
  }

  // ---- what is sent and shown

  #use(): Use {
    const topology = this.#topology;
    if (!topology) return 'none';
    if (topology.kind === 'hub' || topology.next === 'hub' || this.#draining) return 'carry';
    return this.#reach.open || (topology.policy !== 'direct' && this.port.lavish()) ? 'idle' : 'none';
  }

  #follow(): void {
    const carries = this.carries;
    const tracks = carries ? this.#publication : nothing;
    const listens = this.port.roster.me?.role === 'listener';
    const announced: Source[] = carries && !listens ? ['microphone', 'camera'] : [];
    for (const source of ['screen', 'screen-audio'] as const) if (tracks.has(source)) announced.push(source);
    this.#keeper.publish(tracks, announced);
    this.#keeper.show(carries ? this.#wanted() : []);
    this.#keeper.want(this.#use()); // its first offer has places for what is shown
    if (carries) return;
    this.port.speakers([]);
    for (const person of this.port.roster.list) person.suffer(null);
  }

  #wanted(): readonly Shown[] {
    const on = (seat: string, source: Source) => {
      const person = this.port.roster.get(seat);
      return person !== null && !person.isMe && sends(person.media, source);
    };
    if (this.#shown) return this.#shown.filter(({seat, source}) => on(seat, source));
    return this.#others().flatMap(({id: seat}) =>
      (['camera', 'screen'] as const)
        .filter((source) => on(seat, source))
        .map((source) => ({seat, source, width: usualWidth, height: usualHeight})),
    );
  }

  #others(): Person[] {
    return this.port.roster.list.filter((person) => !person.isMe && person.state === 'present');
  }

  // ---- what comes

  #leg(seat: string): Leg | null {
    const {link} = this.#keeper;
    if (!link) return null;
    const known = this.#legs.get(seat);
    if (known?.link === link) return known;
    const leg = new Leg(seat, link);
    this.#legs.set(seat, leg);
    return leg;
  }

  #arrived(channel: RTCDataChannel): void {
    const {port} = this;
    const seat = senderOf(channel);
    const seal = this.#keeper.link?.port.seal;
    const enter = () => {
      const person = port.roster.get(seat);
      const known = person && !person.isMe ? person : null;
      port.arrived(known?.id ?? '', seal ? seal.channel(channel, known?.session ?? '', seat) : channel);
    };
    if (seat && !port.roster.get(seat)) this.#porch.keep(seat, channel, enter);
    else enter();
  }

  #heard(link: HubLink, word: Exclude<HubWord, {type: 'pong' | 'places'}>): void {
    const {roster} = this.port;
    switch (word.type) {
      case 'speakers':
        if (this.carries) this.port.speakers(word.speakers);
        return;
      case 'layers':
        for (const {mid, rids} of word.layers) {
          const source = link.sentIn(mid);
          if (source) link.encodings.want(source, rids);
        }
        return;
      case 'network':
        for (const {seat, level, why} of word.seats) roster.get(seat)?.suffer(level === 2 ? null : {level, why});
        return;
      case 'told':
        // In an encrypted room the hub may say what it likes in anybody's name: only what is sealed itself is heard.
        if (link.port.seal && (word.message as {type?: unknown} | null)?.type !== 'keys') return;
        if (roster.get(word.from)) this.port.heard(word.from, JSON.stringify(word.message));
    }
  }

  // ----

  /** Finds out whether the hub is reached, and says so. */
  #find(now: number): void {
    const {link, unanswered} = this.#keeper;
    const ok = this.#reach.next(now, {online: this.port.online(), connected: link?.connected ?? false, unanswered});
    if (ok === null || this.#asking) return;
    if (ok) {
      this.port.send('hub-reach', {ok});
      return;
    }
    this.#asking = true;
    void whyNot(link).then((why) => {
      this.#asking = false;
      if (this.#session) this.port.send('hub-reach', {ok: false, why});
    });
  }

  #changed(): void {
    this.#passage?.relook();
    this.port.changed();
  }
}
