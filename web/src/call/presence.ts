/** Whether a person is with us: what the tile shows and what is announced. */

import type {Participant} from '@parley-rtc/sdk';

export type Presence = 'here' | 'connecting' | 'reconnecting';

type Seen = Pick<Participant, 'isMe' | 'state' | 'path'>;

/** Whether media flows on such a path. */
export function settled(kind: string): boolean {
  return kind === 'direct' || kind === 'relayed' || kind === 'hub';
}

/**
 * Media does not need the server: who is away from it but still heard and seen is here. Who was here before is coming
 * back, whatever their new transport calls it.
 */
export function presence({isMe, state, path}: Seen, wasHere: boolean): Presence {
  if (isMe || settled(path.kind)) return 'here';
  return wasHere || state === 'away' || path.kind === 'lost' ? 'reconnecting' : 'connecting';
}
