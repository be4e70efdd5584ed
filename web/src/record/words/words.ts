/** Which language the record speaks. */

import {en, type RecordWords} from './en';

export type {RecordWords};

let current: RecordWords = en;

export function words(): RecordWords {
  return current;
}

/** Takes the language that came beside the record's code. English is in it already. */
export function speak(language: RecordWords): void {
  current = language;
}
