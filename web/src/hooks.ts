/** The few hooks that tie components to emitters, frames and the page. */

import type {Emitter} from '@parley-rtc/sdk';
import {useEffect, useLayoutEffect, useReducer, useRef} from 'preact/hooks';

/** Draws the component again whenever one of the events happens. */
export function useWatch<E>(emitter: Emitter<E>, ...events: (keyof E)[]): void {
  const [, again] = useReducer((n: number) => n + 1, 0);
  const names = events.join();
  // Before the paint: what happens between drawing and listening would be missed.
  useLayoutEffect(() => {
    const stops = events.map((event) => emitter.on(event, () => again(undefined)));
    return () => {
      for (const stop of stops) stop();
    };
  }, [emitter, names]);
}

/**
 * Calls `draw` again and again, `everyMs` apart, while `active`. For meters, which must not go through a render. Not on
 * every frame of the screen: a page that asks for each of them is drawn sixty times a second, whether it changed or not.
 */
export function useTurns(draw: () => void, everyMs: number, active = true): void {
  const latest = useRef(draw);
  latest.current = draw;
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => document.hidden || latest.current(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, active]);
}
