import type {Encryption, RoomStatus, Shown, Trouble} from './api.js';
import type {Channels} from './channels.js';
import type {DataHub} from './data.js';
import type {Hub, openHub} from './hub/index.js';
import {Links} from './links.js';
import type {SeatMemory} from './memory.js';
import type {Incoming, Sender} from './message.js';
import type {Notes} from './notes.js';
import type {Page} from './page.js';
import type {People} from './people.js';
import type {Person} from './person.js';
import type {Publication} from './publication.js';
import type {Pulse} from './pulse.js';
import type {Secrecy} from './secrecy.js';
import type {Servers} from './servers.js';
import {type Situation, wantedLinks} from './topology.js';
import {Hub as hubName} from './wire.gen.js';

/** How often this page looks after its links, in milliseconds: in a call that is looked at, and otherwise. */
const [closeMs, looseMs] = [50, 1_000];

/** What the mesh asks of the room. Its functions go on to the links as they are. */
export interface MeshPort extends Sender {
  readonly roster: People;
  readonly channels: Channels;
  readonly data: DataHub;
  readonly servers: Servers;
  /** Whether what is sent leaves now. */
  online(): boolean;
  status(): RoomStatus;
  readonly memory: SeatMemory;
  trouble(kind: Trouble['kind'], detail: string, person: Person | null): void;
  /** Media says that the network is gone, or is back. */
  suspect(suspected: boolean): void;
  readonly record: Notes;
  readonly secrecy: Secrecy;
  /** When I took my seat, by performance.now(); 0 without one. */
  joinedAt(): number;
  /** Others speak. */
  speakers(seats: readonly string[]): void;
}

/** What links follow from, as the room knows it. */
type Facts = Pick<Situation, 'session' | 'info' | 'warm' | 'returning' | 'earlier'> & {
  /** The session that took my seat; the present one may be about to take it again. */
  seated: string;
};

type Relayed = Incoming['offer' | 'answer' | 'candidate' | 'end-of-candidates' | 'renegotiate' | 'close-link'];

/** The transports with everybody in the room, and the people that they lead to. */
export class Mesh {
  readonly links: Links;
  readonly #release: (() => void)[];
  #away: ReadonlySet<string> = new Set();
  /** Its code comes with the first room that has one. */
  #hub: Hub | null = null;
  #fetching = false;
  #closed = false;
  #facts: Facts | null = null;
  #publication: Publication = new Map();
  #shown: readonly Shown[] | null = null;

