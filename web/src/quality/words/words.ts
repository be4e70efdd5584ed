import {language} from '../../words/words';
import {en, type QualityWords} from './en';

export type {QualityWords};

let current: QualityWords = en;

/** The panel's sentences in the language chosen at start. */
export function words(): QualityWords {
  return current;
}

/** Fetches the panel's sentences where they are not English. */
export async function speak(): Promise<void> {
  if (language().startsWith('de')) current = (await import('./de')).de;
}
