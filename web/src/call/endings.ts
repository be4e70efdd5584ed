/** The goodbye screen in words: why it is over and what the one button does. */

import type {Ending} from '@parley-rtc/sdk';
import type {Words} from './words/words';

export interface Goodbye {
  title: string;
  line: string;
  /** rejoin takes a seat again, reload gets a new page, none offers only the way home. */
  action: 'rejoin' | 'reload' | 'none';
  button: string;
  /** Seconds after which the page comes back by itself; 0 when only the person decides. */
  auto: number;
}

/** `seated` says whether the person was in the room, or only in front of it. */
export function goodbyeOf(ending: Ending, seated: boolean, w: Words): Goodbye {
  const e = w.ending;
  const {title, line} = told(ending.reason, seated, w);
  switch (ending.reason) {
    case 'protocol':
      return {title, line, action: 'reload', button: w.stale.reload, auto: 0};
    case 'removed':
      return {title, line, action: 'none', button: '', auto: 0};
    case 'replaced':
      return {title, line, action: 'rejoin', button: e.take, auto: 0};
    case 'draining':
    case 'unreachable':
      return {title, line, action: 'rejoin', button: e.rejoin, auto: ending.retry};
    default:
      return {title, line, action: 'rejoin', button: e.rejoin, auto: 0};
  }
}

function told(reason: Ending['reason'], seated: boolean, w: Words): {title: string; line: string} {
  if (reason === 'protocol') return w.stale;
  return reason === 'removed' && !seated ? w.ending.declined : w.ending[reason];
}
