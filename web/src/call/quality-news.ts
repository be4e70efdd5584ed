/** Tells ears what the stage shows of pictures that were paused for the sound, once each way. */

import type {Participant} from '@parley-rtc/sdk';
import type {Visit} from '../visit/visit';
import {words} from './words/words';

/** Listens to everybody in the room; returns what stops it. */
export function tellPauses({room, herald}: Visit): () => void {
  const heard = new Map<Participant, () => void>();
  const follow = (people: readonly Participant[]): void => {
    for (const [person, stop] of heard) {
      if (people.includes(person)) continue;
      stop();
      heard.delete(person);
    }
    for (const person of people) if (!heard.has(person)) heard.set(person, listen(person));
  };
  const listen = (person: Participant): (() => void) => {
    let {paused} = person.quality;
    return person.on('quality', (quality) => {
      if (quality.paused === paused) return;
      paused = quality.paused;
      const {quality: w} = words();
      if (person.isMe) herald.say(paused ? w.myPause : w.myPauseEnds);
      else herald.say(paused ? w.pause(person.name) : w.pauseEnds(person.name));
    });
  };
  const stop = room.on('people', follow);
  follow(room.people);
  return () => {
    stop();
    for (const off of heard.values()) off();
  };
}
