/** Which language Parley speaks, and how a component gets at its sentences. */

import {en, type Words} from './en';

export type {Words};

let current: Words = en;
let locale = 'en';

/** The sentences in the language chosen at start. */
export function words(): Words {
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

/** Loads a language before the first paint. English is in the page already; the others are files of their own. */
export async function loadLanguage(tag: 'en' | 'de'): Promise<void> {
  current = tag === 'de' ? (await import('./de')).de : en;
  locale = regional(tag);
}
