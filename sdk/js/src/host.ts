import type {
  Emitter,
  History,
  Participant,
  ReactionKind,
  RoomEvents,
  RoomState,
  Source,
  TopologyPolicy,
} from './api.js';
import type {Sender} from './message.js';
import type {People} from './people.js';
import {sends} from './publication.js';
import {type Requests, roomError} from './requests.js';
import type {Secrecy} from './secrecy.js';

/** What one asks of the server inside a room, hosts above all. Each request resolves when its effect shows. */
export class Host {
  constructor(
    readonly sender: Sender,
    readonly requests: Requests,
    readonly people: People,
    readonly room: Pick<Emitter<RoomEvents>, 'on'> & {readonly info: RoomState | null},
    readonly secrecy: Secrecy,
  ) {}

  hand(up: boolean, person?: Participant): Promise<void> {
    const whose = () => (person ? this.people.get(person.id) : this.people.me);
    return this.requests.start(
      () => this.sender.send('hand', {up, ...(person && !person.isMe && {seat: person.id})}),
      () => ((whose()?.hand ?? null) !== null) === up,
    );
  }

  async react(kind: ReactionKind): Promise<void> {
    let back = false;
    const stop = this.room.on('reaction', (r) => {
      back ||= r.person.isMe && r.kind === kind;
    });
    try {
      await this.requests.start(
        () => this.sender.send('reaction', {kind}),
        () => back,
      );
    } finally {
      stop();
    }
  }

  speak(on: boolean): Promise<void> {
    return this.requests.start(
      () => this.sender.send('speak', {on}),
      () => {
        const {me} = this.people;
        return (me?.role !== 'listener') === on && !me?.invited;
      },
    );
  }

  async encrypt(key: string): Promise<void> {
    const {secrecy} = this;
    if (secrecy.key) throw roomError('order', 'Encrypted already.');
    secrecy.port.renew(); // what is held ready knows of no key
    await secrecy.open(key);
    const {veil} = secrecy;
    if (!veil) {
      secrecy.key = '';
      throw roomError('cannot-encrypt', `Cannot encrypt: ${secrecy.unable}.`);
    }
    try {
      await this.requests.start(
        () => this.sender.send('encrypt', {identity: veil.identity}),
        () => this.room.info?.encrypted === true,
      );
    } catch (error) {
      secrecy.drop();
      secrecy.port.renew(); // what was made meanwhile is made for a key
      throw error;
    } finally {
      secrecy.port.begun();
    }
  }

  lock(on: boolean): Promise<void> {
    return this.requests.start(
      () => this.sender.send('lock', {on}),
      () => (this.room.info?.locked ?? false) === on,
    );
  }

  waitingRoom(on: boolean, words = ''): Promise<void> {
    const is = () => (this.room.info?.waitingRoom ?? false) === on;
    const send = () => this.sender.send('waiting-room', {on, ...(words && {words})});
    if (!is() || !on) return this.requests.start(send, is);
    send(); // only those who wait see new words: nothing comes back to us
    return Promise.resolve();
  }

  keepHistory(policy: History): Promise<void> {
    return this.requests.start(
      () => this.sender.send('keep-history', {policy}),
      () => (this.room.info?.history ?? 'none') === policy,
    );
  }

  admit({id}: Participant): Promise<void> {
    return this.requests.start(
      () => this.sender.send('admit', {seat: id}),
      () => this.people.get(id)?.state !== 'waiting',
    );
  }

  mute({id}: Participant, source: Source): Promise<void> {
    return this.requests.start(
      () => this.sender.send('mute', {seat: id, source}),
      () => this.#quiet(id, source),
    );
  }

  /** Whoever turns it on again meanwhile has been muted all the same. */
  muteAll(source: Source): Promise<void> {
    const guests = this.people.list.filter((p) => p.role !== 'host' && p.state !== 'waiting');
    let loud = guests.map((p) => p.id);
    return this.requests.start(
      () => this.sender.send('mute-all', {source}),
      () => {
        loud = loud.filter((id) => !this.#quiet(id, source));
        return loud.length === 0;
      },
    );
  }

  remove({id}: Participant, words = ''): Promise<void> {
    return this.requests.start(
      () => this.sender.send('remove', {seat: id, ...(words && {words})}),
      () => !this.people.get(id),
    );
  }

  role({id}: Participant, role: 'host' | 'speaker' | 'listener'): Promise<void> {
    return this.requests.start(
      () => this.sender.send('role', {seat: id, role}),
      () => (this.people.get(id)?.role ?? role) === role,
    );
  }

  invite({id}: Participant, on: boolean): Promise<void> {
    return this.requests.start(
      () => this.sender.send('invite', {seat: id, on}),
      () => {
        const person = this.people.get(id);
        return person?.role !== 'listener' || person.invited === on;
      },
    );
  }

  setTopology(policy: TopologyPolicy): Promise<void> {
    return this.requests.start(
      () => this.sender.send('topology', {policy}),
      () => this.room.info?.topology?.policy === policy,
    );
  }

  #quiet(id: string, source: Source): boolean {
    const person = this.people.get(id);
    return !person || !sends(person.media, source);
  }
}
