import {useRef} from 'preact/hooks';
import {useFrames} from '../hooks';

/** Draws a level 0…1 on an element as the property --level, smoothly downwards, at once upwards. */
export function useLevel<E extends HTMLElement>(read: () => number, active = true) {
  const element = useRef<E>(null);
  const shown = useRef(0);
  useFrames(() => {
    const level = Math.min(1, read());
    const next = level > shown.current ? level : Math.max(level, shown.current - 0.03);
    if (Math.abs(next - shown.current) < 0.004 && next !== 0) return;
    shown.current = next;
    element.current?.style.setProperty('--level', next.toFixed(3));
  }, active);
  return element;
}

/** A row of ticks that light up with the voice. */
export function Meter({label, read, active}: {label: string; read: () => number; active: boolean}) {
  const lit = useLevel<HTMLDivElement>(() => (active ? read() : 0));
  return (
    <div class="meter" role="img" aria-label={label} data-active={active}>
      <div class="meter-lit" ref={lit} />
    </div>
  );
}
