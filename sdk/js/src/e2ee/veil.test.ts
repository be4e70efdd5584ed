import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import type {Person} from '../person.js';
import type {Veil, VeilPort} from '../veil.js';
import type * as wire from '../wire.gen.js';
import {makeKey} from './key.js';
import {Secret} from './secret.js';
import {openVeil} from './veil.js';

const key = makeKey();
const opened: Veil[] = [];

/** A browser that can seal frames; none come here. */
beforeEach(() => {
  vi.stubGlobal(
    'Worker',
    class {
      postMessage(): void {}
      terminate(): void {}
    },
  );
  vi.stubGlobal(
    'RTCRtpSender',
    class {
      transform = null;
      get createEncodedStreams(): null {
        return null;
      }
    },
  );
});
afterEach(() => {
  for (const veil of opened.splice(0)) veil.close();
  vi.unstubAllGlobals();
});

/** A page in the room, and what it sends. */
async function page(name: string, seat: string) {
  const sent: {type: string; body: object}[] = [];
  const port: VeilPort = {
    room: 'tea',
    send: (type, body) => sent.push({type, body}),
    control: {send: () => false, on: () => () => {}},
    me: () => ({name, id: seat}) as Person,
    renew: () => {},
    begun: () => {},
    changed: () => {},
  };
  const veil = ((await openVeil(key, port)) as {veil: Veil}).veil;
  opened.push(veil);
  return {veil, sent};
}

/** What a page reads of a message. */
function reads<M extends wire.Chat | wire.HistoryAnswer>(veil: Veil, message: M): Promise<M | null> {
  return new Promise((resolve) => {
    veil.read(message, resolve);
    veil.read({type: 'chat-saved', from: '', id: '', seq: 0}, () => resolve(null)); // in order, so all is read by then
  });
}

test('what somebody wrote is read as theirs, and as nobody else’s', async () => {
  const secret = (await Secret.of('tea', key)) as Secret;
  const text = await secret.sealChat('c1', {text: 'I agree', name: 'Bob', seat: 'B'});
  const {veil} = await page('Cyd', 'C');
  const chat: wire.Chat = {type: 'chat', id: 'c1', text, from: 'B', name: 'Ann', at: 1};
  expect(await reads(veil, chat)).toEqual({...chat, text: 'I agree', name: 'Bob'});
  expect(await reads(veil, {...chat, from: 'A'})).toBeNull();
  const {from: _, ...nobody} = chat;
  expect(await reads(veil, nobody)).toBeNull();
  const kept = {id: 'c1', text, name: 'Bob', at: 1};
  const history: wire.HistoryAnswer = {
    type: 'history',
    messages: [
      {...kept, seq: 1, from: 'A'},
      {...kept, seq: 2, from: 'B'},
    ],
  };
  expect((await reads(veil, history))?.messages.map(({seq}) => seq)).toEqual([2]);
});
