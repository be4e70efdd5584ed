/** The sentences of the start page, in the language of the page. They come with the code that says them. */

import {language} from '../words/words';

export type LandingWords = typeof en;

export const en = {
  field: 'Name a room, or leave it to us',
  placeholder: 'room name',
  go: 'Start a call',
  recent: 'Recent rooms',
  forget: (room: string) => `Forget ${room}`,
  calls: 'Calls you were in',
  forgetCall: (room: string, when: string) => `Forget the call in ${room}, ${when}`,
  today: 'today',
  yesterday: 'yesterday',
  days: (n: number) => `${n} days ago`,
};

export const de: LandingWords = {
  field: 'Gib dem Raum einen Namen, oder überlass es uns',
  placeholder: 'Raumname',
  go: 'Gespräch beginnen',
  recent: 'Zuletzt besucht',
  forget: (room) => `${room} vergessen`,
  calls: 'Deine Gespräche',
  forgetCall: (room, when) => `Gespräch in ${room}, ${when}, vergessen`,
  today: 'heute',
  yesterday: 'gestern',
  days: (n) => `vor ${n} Tagen`,
};

export function landingWords(): LandingWords {
  return language().startsWith('de') ? de : en;
}
