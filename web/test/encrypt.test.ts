import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {encryptRoom} from '../src/call/encrypt';
import {keyOf} from '../src/logic/route';

/** An address like that of a room's page. */
let at: URL;

beforeEach(() => {
  at = new URL('https://parley.example/r/tea?x=1');
  vi.stubGlobal('location', at);
  vi.stubGlobal('history', {
    state: null,
    replaceState: (_state: unknown, _title: string, to: string) => {
      at.href = new URL(to, at).href;
    },
  });
});
afterEach(() => vi.unstubAllGlobals());

/** A room whose server answers when the test says so. */
function quiet() {
  const room = {
    key: '',
    answer: (_code?: string) => {},
    encrypt(key: string): Promise<void> {
      room.key = key;
      return new Promise((resolve, reject) => {
        room.answer = (code) => {
          if (!code) return resolve();
          if (code !== 'closed') room.key = '';
          reject({code});
        };
      });
    },
  };
  return room;
}

it('has the key in the address before the server is asked, for a reload that comes before the answer', async () => {
  const room = quiet();
  const done = encryptRoom(room);
  expect(room.key).not.toBe('');
  expect([keyOf(at.hash), at.pathname, at.search]).toEqual([room.key, '/r/tea', '?x=1']);
  room.answer();
  await done;
  expect(keyOf(at.hash)).toBe(room.key);
});

it.each([
  ['order', ''],
  ['closed', 'the key'],
])('after %s the address has %j', async (code, kept) => {
  const room = quiet();
  const done = encryptRoom(room);
  const {key} = room;
  room.answer(code);
  await expect(done).rejects.toEqual({code});
  expect(keyOf(at.hash)).toBe(kept && key);
});
