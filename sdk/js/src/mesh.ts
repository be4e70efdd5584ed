import type {Encryption, RoomStatus, Trouble} from './api.js';
import {Channels} from './channels.js';
import {Links} from './links.js';
import type {Sender} from './message.js';
import type {Notes} from './notes.js';
import type {Page} from './page.js';
import type {People} from './people.js';
import type {Person} from './person.js';
import type {Pulse} from './pulse.js';
import type {Secrecy} from './secrecy.js';
import type {Servers} from './servers.js';
import {type Situation, wantedLinks} from './topology.js';

/** How often this page looks after its links, in milliseconds: in a call that is looked at, and otherwise. */
const [closeMs, looseMs] = [50, 1_000];

/** What the mesh asks of the room. */
export interface MeshPort extends Sender {
  readonly roster: People;
  readonly servers: Servers;
  /** Whether what is sent leaves now. */
  online(): boolean;
  status(): RoomStatus;
  /** The seat that is mine, or was before a reload; empty when there is none. */
  own(): string;
  trouble(kind: Trouble['kind'], detail: string, person: Person | null): void;
  /** Media says that the network is gone, or is back. */
  suspect(suspected: boolean): void;
  readonly record: Notes;
  readonly secrecy: Secrecy;
  /** When I took my seat, by performance.now(); 0 without one. */
  joinedAt(): number;
}

/** The transports with everybody in the room, and the people that they lead to. */
export class Mesh {
  readonly links: Links;
  readonly channels = new Channels();
  readonly #release: (() => void)[];
  #away: ReadonlySet<string> = new Set();

  constructor(
    readonly port: MeshPort,
    readonly page: Page,
    readonly pulse: Pulse,
  ) {
    const {roster, servers} = port;
    this.links = new Links({
      send: (type, body) => port.send(type, body),
      online: () => port.online(),
      servers: () => servers.list,
      freshServers: () => servers.fresh(),
      changed: (session) => this.connect(roster.bySession(session)),
      trouble: (session, kind, detail) => port.trouble(kind, detail, roster.bySession(session)),
      watched: (session) => roster.bySession(session)?.watched ?? false,
      channel: (session, channel) => this.channels.arrived(this.#seatOf(session), channel),
      control: (session, text) => this.channels.heard(this.#seatOf(session), text),
      present: (session) => roster.bySession(session)?.state !== 'away',
      lavish: () => page.visible && !page.thrifty,
      suspect: (suspected) => port.suspect(suspected),
      note: (session, happening) => {
        const seat = this.#seatOf(session);
        port.record.note({...happening, ...(seat && {seat})});
      },
      watch: (session, link, pc) =>
        port.record.watch(pc, {
          link: link.id,
          seat: () => this.#seatOf(session),
          joined: () => port.joinedAt(),
          sourceOf: (track) => link.sourceOf(track),
        }),
      clock: () => pulse.awake,
      lag: () => pulse.lag,
      seal: () => port.secrecy.seal,
      ready: () => port.secrecy.ready(),
    });
    this.#release = [pulse.on('tick', () => this.links.tick(page.visible))];
    pulse.beat(looseMs);
  }

  /** Makes the links that the room wants now, and shows everybody theirs. `earlier` are who was seated before me. */
  relink(facts: Pick<Situation, 'session' | 'info' | 'warm' | 'returning' | 'earlier'>): void {
    const status = this.port.status();
    const others = this.others();
    this.pulse.beat(status === 'joined' && this.page.visible ? closeMs : looseMs);
    this.links.want(
      wantedLinks({
        ...facts,
        status,
        others: others.map(({session, state}) => ({session, present: state === 'present'})),
      }),
    );
    const {list, me} = this.port.roster;
    const seated = status === 'joined';
    this.port.secrecy.veil?.people(seated ? me : null, seated ? others : []);
    for (const person of list) this.connect(person);
    this.channels.retain(new Set(list.map((p) => p.id)));
    this.#welcomeBack(others);
  }

  /** Shows a person the transport that leads to them. */
  connect(person: Person | null): void {
    if (!person) return;
    person.trust(this.#encryption(person));
    if (person.isMe) return;
    const reachable = this.port.status() === 'joined' && person.session;
    const pair = reachable ? this.links.get(person.session) : null;
    this.channels.connect(person.id, pair?.carrier ?? null);
    if (!reachable) person.connect(null, 'none');
    else person.connect(pair?.shown ?? null, this.links.hopeless(person.session) ? 'lost' : 'connecting');
    this.port.record.way(person.id, person.path);
  }

  /** Everybody else with a seat and a client. My own seat of before a reload is not somebody else. */
  others(): Person[] {
    const own = this.port.own();
    return this.port.roster.list.filter((p) => p.id !== own && p.session && p.state !== 'waiting');
  }

  close(): void {
    for (const release of this.#release) release();
    this.links.closeAll();
    this.pulse.close();
    this.page.close();
  }

  #encryption({isMe, session}: Person): Encryption {
    const {key, veil} = this.port.secrecy;
    if (!key) return 'none';
    return isMe && veil ? 'known' : (veil?.standing(session) ?? 'pending');
  }

  /** Whoever was away and is back may have another network. */
  #welcomeBack(others: readonly Person[]): void {
    const away = new Set(others.filter((p) => p.state === 'away').map((p) => p.session));
    for (const session of this.#away) if (!away.has(session)) this.links.get(session)?.upkeep?.hurry();
    this.#away = away;
  }

  /** The seat that a session holds, as far as it may talk to us: empty when there is none. */
  #seatOf(session: string): string {
    return this.port.status() === 'joined' ? (this.port.roster.bySession(session)?.id ?? '') : '';
  }
}
