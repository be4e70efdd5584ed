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

/** Calls `draw` on every animation frame while `active`. For meters, which must not go through a render. */
export function useFrames(draw: () => void, active = true): void {
  const latest = useRef(draw);
  latest.current = draw;
  useEffect(() => {
    if (!active) return;
    let frame = requestAnimationFrame(function next() {
      latest.current();
      frame = requestAnimationFrame(next);
    });
    return () => cancelAnimationFrame(frame);
  }, [active]);
}
