/** Which language Parley speaks, and how a component gets at its sentences. */

import type {Words} from './en';

export type {Words};

let current: Words | null = null;
let locale = 'en';

/** The sentences in the language that was loaded before the first paint. */
export function words(): Words {
  if (current === null) throw new Error('web: no language is loaded');
  return current;
}

/** The language tag for times and numbers. */
export function language(): string {
  return locale;
}

/** The language tag as the person's browser has it, with the country that decides how times look. */
function regional(tag: string): string {
  return navigator.languages.find((l) => l.toLowerCase().startsWith(tag)) ?? tag;
}

/** The first of the person's languages that Parley speaks; English when it speaks none of them. */
export function chooseLanguage(wanted: readonly string[]): 'en' | 'de' {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split('-')[0];
    if (base === 'en' || base === 'de') return base;
  }
  return 'en';
}

/** Loads a language, before the first paint. Each is a file of its own, so that nobody loads two. */
export async function loadLanguage(tag: 'en' | 'de'): Promise<void> {
  current = tag === 'de' ? (await import('./de')).de : (await import('./en')).en;
  locale = regional(tag);
}
