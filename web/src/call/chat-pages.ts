/** Draws a part of a long conversation: a call must not pay for what nobody looks at. */

import {useReducer, useRef} from 'preact/hooks';

/** At least so many messages are drawn, at most twice as many, and so many more with each look back. */
const PAGE = 100;

/**
 * Says where the part begins that is drawn: with the newest page while the reader follows, else where it began, so that
 * nothing moves under their eyes. `back` asks for a page more, now or as soon as one comes before the first of `all`.
 */
export function usePages(all: readonly {id: string}[], following: boolean): {start: number; back: () => void} {
  const first = useRef('');
  const wanted = useRef(false);
  const [, redraw] = useReducer((n: number, _: null) => n + 1, 0);
  let start = all.findIndex(({id}) => id === first.current);
  if (following) {
    wanted.current = false;
    // In steps: to begin elsewhere with each message would draw the first ones anew each time.
    const drawn = all.length - start;
    if (start < 0 || drawn < PAGE || drawn >= 2 * PAGE) start = all.length - PAGE;
  } else if (start > 0 && wanted.current) {
    start -= PAGE;
    wanted.current = false;
  }
  start = Math.max(0, start);
  first.current = all[start]?.id ?? '';
  return {
    start,
    back: () => {
      wanted.current = true;
      redraw(null);
    },
  };
}
