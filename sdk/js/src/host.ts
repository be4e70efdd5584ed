import type {History, Participant, RoomState, Source} from './api.js';
import type {Sender} from './message.js';
import type {People} from './people.js';
import {sends} from './publication.js';
import type {Requests} from './requests.js';

/** What only hosts may do. Each request resolves when its effect shows. */
export class Host {
  constructor(
    readonly sender: Sender,
    readonly requests: Requests,
    readonly people: People,
    readonly info: () => RoomState | null,
  ) {}

  lock(on: boolean): Promise<void> {
    return this.requests.start(
      () => this.sender.send('lock', {on}),
      () => (this.info()?.locked ?? false) === on,
    );
  }

  waitingRoom(on: boolean): Promise<void> {
    return this.requests.start(
      () => this.sender.send('waiting-room', {on}),
      () => (this.info()?.waitingRoom ?? false) === on,
    );
  }

  keepHistory(policy: History): Promise<void> {
    return this.requests.start(
      () => this.sender.send('keep-history', {policy}),
      () => (this.info()?.history ?? 'none') === policy,
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
      () => {
        const person = this.people.get(id);
        return !person || !sends(person.media, source);
      },
    );
  }

  remove({id}: Participant): Promise<void> {
    return this.requests.start(
      () => this.sender.send('remove', {seat: id}),
      () => !this.people.get(id),
    );
  }
}
