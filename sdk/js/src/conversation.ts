import type {ChatMessage} from './api.js';
import {freshId} from './message.js';
import type * as wire from './wire.gen.js';

/** More messages than this are forgotten, oldest first. */
const limit = 2_000;

/** The room's chat as this session saw it. Each change makes a new list and a new message, so both can be compared. */
export class Conversation {
  #list: readonly ChatMessage[] = [];
  #more = false;

  get list(): readonly ChatMessage[] {
    return this.#list;
  }

  /** Whether the server has older messages that would fit here. */
  get more(): boolean {
    return this.#more && this.#list.length < limit;
  }

  /** The place in the history before which older messages stand; 0 when none is known. */
  get oldest(): number {
    return this.#list.find((m) => m.seq)?.seq ?? 0;
  }

  /** Takes a message that I write; it is on its way. */
  write(from: string, name: string, text: string): ChatMessage {
    const message = {id: freshId(), from, name, text, at: Date.now(), mine: true, sent: false, unsaved: false};
    this.#put([message]);
    return message;
  }

  /** Takes a message of the server: somebody's, or my own back. */
  receive(message: wire.Chat, me: string): ChatMessage {
    const received = told(message, me);
    this.#put([received]);
    return received;
  }

  /** Takes messages of the past. */
  recall({messages, more = false}: wire.HistoryAnswer, me: string): void {
    const oldest = this.oldest;
    const reaches = !oldest || messages.some(({seq}) => seq < oldest) || !messages.length;
    if (reaches) this.#more = more;
    this.#put(messages.map((message) => told(message, me)));
  }

  /** A message is written down now. */
  saved({from, id, seq}: wire.ChatSaved): void {
    this.#list = this.#list.map((m) => (m.id === id && m.from === from ? {...m, seq, unsaved: false} : m));
  }

  /** Nothing is kept any more: what is here stays readable, but nothing leads further back. */
  forget(): void {
    this.#more = false;
    this.#list = this.#list.map(({seq: _, ...m}) => ({...m, unsaved: false}));
  }

  #put(messages: readonly ChatMessage[]): void {
    const list = [...this.#list];
    for (const message of messages) {
      // Mine may come back from another seat than it was written in: the server had forgotten the one before.
      const at = list.findIndex((m) => m.id === message.id && (m.mine ? message.mine : m.from === message.from));
      if (at < 0) list.push(message);
      else list[at] = message;
    }
    // By the server's clock, and what it has not seen yet at the end. The sort is stable.
    const time = (m: ChatMessage) => (m.sent ? m.at : Number.POSITIVE_INFINITY);
    list.sort((a, b) => (a.sent || b.sent ? time(a) - time(b) : 0) || (a.seq && b.seq ? a.seq - b.seq : 0));
    this.#list = list.slice(-limit);
  }
}

function told(message: wire.Chat | wire.Kept, me: string): ChatMessage {
  const {id, from = '', name = '', text, at = Date.now(), seq} = message;
  const unsaved = 'unsaved' in message && message.unsaved === true;
  return {id, from, name, text, at, mine: from === me, sent: true, unsaved, ...(seq && {seq})};
}
