import type {Link} from '../link.js';
import type {Note} from '../notes.js';
import type {Person} from '../person.js';
import type {Source, TopologyKind} from '../wire.gen.js';
import {Arrivals, type Inbound, keyOf} from './arrivals.js';
import {Crossing, type Expected} from './crossing.js';
import {Gap} from './gap.js';
import type {HubLink} from './link.js';

/** How often the statistics are looked at while a switch lasts. */
const lookMs = 100;

/** What a passage asks of the hub's side of the room. */
export interface PassagePort {
  /** The link with the hub. */
  link(): HubLink | null;
  /** The others who are there. */
  people(): readonly Person[];
  /** The direct link with somebody. */
  direct(person: Person): Link | null;
  expected(): readonly Expected[];
  moved(missing: Expected[], connected: boolean): void;
  /** Something has arrived: the ways are others. */
  changed(): void;
  note(note: Note): void;
}

/** Carries a switch out on this side: looks at both paths, says what has arrived, and how it went. */
export class Passage {
  readonly #crossing: Crossing;
  readonly #gap = new Gap();
  #arrivals = new Arrivals();
  #before = new Arrivals();
  #on: HubLink | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking = false;
  readonly #begunAt: number;
  #over = false;

  constructor(
    {epoch, from, to, now}: {epoch: number; from: TopologyKind; to: TopologyKind; now: number},
    readonly port: PassagePort,
  ) {
    this.#begunAt = now;
    this.#crossing = new Crossing(epoch, from, to, now);
  }

  /** Something of somebody comes by the new path. */
  arrived(seat: string, source: Source): boolean {
    return this.#arrivals.has(keyOf(seat, source));
  }

  /** The server may not have heard what was said. */
  again(now: number): void {
    this.#crossing.again(now);
  }

  /** Another link with the hub is in use: what had arrived on the old one has not on this. */
  relook(): void {
    const link = this.port.link();
    if (link === this.#on) return;
    if (this.#on && this.#crossing.to === 'hub') this.#arrivals = new Arrivals();
    this.#on = link;
  }

  tick(now: number): void {
    this.relook();
    if (now - this.#lookedAt >= lookMs && !this.#looking) {
      this.#lookedAt = now;
      void this.#look(now);
    }
    const verdict = this.#crossing.next(now, {
      connected: this.#connected(),
      expected: this.port.expected(),
      arrived: (key) => this.#arrivals.has(key),
    });
    if (verdict) this.port.moved(verdict.missing, this.port.link()?.connected ?? false);
  }

  /** A later epoch says which of the two paths stays. */
  end(kind: TopologyKind, now: number): void {
    this.#over = true;
    const {epoch, from, to} = this.#crossing;
    if (kind !== to) return;
    this.port.note({
      kind: 'switched',
      ms: Math.round(now - this.#begunAt),
      switch: {from, to, epoch, ...this.#gap.worst},
    });
  }

  #connected(): boolean {
    if (this.#crossing.to === 'hub') return this.port.link()?.agreed ?? false;
    return this.port.people().every((person) => this.port.direct(person)?.connected);
  }

  async #look(now: number): Promise<void> {
    this.#looking = true;
    try {
      const hub = this.port.link();
      const toHub = this.#crossing.to === 'hub';
      const [ofHub, ofDirect] = toHub ? [this.#arrivals, this.#before] : [this.#before, this.#arrivals];
      let news = hub ? (await this.#takeHub(ofHub, hub, now)) && toHub : false;
      for (const person of this.port.people()) {
        const link = this.port.direct(person);
        if (link) news = ((await this.#takeDirect(ofDirect, link, person.id, now)) && !toHub) || news;
      }
      if (this.#over) return;
      this.#gap.take(
        now,
        this.port.people().map(({id}) => keyOf(id, 'microphone')),
        this.#before,
        this.#arrivals,
      );
      if (news) this.port.changed();
    } catch {
      // a link was closed meanwhile
    } finally {
      this.#looking = false;
    }
  }

  async #takeHub(arrivals: Arrivals, link: HubLink, now: number): Promise<boolean> {
    const reports = (await link.getStats()).values() as Iterable<Inbound>;
    return arrivals.take(
      reports,
      (track) => {
        const place = link.placeOfTrack(track);
        return place && keyOf(place.seat, place.source);
      },
      now,
    );
  }

  async #takeDirect(arrivals: Arrivals, link: Link, seat: string, now: number): Promise<boolean> {
    const reports = (await link.getStats()).values() as Iterable<Inbound>;
    return arrivals.take(
      reports,
      (track) => {
        const source = link.sourceOf(track);
        return source && keyOf(seat, source);
      },
      now,
    );
  }
}
