/** Who is big on the stage and who is small, in a stable order. */

import type {Participant} from '@parley-rtc/sdk';

export interface Placed {
  person: Participant;
  source: 'camera' | 'screen';
  place: 'big' | 'small' | 'cell';
  /** The place among the small ones, counted from the corner. */
  index: number;
  /** Where a cell of a conference stands, in pixels from the stage's corner, and whether it has the stage. */
  box?: {x: number; y: number; width: number; height: number};
  main?: boolean;
}

/**
 * A shared screen takes the stage. Otherwise the first of the others does, or me when the pictures are swapped. People
 * keep their order, so nobody jumps when somebody comes or goes.
 */
export function arrange(people: readonly Participant[], swapped: boolean): Placed[] {
  const seated = people.filter((p) => p.state !== 'waiting');
  const me = seated.filter((p) => p.isMe);
  const others = seated.filter((p) => !p.isMe);
  const sharing = others.find((p) => p.media.screen);
  const cameras = [...me, ...others];
  const bigCamera = sharing ? null : swapped && others.length > 0 ? (me[0] ?? null) : (others[0] ?? null);

  const placed: Placed[] = sharing ? [{person: sharing, source: 'screen', place: 'big', index: 0}] : [];
  let index = 0;
  for (const person of cameras) {
    const place = person === bigCamera ? 'big' : 'small';
    placed.push({person, source: 'camera', place, index: place === 'small' ? index++ : 0});
  }
  // My own screen is shown to me as well: that is where I see what the others point at.
  for (const person of me) {
    if (person.media.screen) placed.push({person, source: 'screen', place: 'small', index: index++});
  }
  return placed;
}
