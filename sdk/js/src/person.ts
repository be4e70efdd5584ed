import type {
  LinkStats,
  LocalMedia,
  MediaState,
  NetworkLevel,
  Participant,
  ParticipantEvents,
  Path,
  Quality,
  QualityHistory,
  Reach,
  ReachWhy,
  Role,
  SeatState,
  Source,
} from './api.js';
import {Events} from './emitter.js';
import {type Publication, sections, sends} from './publication.js';
import type {Way} from './way.js';
import type {Door, Seat} from './wire.gen.js';

/** What gathers the figures of a person while the call lasts; its code comes with the call (quality.ts). */
export interface Meter {
  readonly stats: LinkStats | null;
  readonly history: QualityHistory;
  /** Takes a new look at the way in use. */
  take(way: Way): void;
  /** Whether it is time for one. */
  wants(): boolean;
}

const unknown: Quality = {level: null, reason: 'none', paused: false};

/** A seat and what is known of the one who sits there. */
export class Person extends Events<ParticipantEvents> implements Participant {
  #seat: Seat;
  #tracks: ReadonlyMap<Source, MediaStreamTrack> = new Map();
  #path: Path = {kind: 'none'};
  #way: Way | null = null;
  #quality: Quality = unknown;
  #network: NetworkLevel | null = null;
  #looked: unknown = null;
  #withheld = '';
  /** Null before the call, and for me. */
  meter: Meter | null = null;

  /** `media` is given for the one who is me. */
  constructor(
    seat: Seat,
    readonly own: {media: LocalMedia | null} | null,
  ) {
    super();
    this.#seat = seat;
  }

  get id(): string {
    return this.#seat.id;
  }
  get name(): string {
    return this.#seat.name;
  }
  get role(): Role {
    return this.#seat.role;
  }
  get state(): SeatState {
    return this.#seat.state;
  }
  get order(): number {
    return this.#seat.order;
  }
  get hand(): number | null {
    return this.#seat.hand ?? null;
  }
  get invited(): boolean {
    return this.#seat.invited === true;
  }
  get door(): Door | null {
    return this.#seat.door ?? null;
  }
  get note(): string {
    return this.#seat.note ?? '';
  }
  get hub(): Reach | null {
    return this.#seat.hub ?? null;
  }
  get hubWhy(): ReachWhy | null {
    return this.#seat.hubWhy ?? null;
  }
  get isMe(): boolean {
    return this.own !== null;
  }
  get media(): MediaState {
    return this.#seat.media;
  }
  get tracks(): ReadonlyMap<Source, MediaStreamTrack> {
    return this.#tracks;
  }
  get path(): Path {
    return this.#path;
  }
  /** The seat as the server told it last. */
  get seat(): Seat {
    return this.#seat;
  }
  /** The client that holds the seat; empty when there is none. */
  get session(): string {
    return this.#seat.session ?? '';
  }
  /** Whether somebody looks at the numbers of the link. */
  get watched(): boolean {
    return this.meter?.wants() ?? this.hears('path');
  }
  get quality(): Quality {
    return this.#quality;
  }
  get history(): QualityHistory | null {
    return this.own ? null : (this.meter?.history ?? null);
  }
  get network(): NetworkLevel | null {
    return this.#network;
  }

  held(source: Source): 'bandwidth' | 'publisher' | null {
    return (sends(this.media, source) && this.#way?.held?.(source)) || null;
  }

  level(): number {
    if (!this.media.microphone) return 0;
    return this.own ? (this.own.media?.microphone.level() ?? 0) : (this.#way?.level() ?? 0);
  }

  async stats(): Promise<LinkStats | null> {
    return (this.#way && this.meter?.stats) ?? null;
  }

  /** Takes a newer state of the seat. */
  update(seat: Seat): void {
    const changed = JSON.stringify(seat) !== JSON.stringify(this.#seat);
    this.#seat = seat;
    if (changed) this.emit('change', undefined);
  }

  /** Takes the way that leads here now, or what changed on it; `without` says how things stand when there is none. */
  connect(way: Way | null, without: Path['kind']): void {
    this.#way = way;
    this.#show((source) => (sends(this.media, source) ? (way?.track(source) ?? null) : null));
    this.#lead(way?.path ?? {kind: without});
    const withheld = sections.map(({source}) => this.held(source)).join();
    if (withheld !== this.#withheld) {
      this.#withheld = withheld;
      this.emit('held', undefined);
    }
    this.#look(way);
  }

  /** Takes the way that what I send goes, when it is one for all. */
  send(way: Way | null): void {
    this.#way = way;
    this.#look(way);
  }

  #look(way: Way | null): void {
    const reports = way?.reports ?? null;
    if (!way || !reports || reports === this.#looked) return;
    this.#looked = reports;
    this.meter?.take(way);
  }

  /** Takes how well they come through now. */
  rate(quality: Quality): void {
    this.#quality = quality;
    this.emit('quality', quality);
  }

  /** Takes what the hub says of their network. */
  suffer(network: NetworkLevel | null): void {
    const before = this.#network;
    this.#network = network;
    if (before?.level !== network?.level || before?.why !== network?.why) this.emit('network', network);
  }

  /** Takes what I send. */
  publish(publication: Publication): void {
    this.#show((source) => publication.get(source) ?? null);
  }

  #show(trackOf: (source: Source) => MediaStreamTrack | null): void {
    const before = this.#tracks;
    const tracks = new Map<Source, MediaStreamTrack>();
    for (const {source} of sections) {
      const track = trackOf(source);
      if (track) tracks.set(source, track);
    }
    this.#tracks = tracks;
    for (const {source} of sections) {
      const track = tracks.get(source) ?? null;
      if (track !== (before.get(source) ?? null)) this.emit('track', {source, track});
    }
  }

  #lead(path: Path): void {
    const {kind, protocol, server, rttMs} = this.#path;
    this.#path = path;
    if (kind !== path.kind || protocol !== path.protocol || server !== path.server || rttMs !== path.rttMs) {
      this.emit('path', path);
    }
  }
}
