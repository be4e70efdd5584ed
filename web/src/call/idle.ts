import {useEffect} from 'preact/hooks';

/** So much stillness, in milliseconds, and the controls step back. */
const STILL_MS = 3000;

/**
 * Marks the stage with data-idle after some stillness; any input takes the mark away. Never while a control is focused
 * by keyboard, something is open, or the person asked for no motion. The controls only become transparent: readers
 * still find them.
 */
export function useIdle(stage: {current: HTMLElement | null}, active: boolean): void {
  useEffect(() => {
    const element = stage.current;
    if (element === null || !active || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    let timer = 0;
    const held = (): boolean =>
      element.querySelector(
        ':focus-visible, [aria-expanded="true"], dialog[open], .notice:not(.passing), .bar:hover',
      ) !== null;
    const rest = (): void => {
      if (held()) wake();
      else element.dataset.idle = '';
    };
    const wake = (): void => {
      delete element.dataset.idle;
      clearTimeout(timer);
      timer = window.setTimeout(rest, STILL_MS);
    };
    const events = ['pointermove', 'pointerdown', 'keydown', 'focusin', 'wheel'];
    for (const event of events) window.addEventListener(event, wake, {passive: true});
    wake();
    return () => {
      clearTimeout(timer);
      delete element.dataset.idle;
      for (const event of events) window.removeEventListener(event, wake);
    };
  }, [stage, active]);
}
