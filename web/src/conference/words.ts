/** The sentences of a conference, in the language of the page. They come with the code that says them. */

import {language} from '../words/words';
import {de} from './de';
import {type ConferenceWords, en} from './en';

export type {ConferenceWords};

export function conferenceWords(): ConferenceWords {
  return language().startsWith('de') ? de : en;
}
