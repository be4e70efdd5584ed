import {makeKey, type Room} from '@parley-rtc/sdk';

/**
 * Encrypts a room with a new key, which is in the address before anybody is asked: whatever becomes of this page or of the
 * answer, a room that is encrypted for good has its key. It leaves the address only when the server has refused.
 */
export async function encryptRoom(room: Pick<Room, 'key' | 'encrypt'>): Promise<void> {
  const before = location.hash;
  const key = makeKey();
  show(`#key=${key}`);
  try {
    await room.encrypt(key);
  } catch (error) {
    if (room.key === '' && location.hash === `#key=${key}`) show(before);
    throw error;
  }
}

/** Shows a fragment in the address; a reload finds it there. */
function show(hash: string): void {
  history.replaceState(history.state, '', `${location.pathname}${location.search}${hash}`);
}
