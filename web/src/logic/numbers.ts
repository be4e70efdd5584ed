/** Figures as a person reads them. */

import type {Words} from '../words/words';

/** Hours and minutes as this language writes them. */
export function clock(at: number, language: string): string {
  return new Date(at).toLocaleTimeString(language, {timeStyle: 'short'});
}

/** One or two letters that stand for a person without a picture. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = [...(words[0] ?? '')][0] ?? '?';
  const last = words.length > 1 ? ([...(words.at(-1) ?? '')][0] ?? '') : '';
  return (first + last).toUpperCase();
}

/** Names as a sentence lists them. */
export function listed(names: readonly string[], w: Words): string {
  if (names.length < 2) return names[0] ?? '';
  return names.slice(0, -1).join(', ') + w.door.and + names.at(-1);
}
