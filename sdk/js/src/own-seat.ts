import type {JoinAs, MediaState, RoomError, RoomStatus} from './api.js';
import type {SeatMemory} from './memory.js';
import type {Sender} from './message.js';
import type {Notes} from './notes.js';
import type {People} from './people.js';
import {mediaState, nothing, type Publication, publication, sameMedia} from './publication.js';
import {roomError} from './requests.js';
import type {Secrecy} from './secrecy.js';
import type * as wire from './wire.gen.js';

/** What my seat asks of the room; its functions are called without it. */
export interface OwnSeatPort extends Sender {
  readonly roster: People;
  readonly secrecy: Secrecy;
  readonly memory: SeatMemory;
  readonly record: Notes;
  status(): RoomStatus;
  /** The question has left. */
  asked(): void;
  /** There will be no seat. */
  unseat(error: RoomError): void;
  /** Sends on every link what I send. */
  publish(tracks: Publication): void;
}

/** A seat that is asked for. */
interface Joining {
  name: string;
  as: JoinAs;
  /** The number of the join on the present session; 0 until it is sent. */
  n: number;
  media?: MediaState;
  /** The session goes on, and with it the links. */
  same?: boolean;
  /** Absent when the SDK takes the seat again by itself. */
  promise?: {resolve: () => void; reject: (error: RoomError) => void};
}

/** My own seat: how it is asked for, and what I send from it. */
export class OwnSeat {
  #joining: Joining | null = null;
  #told: MediaState | undefined;

  constructor(readonly port: OwnSeatPort) {}

  /** Whether it is asked for, or is to be. */
  get pending(): boolean {
    return this.#joining !== null;
  }

  /** Asks for a seat, `now` or when somebody knocks; resolves when it is there. */
  join(name: string, as: JoinAs, now: boolean): Promise<void> {
    if (this.#joining) return Promise.reject(roomError('order', 'Joining already.'));
    return new Promise((resolve, reject) => {
      this.#joining = {name, as, n: 0, promise: {resolve, reject}};
      if (now) this.knock();
    });
  }

  /** Asks for the seat that I held; with `same` the session goes on. */
  again(same: boolean): void {
    const {roster, memory} = this.port;
    this.#joining = {
      name: roster.me?.name ?? memory.held?.name ?? '',
      as: {},
      n: 0,
      // A join that is still on its way may be that of a session whose links are lost already.
      same: same && (this.#joining?.same ?? true),
    };
    this.knock();
  }

  /** Sends the join, if there is one to send. */
  knock(): void {
    const {port} = this;
    const joining = this.#joining;
    if (!joining) return;
    const {key, veil, unable} = port.secrecy;
    if (key && !veil) {
      // Without the means to encrypt there is no seat in a room that has a key, whatever the server would say.
      if (unable)
        port.unseat(roomError(unable === 'key' ? 'encrypted' : 'cannot-encrypt', `Cannot encrypt: ${unable}.`));
      return; // it is on its way
    }
    const {held} = port.memory;
    const {note, listen = this.#listens} = joining.as;
    joining.media = mediaState(this.#tracks(listen), listen ? null : port.roster.media);
    joining.n = port.send('join', {
      name: joining.name,
      media: joining.media,
      ...(note && {note}),
      ...(listen && {listen}),
      ...(held && {seat: held.token}),
      ...(veil && {identity: veil.identity}),
    });
    port.asked();
  }

  /** Whether an answer to message `n` is one to my question: we may have left before it came. */
  is(n?: number): boolean {
    return !!n && this.#joining?.n === n;
  }

  /** Keeps what says who waits. */
  wait(token: string): void {
    this.port.memory.keep({id: '', token, name: this.#joining?.name ?? '', host: ''});
  }

  /** Takes the seat that was asked for. */
  take({seat, token, room}: wire.Joined): Joining {
    const {memory, record, status} = this.port;
    const joining = this.#joining as Joining; // whoever takes it has looked
    this.#joining = null;
    this.#told = joining.media;
    const name = room.seats?.find(({id}) => id === seat)?.name ?? joining.name;
    if (status() !== 'joined' && memory.held?.id === seat) record.note({kind: 'note', cause: 'reloaded'});
    memory.keep({id: seat, token, name, host: room.host ?? ''});
    return joining;
  }

  /** Nobody waits for it any more. Returns whether an app did. */
  fail(error: RoomError): boolean {
    const promise = this.#joining?.promise;
    this.#joining = null;
    promise?.reject(error);
    return !!promise;
  }

  /** Sends what the devices give now, and says so. */
  publish(): void {
    const {roster, publish, status, send} = this.port;
    const tracks = this.#tracks();
    publish(tracks);
    if (status() !== 'joined') return;
    roster.me?.publish(tracks);
    const state = mediaState(tracks, tracks === nothing ? null : roster.media);
    if (this.#told && sameMedia(this.#told, state)) return;
    this.#told = state;
    send('media', {media: state});
    roster.note(state); // the server tells it to the others only
  }

  get #listens(): boolean {
    return this.port.roster.me?.role === 'listener';
  }

  /** What I may send now: a listener sends nothing. */
  #tracks(listens = this.#listens): Publication {
    return listens ? nothing : publication(this.port.roster.media);
  }
}
