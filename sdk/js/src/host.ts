import type {Emitter, History, Participant, ReactionKind, Room, RoomError, Source, TopologyPolicy} from './api.js';
import type {Sender} from './message.js';
import type {People} from './people.js';
import {sends} from './publication.js';
import {closed, type Requests, roomError} from './requests.js';
import type {Secrecy} from './secrecy.js';
import type {SocketEvents} from './socket.js';

/** What one asks of the server inside a room, hosts above all. Each request resolves when its effect shows. */
export class Host {
  constructor(
    readonly sender: Sender & Pick<Emitter<SocketEvents>, 'on'>,
    readonly requests: Requests,
    readonly people: People,
    readonly room: Pick<Room, 'on' | 'info' | 'status'>,
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
    secrecy.unable = null;
    await secrecy.open(key);
    const {veil} = secrecy;
    if (!veil) {
      secrecy.key = '';
      throw roomError('cannot-encrypt', `Cannot encrypt: ${secrecy.unable}.`);
    }
    try {
      await this.#encrypted(this.sender.send('encrypt', {identity: veil.identity}));
    } catch (error) {
      if ((error as RoomError).code !== 'closed') {
        veil.close();
        secrecy.veil = null;
        secrecy.key = '';
        secrecy.port.renew(); // what was made meanwhile is made for a key
      }
      throw error;
    } finally {
      secrecy.port.begun();
    }
  }

  /**
   * Waits until the room is encrypted, or the server refuses; `n` numbers the question. However long that takes: what was
   * asked is obeyed when the server hears it, and then for good, so the key must not be given up while it is open.
   */
  #encrypted(n: number): Promise<void> {
    const {room, sender} = this;
    let asked = n;
    const renumber = () => {
      asked = 0; // another session counts anew; the room it finds says what became of it
    };
    const stop: (() => void)[] = [];
    return new Promise<void>((resolve, reject) => {
      if (room.status === 'ended') reject(closed());
      stop.push(
        room.on('info', ({encrypted}) => encrypted && resolve()),
        room.on('status', (status) => {
          if (status === 'ended') reject(closed());
          // Not let in again: the question is lost, and the room is as it was.
          if (status === 'lobby' && !asked)
            reject(roomError('order', 'The session ended before the room was encrypted.'));
        }),
        sender.on('message', (message) => {
          if (message.type !== 'error' || !asked || message.re !== asked) return;
          reject(roomError(message.code, message.words, message.field));
        }),
        sender.on('welcome', renumber),
        sender.on('reset', renumber),
      );
    }).finally(() => stop.forEach((one) => void one()));
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
