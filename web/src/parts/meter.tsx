import {useEffect, useRef} from 'preact/hooks';
import {useTurns} from '../hooks';

/** How often a level is drawn, in milliseconds, and by how much it falls each time. */
const EVERY_MS = 50;
const FALL = 0.09;

/**
 * Draws a level 0…1 on an element as the property --level, smoothly downwards, at once upwards. When it is not `active`
 * any more, the level falls to 0 and nothing is drawn after that.
 */
export function useLevel<E extends HTMLElement>(read: () => number, active: boolean) {
  const element = useRef<E>(null);
  const shown = useRef(0);
  const draw = (level: number): void => {
    shown.current = level;
    element.current?.style.setProperty('--level', level.toFixed(3));
  };
  useTurns(
    () => {
      const level = Math.min(1, read());
      const next = Math.max(level, shown.current - FALL);
      const moved = Math.abs(next - shown.current);
      if (moved >= 0.004 || (moved > 0 && next === 0)) draw(next);
    },
    EVERY_MS,
    active,
  );
  useEffect(() => {
    if (!active) draw(0);
  }, [active]);
  return element;
}

/** A row of ticks that light up with the voice. */
export function Meter({label, read, active}: {label: string; read: () => number; active: boolean}) {
  const lit = useLevel<HTMLDivElement>(read, active);
  return (
    <div class="meter" role="img" aria-label={label} data-active={active}>
      <div class="meter-lit" ref={lit} />
    </div>
  );
}
