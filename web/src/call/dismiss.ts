import {useEffect, useRef} from 'preact/hooks';

/**
 * Closes a menu or popover when the person presses Escape or anywhere else. The element that opened it, named by id,
 * is left alone so that its own click can close it, and gets the focus back after Escape.
 */
export function useDismiss(element: {current: HTMLElement | null}, opener: string, close: () => void): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    const button = (): HTMLElement | null => document.getElementById(opener);
    const press = (e: PointerEvent): void => {
      const target = e.target as Node;
      if (!element.current?.contains(target) && !button()?.contains(target)) latest.current();
    };
    const key = (e: KeyboardEvent): void => {
      if (e.key !== 'Escape') return;
      e.stopPropagation();
      latest.current();
      button()?.focus();
    };
    document.addEventListener('pointerdown', press, true);
    document.addEventListener('keydown', key, true);
    return () => {
      document.removeEventListener('pointerdown', press, true);
      document.removeEventListener('keydown', key, true);
    };
  }, [element, opener]);
}
