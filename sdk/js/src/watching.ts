import type {Emitter, RoomEvents, RoomStatus} from './api.js';
import type {WatchPort} from './quality.js';

/**
 * Watches the quality of a call for as long as we have a seat, and adapts to it. The code for it is fetched when the
 * seat is taken: nobody needs it in front of the door. Returns what ends it.
 */
export function watchWhileJoined(room: Emitter<RoomEvents> & {readonly status: RoomStatus}, port: WatchPort) {
  let stop: (() => void) | null = null;
  let closed = false;
  const look = async () => {
    const joined = () => !closed && room.status === 'joined';
    if (!joined()) {
      stop?.();
      stop = null;
    } else if (!stop) {
      // When it cannot be fetched, the call goes on without; the next change in the room tries again.
      const watch = await import('./quality.js').catch(() => null);
      if (joined() && !stop) stop = watch?.watchQuality(port) ?? null;
    }
  };
  const release = [room.on('status', look), room.on('people', look)];
  return () => {
    closed = true;
    for (const off of release) off();
    void look();
  };
}
