/** The sentences about files, in the language of the page. They come with the code that says them. */

import {language} from '../words/words';
import {de} from './de';
import {en, type FileWords} from './en';

export type {FileWords};

export function fileWords(): FileWords {
  return language().startsWith('de') ? de : en;
}
