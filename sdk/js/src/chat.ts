import type {ChatMessage, RoomEvents} from './api.js';
import type {Conversation} from './conversation.js';
import type {Sender} from './message.js';
import type {People} from './people.js';
import type {Requests} from './requests.js';
import type {Secrecy} from './secrecy.js';
import type * as wire from './wire.gen.js';

type Words = Pick<wire.Chat, 'id' | 'text'>;

/** What the chat asks of the room; its functions are called without it. */
export interface ChatPort extends Sender {
  readonly conversation: Conversation;
  readonly roster: People;
  readonly secrecy: Secrecy;
  readonly requests: Requests;
  /** Whether words have to wait for a seat. */
  waits(): boolean;
  emit<K extends 'chat' | 'history'>(event: K, value: RoomEvents[K]): void;
}

/** What is said in a room on its way there and back: my words, sealed where the room has a key, and everybody's. */
export class Chat {
  #unsent: Words[] = []; // they wait for a seat
  #recalled = 0; // the question that the newest page of the past answers

  constructor(readonly port: ChatPort) {}

  /** Says something; it is on its way, or waits for a seat. */
  write(text: string): ChatMessage {
    const {conversation, roster, waits, emit} = this.port;
    const {me} = roster;
    const message = conversation.write(me?.id ?? '', me?.name ?? '', text);
    if (waits()) this.keep([message]);
    else this.#say(message);
    emit('chat', message);
    return message;
  }

  /** Asks for the page of the past before the oldest message. */
  earlier(): Promise<void> {
    const {conversation, requests, send} = this.port;
    if (!conversation.more) return Promise.resolve();
    let asked = 0;
    return requests.start(
      () => {
        asked = send('history', {before: conversation.oldest});
        return asked;
      },
      () => asked > 0 && this.#recalled === asked,
    );
  }

  /** Takes a message of the server, once it is opened. */
  receive(message: wire.Chat | wire.ChatSaved | wire.HistoryAnswer): void {
    const {key, veil} = this.port.secrecy;
    if (veil) veil.read(message, (opened) => this.#read(opened));
    else if (!key) this.#read(message); // before its code is there nobody can have said anything to me
  }

  /** Keeps words of mine until there is a seat. */
  keep(words: readonly Words[]): void {
    this.#unsent.push(...words);
  }

  /** There is a seat: says what waited for it. */
  seated(): void {
    for (const words of this.#unsent.splice(0)) this.#say(words);
  }

  /** The seat is gone, and with it what was to be said from it. */
  left(): void {
    this.#unsent = [];
  }

  /** The server keeps nothing any more. */
  forget(): void {
    const {conversation, emit} = this.port;
    conversation.forget();
    emit('history', undefined);
  }

  #read(message: wire.Chat | wire.ChatSaved | wire.HistoryAnswer): void {
    const {conversation, roster, requests, emit} = this.port;
    const me = roster.me?.id ?? '';
    if (message.type === 'chat') {
      emit('chat', conversation.receive(message, me));
      return;
    }
    if (message.type === 'chat-saved') conversation.saved(message);
    else {
      conversation.recall(message, me);
      this.#recalled = message.re ?? 0;
    }
    emit('history', undefined);
    requests.settle();
  }

  /** Sends words of mine. Those that were sealed for another session are taken as I wrote them. */
  #say({id, text}: Words): void {
    const {conversation, secrecy, send} = this.port;
    const {key, veil, unable} = secrecy;
    if (veil) veil.say(id, conversation.list.find((m) => m.id === id && m.mine)?.text ?? text);
    else if (!key) send('chat', {id, text});
    else if (!unable) void secrecy.ready().then(() => this.#say({id, text}));
  }
}
