/** What is said about where a transfer stands. */

import type {Transfer} from '@parley-rtc/sdk';
import type {FileWords} from './en';

type Card = Pick<
  Transfer,
  'direction' | 'state' | 'person' | 'reason' | 'mine' | 'pausedBy' | 'reopens' | 'obstacle' | 'saved'
>;

/** The line under the name; empty while the figures of a transfer that moves say it all. `placed`: not in Downloads. */
export function statusLine(one: Card, placed: boolean, connected: boolean, w: FileWords): string {
  const {direction, person, state} = one;
  const s = w.state;
  switch (state) {
    case 'offered':
      return direction === 'out' ? s.asks(person) : one.obstacle ? w.obstacle[one.obstacle] : s.offers(person);
    case 'moving':
      return '';
    case 'paused':
      return one.pausedBy === 'them' ? s.pausedBy(person) : s.paused;
    case 'waiting':
      if (connected) return s.connecting(person);
      return direction === 'in' ? s.waitingIn(person) : s.waitingOut(person);
    case 'missing':
      return one.reopens ? s.reopens : s.missing;
    case 'done':
      if (direction === 'out') return s.doneOut(person);
      return one.saved ? (placed ? s.placed : s.saved) : s.held;
    case 'refused':
      if (one.reason !== 'declined') return reasonLine(one, w);
      return one.mine ? s.refusedByMe : s.refused(person);
    case 'cancelled':
      return one.mine ? s.cancelledByMe : s.cancelled(person);
    case 'failed':
      return reasonLine(one, w);
    default:
      return s[state];
  }
}

function reasonLine({reason, person}: Card, w: FileWords): string {
  const line = reason in w.reason ? w.reason[reason as keyof FileWords['reason']] : w.reason.other;
  return typeof line === 'function' ? line(person) : line;
}
