/** Puts chat messages together by person and minute, so that a name stands once above what was said in one go. */

import type {ChatMessage} from '@parley-rtc/sdk';

export interface ChatGroup {
  /** The id of the first message: stable while the group grows. */
  id: string;
  from: string;
  name: string;
  mine: boolean;
  at: number;
  messages: ChatMessage[];
}

const MINUTE = 60_000;

/** A group that is the same as `before` is the one of `before`, and need not be drawn again. */
export function groupChat(messages: readonly ChatMessage[], before: readonly ChatGroup[] = []): ChatGroup[] {
  const groups: ChatGroup[] = [];
  for (const message of messages) {
    const last = groups.at(-1);
    const theirs = last?.from === message.from && last.name === message.name;
    if (theirs && sameMinute(last.at, message.at)) last.messages.push(message);
    else {
      const {id, from, name, mine, at} = message;
      groups.push({id, from, name, mine, at, messages: [message]});
    }
  }
  const drawn = new Map(before.map((group) => [group.id, group]));
  return groups.map((group) => {
    const known = drawn.get(group.id);
    return known && same(known.messages, group.messages) ? known : group;
  });
}

/** Puts what else happened where it belongs between the groups. What is older keeps its place when times are equal. */
export function byTime<T extends {at: number}>(groups: readonly ChatGroup[], others: readonly T[]): (ChatGroup | T)[] {
  return [...groups, ...others].sort((a, b) => a.at - b.at);
}

/** The day of a message, for in front of its time; nothing for today. */
export function day(at: number, now: number, language: string): string {
  const date = new Date(at);
  return date.toDateString() === new Date(now).toDateString()
    ? ''
    : `${date.toLocaleDateString(language, {day: 'numeric', month: 'short'})}, `;
}

function same(a: readonly ChatMessage[], b: readonly ChatMessage[]): boolean {
  return a.length === b.length && a.every((message, i) => message === b[i]);
}

function sameMinute(a: number, b: number): boolean {
  return Math.floor(a / MINUTE) === Math.floor(b / MINUTE);
}
