import type {
  CallRef,
  ChatMessage,
  Ending,
  LocalMedia,
  Participant,
  RoomEvents,
  RoomState,
  RoomStatus,
  Topology,
  Trouble,
} from './api.js';
import {Conversation} from './conversation.js';
import {Events} from './emitter.js';
import {People} from './people.js';
import type {Person} from './person.js';

/** What an app sees of a room; whoever extends it makes it true. */
export class View extends Events<RoomEvents> {
  readonly #people: People;
  readonly #conversation = new Conversation();
  #status: RoomStatus = 'connecting';
  #ending: Ending | null = null;
  #online = false;
  #info: RoomState | null = null;
  #call: CallRef | null = null;
  #waitingWords = '';
  #topology: Topology | null = null;
  #speakers: readonly string[] = [];

  constructor(
    readonly name: string,
    media: LocalMedia | null,
  ) {
    super();
    this.#people = new People(media);
  }

  get status(): RoomStatus {
    return this.#status;
  }
  get ending(): Ending | null {
    return this.#ending;
  }
  get online(): boolean {
    return this.#online;
  }
  get info(): RoomState | null {
    return this.#info;
  }
  get waitingWords(): string {
    return this.#waitingWords;
  }
  get topology(): Topology | null {
    return this.#topology;
  }
  get speakers(): readonly string[] {
    return this.#speakers;
  }
  get call(): CallRef | null {
    return this.#call;
  }
  get people(): readonly Participant[] {
    return this.#people.list;
  }
  get me(): Participant | null {
    return this.#people.me;
  }
  get chat(): readonly ChatMessage[] {
    return this.#conversation.list;
  }

  get hasEarlier(): boolean {
    return this.#conversation.more;
  }

  protected get roster(): People {
    return this.#people;
  }
  protected get conversation(): Conversation {
    return this.#conversation;
  }

  protected setStatus(status: RoomStatus, ending: Ending | null = null): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#ending = ending;
    this.emit('status', status);
  }

  protected setOnline(online: boolean): void {
    this.#online = online;
    this.emit('online', online);
  }

  /** Takes the room's state. The host secret is told once, so it is carried on. */
  protected setInfo(info: RoomState, stays = false): void {
    const host = info.host ?? this.#info?.host;
    // Within a seat the greatest epoch holds, whatever order things are heard in.
    const topology = (stays && later(this.#topology, info.topology)) || info.topology;
    this.#info = {...info, ...(host && {host}), ...(topology && {topology})};
    this.emit('info', this.#info);
    if (JSON.stringify(topology ?? null) === JSON.stringify(this.#topology)) return;
    this.#topology = topology ?? null;
    this.emit('topology', this.#topology);
  }

  protected setSpeakers(speakers: readonly string[]): void {
    if (speakers.join() === this.#speakers.join()) return;
    this.#speakers = speakers;
    this.emit('speakers', speakers);
  }

  protected setWaitingWords(words: string): void {
    if (words === this.#waitingWords) return;
    this.#waitingWords = words;
    this.emit('waitingWords', words);
  }

  /** Takes the reference to the call's record; the one of before stays when there is none. */
  protected setCall(call: CallRef | null = this.#call): void {
    this.#call = call;
  }

  /** Tells that the list of people changed. */
  protected showPeople(): void {
    this.emit('people', this.people);
  }

  protected report(kind: Trouble['kind'], detail: string, person: Person | null = null): void {
    this.emit('trouble', person ? {kind, detail, person} : {kind, detail});
  }
}

/** The topology of before, when it is later than what came. */
function later(before: Topology | null, now: Topology | undefined): Topology | null {
  return before && now && before.epoch > now.epoch ? before : null;
}
