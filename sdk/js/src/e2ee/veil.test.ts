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
  const others = new Map<string, (from: string, box: string) => void>(); // who is told what is said, by session
  const port: VeilPort = {
    room: 'tea',
    send: (type, body) => {
      if (type === 'keys')
        for (const {to, box} of (body as Pick<wire.Keys, 'boxes'>).boxes ?? []) others.get(to)?.(seat, box);
      return sent.push({type, body});
    },
    control: {send: () => false, on: () => () => {}},
    me: () => ({name, id: seat}) as Person,
    renew: () => {},
    begun: () => {},
    changed: () => {},
  };
  const veil = ((await openVeil(key, port)) as {veil: Veil}).veil;
  opened.push(veil);
  const person = {name, id: seat, session: seat, order: seat.charCodeAt(0), seat: {identity: veil.identity}} as Person;
  return {veil, sent, others, person};
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

test.each([
  ['Bob', 'known', true],
  ['The boss', 'stranger', false],
])('data go to somebody who is shown as %s and says to be Bob: %s', async (shown, standing, trusted) => {
  const [ann, bob] = [await page('Ann', 'A'), await page('Bob', 'B')];
  for (const [one, other] of [
    [ann, bob],
    [bob, ann],
  ] as const) {
    one.others.set(other.person.session, (from, box) => other.veil.receive({type: 'keys', from, box}));
  }
  const end = (value: string) => ({type: 'offer', sdp: `a=fingerprint:sha-256 ${value}\r\n`});
  const link = (local: string, remote: string) =>
    ({localDescription: end(local), remoteDescription: end(remote)}) as RTCPeerConnection;
  const broken = vi.fn();
  ann.veil.people(ann.person, [Object.assign(Object.create(bob.person), {name: shown})]);
  bob.veil.people(bob.person, [ann.person]);
  await vi.waitFor(() => expect(ann.veil.standing('B')).toBe(standing));
  ann.veil.seal.described('B', 'l1', link('AA', 'BB'), broken);
  bob.veil.seal.described('A', 'l1', link('BB', 'AA'), broken);
  await vi.waitFor(() => expect(bob.veil.seal.trusts('A', 'l1')).toBe(true));
  const agreed = vi.fn();
  ann.veil.seal.hold('B', 'l1', new EventTarget() as RTCDataChannel, agreed);
  await vi.waitFor(() => expect(agreed).toHaveBeenCalled()); // Ann has heard from Bob that the ends are the same
  expect(ann.veil.seal.trusts('B', 'l1')).toBe(trusted);
  expect(broken).not.toHaveBeenCalled();
});
