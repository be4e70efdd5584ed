/** What stands at the door when a join was refused or would be: which words, and whether the state tells it already. */

import type {RoomError, RoomState} from '@parley-rtc/sdk';
import type {Words} from '../words/words';

export type Refusal = keyof Words['refused'];

/** The refusal that an error of `join` stands for. */
export function refusalOf(code: RoomError['code']): Refusal {
  switch (code) {
    case 'no-room':
    case 'full':
    case 'locked':
    case 'removed':
    case 'bad-secret':
    case 'busy':
    case 'encrypted':
    case 'cannot-encrypt':
    case 'no-hub':
      return code;
    case 'closed':
    case 'timeout':
      return 'away';
    default:
      return 'other';
  }
}

/** Whether a refusal is over as soon as the room's state says that a join would succeed. */
export function passes(refusal: Refusal): boolean {
  return ['full', 'locked', 'no-room', 'removed', 'no-hub'].includes(refusal);
}

/**
 * The refusal that a join would meet now, as far as the room's state tells; null when it may succeed. A room that is
 * full and one that keeps a removed person out look alike: `removed` says what this device remembers.
 */
export function refusalAhead(info: RoomState | null, removed: boolean): Refusal | null {
  if (info === null || info.may !== 'no') return null;
  if (!info.exists) return 'no-room';
  if (info.why === 'no-hub') return 'no-hub';
  if (info.locked) return 'locked';
  return removed ? 'removed' : 'full';
}
