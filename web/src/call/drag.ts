import {useEffect, useRef} from 'preact/hooks';
import {type Corner, nearestCorner} from './corner';

/** Farther than this, in pixels, a press is a drag and not a tap. */
const SLACK = 6;

/**
 * Lets an element be dragged by its grip and glide to the nearest corner of its parent. While it is dragged and until
 * the click that ends it is over, the element carries data-dragged.
 */
export function useDrag(element: {current: HTMLElement | null}, active: boolean, drop: (corner: Corner) => void): void {
  const latest = useRef(drop);
  latest.current = drop;
  useEffect(() => {
    const tile = element.current;
    if (tile === null || !active) return;
    let from: {x: number; y: number; id: number} | null = null;

    const down = (e: PointerEvent): void => {
      if (e.button !== 0) return;
      from = {x: e.clientX, y: e.clientY, id: e.pointerId};
      delete tile.dataset.dragged;
    };
    const move = (e: PointerEvent): void => {
      if (from === null || e.pointerId !== from.id) return;
      const [x, y] = [e.clientX - from.x, e.clientY - from.y];
      if (tile.dataset.dragged === undefined && Math.hypot(x, y) < SLACK) return;
      if (tile.dataset.dragged === undefined) tile.setPointerCapture(e.pointerId);
      tile.dataset.dragged = '';
      tile.style.transform = `translate(${x}px, ${y}px)`;
    };
    const up = (e: PointerEvent): void => {
      if (from === null || e.pointerId !== from.id) return;
      from = null;
      if (tile.dataset.dragged === undefined) return;
      settle(tile, latest.current);
      // The click that follows a drag is not a tap.
      setTimeout(() => delete tile.dataset.dragged);
    };

    tile.addEventListener('pointerdown', down);
    tile.addEventListener('pointermove', move);
    tile.addEventListener('pointerup', up);
    tile.addEventListener('pointercancel', up);
    return () => {
      tile.removeEventListener('pointerdown', down);
      tile.removeEventListener('pointermove', move);
      tile.removeEventListener('pointerup', up);
      tile.removeEventListener('pointercancel', up);
      tile.style.transform = '';
      delete tile.dataset.dragged;
    };
  }, [element, active]);
}

/** Puts the tile in its corner and lets it glide there from where it was let go. */
function settle(tile: HTMLElement, drop: (corner: Corner) => void): void {
  const stage = tile.parentElement?.getBoundingClientRect();
  const before = tile.getBoundingClientRect();
  tile.style.transform = '';
  if (stage === undefined) return;
  const [x, y] = [before.left + before.width / 2 - stage.left, before.top + before.height / 2 - stage.top];
  drop(nearestCorner(x, y, stage.width, stage.height));
  requestAnimationFrame(() => {
    const after = tile.getBoundingClientRect();
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    tile.animate(
      [{transform: `translate(${before.left - after.left}px, ${before.top - after.top}px)`}, {transform: 'none'}],
      {duration: 160, easing: 'ease-out'},
    );
  });
}
