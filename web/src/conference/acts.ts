import type {ReactionKind, RoomError} from '@parley-rtc/sdk';
import {words} from '../call/words/words';
import type {Visit} from '../visit/visit';
import {conferenceWords} from './words';

/** Waits for the server's answer and puts a refusal in words. Says whether it was granted. */
export async function ask(visit: Visit, request: Promise<void>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch {
    visit.herald.show(words().notice.refused);
    return false;
  }
}

/** Raises my hand, or lowers it. */
export function flipHand(visit: Visit): void {
  const {room} = visit;
  if (room.me) void ask(visit, room.hand(room.me.hand === null));
}

export function react(visit: Visit, kind: ReactionKind): void {
  visit.room.react(kind).catch((error: RoomError) => {
    visit.herald.show(error.code === 'busy' ? conferenceWords().slowly : words().notice.refused);
  });
}
