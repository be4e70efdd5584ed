import type {ChatMessage} from './api.js';
import {freshId} from './message.js';
import type * as wire from './wire.gen.js';

/** More messages than this are forgotten, oldest first. */
const limit = 2_000;

/** The room's chat as this session saw it. Each change makes a new list and a new message, so both can be compared. */
export class Conversation {
  #list: readonly ChatMessage[] = [];

  get list(): readonly ChatMessage[] {
    return this.#list;
  }

  /** Takes a message that I write; it is on its way. */
  write(from: string, name: string, text: string): ChatMessage {
    return this.#put({id: freshId(), from, name, text, at: Date.now(), mine: true, sent: false});
  }

  /** Takes a message of the server: somebody's, or my own back. */
  receive({id, from = '', name = '', text, at = Date.now()}: wire.Chat, me: string): ChatMessage {
    return this.#put({id, from, name, text, at, mine: from === me, sent: true});
  }

  #put(message: ChatMessage): ChatMessage {
    // Mine may come back from another seat than it was written in: the server had forgotten the one before.
    const at = this.#list.findIndex((m) => m.id === message.id && (m.mine ? message.mine : m.from === message.from));
    this.#list =
      at < 0 ? [...this.#list.slice(1 - limit), message] : this.#list.map((m, i) => (i === at ? message : m));
    return message;
  }
}
