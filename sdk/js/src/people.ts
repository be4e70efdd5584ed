import type {LocalMedia, MediaState} from './api.js';
import {Person} from './person.js';
import type {Seat} from './wire.gen.js';

/** The people of a room in the order of their seats. Each change makes a new list, so lists can be compared. */
export class People {
  #list: readonly Person[] = [];
  #me = '';

  constructor(readonly media: LocalMedia | null) {}

  get list(): readonly Person[] {
    return this.#list;
  }

  get me(): Person | null {
    return this.#me ? this.get(this.#me) : null;
  }

  get(id: string): Person | null {
    return this.#list.find((p) => p.id === id) ?? null;
  }

  bySession(session: string): Person | null {
    return session ? (this.#list.find((p) => p.session === session) ?? null) : null;
  }

  /** Takes the whole room. `me` is my seat, empty when I have none. Those who stay keep their identity. */
  replace(seats: readonly Seat[], me: string): void {
    this.#me = me;
    const known = this.#list;
    this.#list = [];
    for (const seat of seats) this.#put(seat, known.find((p) => p.id === seat.id) ?? null);
  }

  /** Takes one seat, new or changed; returns who sits there and the state before, null when new. */
  update(seat: Seat): {person: Person; before: Person['state'] | null} {
    const known = this.get(seat.id);
    const before = known?.state ?? null;
    return {person: this.#put(seat, known), before};
  }

  /** Takes what I send from now on. */
  note(media: MediaState): void {
    const {me} = this;
    me?.update({...me.seat, media});
  }

  /** I have no seat any more: who waits outside is not mine to see. */
  stand(): void {
    const {me} = this;
    this.replace(
      this.#list.filter((p) => p !== me && p.state !== 'waiting').map((p) => p.seat),
      '',
    );
  }

  remove(id: string): Person | null {
    const person = this.get(id);
    if (person) this.#list = this.#list.filter((p) => p !== person);
    if (id === this.#me) this.#me = '';
    return person;
  }

  #put(seat: Seat, known: Person | null): Person {
    const isMe = seat.id === this.#me;
    const person = known && known.isMe === isMe ? known : new Person(seat, isMe ? {media: this.media} : null);
    this.#list = [...this.#list.filter((p) => p.id !== seat.id), person].sort((a, b) => a.order - b.order);
    person.update(seat);
    return person;
  }
}