  constructor(
    readonly port: MeshPort,
    readonly page: Page,
    readonly pulse: Pulse,
  ) {
    const {roster, channels, servers} = port;
    this.links = new Links({
      ...port,
      servers: () => servers.list,
      freshServers: () => servers.fresh(),
      changed: (session) => this.connect(roster.bySession(session)),
      trouble: (session, kind, detail) => port.trouble(kind, detail, roster.bySession(session)),
      watched: (session) => roster.bySession(session)?.watched ?? false,
      channel: (session, channel) => channels.arrived(this.#seatOf(session), channel),
      control: (session, text) => channels.heard(this.#seatOf(session), text),
      present: (session) => roster.bySession(session)?.state !== 'away',
      // A switch is work enough: everything is encoded twice while it lasts.
      lavish: () => page.visible && !page.thrifty && !this.#hub?.crossing,
      note: (session, happening) => {
        const seat = this.#seatOf(session);
        port.record.note({...happening, ...(seat && {seat})});
      },
      watch: (session, link, pc) =>
        port.record.watch(pc, {
          link: link.id,
          seat: () => this.#seatOf(session),
          joined: port.joinedAt,
          sourceOf: (track) => link.sourceOf(track),
        }),
      clock: () => pulse.awake,
      lag: () => pulse.lag,
      seal: () => port.secrecy.seal,
      ready: () => Promise.all([port.secrecy.ready(), port.data.ready]),
    });
    this.#release = [pulse.on('tick', () => this.#tick())];
    pulse.beat(looseMs);
  }

  /** Makes the links that the room wants now, and shows everybody theirs. `earlier` are who was seated before me. */
  relink(facts: Facts): void {
    this.#facts = facts;
    const status = this.port.status();
    const joined = status === 'joined';
    const others = this.others();
    if (facts.info?.topology && (joined || facts.warm)) this.#fetch();
    this.#hub?.update(joined ? facts.seated : '', facts.info?.topology ?? null);
    this.#beat();
    this.links.want(
      wantedLinks({
        ...facts,
        status,
        direct: this.#hub?.direct ?? facts.info?.topology?.kind !== 'hub',
        others: others.map(({session, state}) => ({session, present: state === 'present'})),
      }),
    );
    const seated = joined ? this.port.roster.me : null;
    this.port.secrecy.veil?.people(seated, seated ? others : []);
    this.#connectAll();
    this.port.channels.retain(new Set(this.port.roster.list.map((p) => p.id)));
    this.#welcomeBack(others);
  }

  /** Shows a person the transport that leads to them. */
  connect(person: Person | null): void {
    if (!person) return;
    person.trust(this.#encryption(person));
    if (person.isMe) return;
    const reachable = this.port.status() === 'joined' && person.session;
    const pair = reachable ? this.links.get(person.session) : null;
    const direct = pair?.carrier ?? null;
    this.port.channels.connect(person.id, reachable && this.#hub ? this.#hub.carrier(person, direct) : direct);
    if (!reachable) person.connect(null, 'none');
    else {
      const way = this.#hub ? this.#hub.way(person) : (pair?.shown ?? null);
      person.connect(way, this.links.hopeless(person.session) ? 'lost' : 'connecting');
    }
    this.port.record.way(person.id, person.path);
  }

  /** Whether there is a path to a session, whatever the server knows of it. */
  reaches(session: string): boolean {
    return this.links.get(session) !== null || this.#hub?.carries === true;
  }

  /** Sets what is sent. */
  publish(publication: Publication): void {
    this.#publication = publication;
    this.links.publish(publication);
    this.#hub?.publish(publication);
  }

  /** Sets what the app displays. */
  show(shown: readonly Shown[]): void {
    this.#shown = shown;
    this.#hub?.show(shown);
  }

  receive(message: Relayed): void {
    if (message.from !== hubName) this.links.receive(message);
    else if (message.type !== 'offer') this.#hub?.receive(message);
  }

  /** The server did not pass on message `n`. Returns true when it was a link's first offer. */
  refused(n: number): boolean {
    return this.links.refused(n) || this.#hub?.refused(n) === true;
  }

  /** Something says that the network may be gone. */
  alarm(): void {
    this.links.alarm();
    this.#hub?.alarm();
  }

  /** The network or the socket came back. */
  hurry(): void {
    this.links.hurry(false);
    this.#hub?.hurry(false);
  }

  /** What was connected may not be any more; `sure` says that the browser knows of a change of its network. */
  rouse(sure: boolean): void {
    this.alarm();
    this.links.hurry(sure);
    this.#hub?.hurry(true);
  }

  /** The server counts anew, and knows no link with its hub. */
  reset(): void {
    this.links.renumber();
    this.#hub?.reset();
  }

  /** Ends every link: the seat or the session is gone. */
  closeAll(): void {
    this.links.closeAll();
    this.#hub?.update('', null);
  }

  /** Everybody else with a seat and a client. My own seat of before a reload is not somebody else. */
  others(): Person[] {
    const {roster, memory} = this.port;
    const own = roster.me?.id ?? memory.held?.id;
    return roster.list.filter((p) => p.id !== own && p.session && p.state !== 'waiting');
  }

  close(): void {
    this.#closed = true;
    for (const release of this.#release) release();
    this.links.closeAll();
    this.#hub?.close();
    this.pulse.close();
    this.page.close();
  }

  #encryption({isMe, session}: Person): Encryption {
    const {key, veil} = this.port.secrecy;
    if (!key) return 'none';
    return isMe && veil ? 'known' : (veil?.standing(session) ?? 'pending');
  }

  #connectAll(): void {
    for (const person of this.port.roster.list) this.connect(person);
    this.port.roster.me?.send(this.#hub?.uplink() ?? null);
  }

  #tick(): void {
    this.links.tick(this.page.visible);
    this.#hub?.tick(this.page.visible);
  }

  #beat(): void {
    const close = this.port.status() === 'joined' && (this.page.visible || this.#hub?.crossing);
    this.pulse.beat(close ? closeMs : looseMs);
  }

  #fetch(): void {
    if (this.#hub || this.#fetching) return;
    this.#fetching = true;
    Promise.all([import('./hub/index.js'), this.port.data.ready]).then(
      ([{openHub}]) => this.#closed || this.#begin(openHub),
      (error) => {
        this.#fetching = false; // the next change in the room tries again
        this.port.trouble('connection', `the code of the hub: ${error}`, null);
      },
    );
  }

  #begin(open: typeof openHub): void {
    const hub = open(this, () => this.#hubChanged());
    this.#hub = hub;
    hub.publish(this.#publication);
    if (this.#shown) hub.show(this.#shown);
    if (this.#facts) this.relink(this.#facts);
  }

  #hubChanged(): void {
    if (this.#closed || !this.#hub) return;
    this.#connectAll();
    // Whether the direct links are needed may have changed with it.
    if (this.#facts && !this.#hub.direct && this.links.any) this.relink(this.#facts);
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
