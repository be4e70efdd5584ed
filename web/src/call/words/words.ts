/** The sentences of a call, beside those of the door: what the screens behind the door say. */

import {type Words as DoorWords, words as doorWords} from '../../words/words';
import {type CallWords, en} from './en';

export type Words = DoorWords & CallWords;

let call: CallWords = en;
let all: Words | null = null;

/** The sentences in the language chosen at start. */
export function words(): Words {
  all ??= {...doorWords(), ...call};
  return all;
}

/** Takes the language that came with the call's code. English is in it already. */
export function speak(language: CallWords): void {
  call = language;
  all = null;
}
