import {useEffect} from 'preact/hooks';

/** Keeps the screen awake during the call. The browser takes the lock back whenever the page is hidden. */
export function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let over = false;
    const take = async (): Promise<void> => {
      if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
      try {
        const taken = await navigator.wakeLock.request('screen');
        if (over) void taken.release();
        else lock = taken;
      } catch {
        // a low battery may refuse it; the call works without
      }
    };
    const look = (): void => void take();
    document.addEventListener('visibilitychange', look);
    look();
    return () => {
      over = true;
      document.removeEventListener('visibilitychange', look);
      void lock?.release();
    };
  }, []);
}
