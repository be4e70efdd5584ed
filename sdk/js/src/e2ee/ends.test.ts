import {expect, test} from 'vitest';
import {Ends, fingerprints} from './ends.js';

const sdp = (...prints: string[]) => prints.map((one) => `a=fingerprint:${one}\r\n`).join('v=0\r\n');
const connection = (local: string, remote: string) =>
  ({localDescription: {sdp: sdp(local)}, remoteDescription: {sdp: sdp(remote)}}) as RTCPeerConnection;

/** Two sides of a link, whose words reach each other when `talk` is called. */
function pair() {
  const said: (() => void)[] = [];
  const broken: string[] = [];
  const ann: Ends = new Ends(
    (_, link, own, peer) => said.push(() => bob.told('a', link, own, peer)),
    () => {},
  );
  const bob: Ends = new Ends(
    (_, link, own, peer) => said.push(() => ann.told('b', link, own, peer)),
    () => {},
  );
  const talk = () => {
    for (const say of said.splice(0)) say();
  };
  return {ann, bob, talk, broken, why: (why: string) => broken.push(why)};
}

test('a link is trusted when both sides see the same ends', () => {
  const {ann, bob, talk, broken, why} = pair();
  const order: string[] = [];
  ann.whenTrusted('b', 'l1', () => order.push('trusted'));
  ann.described('b', 'l1', connection('sha-256 AA', 'sha-256 bb'), why);
  talk(); // before the other side has anything to compare
  expect([ann.trusts('b', 'l1'), bob.trusts('a', 'l1')]).toEqual([false, false]);
  bob.described('a', 'l1', connection('SHA-256 BB', 'sha-256 AA'), why);
  talk();
  expect([ann.trusts('b', 'l1'), bob.trusts('a', 'l1')]).toEqual([true, true]);
  expect([ann.trusts('b', 'l2'), ann.trusts('c', 'l1')]).toEqual([false, false]);
  expect([broken, order]).toEqual([[], ['trusted']]);
});

test('somebody in between breaks it', () => {
  const {ann, bob, talk, broken, why} = pair();
  ann.described('b', 'l1', connection('sha-256 AA', 'sha-256 EE'), why);
  bob.described('a', 'l1', connection('sha-256 BB', 'sha-256 EE'), why);
  talk();
  expect([ann.trusts('b', 'l1'), bob.trusts('a', 'l1')]).toEqual([false, false]);
  expect(broken).toHaveLength(2);
});

test('an end that is described anew breaks it, however right it looks: not every transport shakes hands again', () => {
  const {ann, bob, talk, broken, why} = pair();
  bob.described('a', 'l1', connection('sha-256 BB', 'sha-256 AA'), why);
  ann.described('b', 'l1', connection('sha-256 AA', 'sha-256 EE'), why); // this one it shook hands with
  ann.described('b', 'l1', connection('sha-256 AA', 'sha-256 BB'), why);
  talk();
  expect(ann.trusts('b', 'l1')).toBe(false);
  expect(broken).not.toEqual([]);
});

test('what could not be told is told when they are known; what others say of the same link does not count', () => {
  const told: string[] = [];
  const ends = new Ends(
    (session, link) => told.push(`${session} ${link}`),
    () => {},
  );
  ends.told('evil', 'l1', ['sha-256 BB'], ['sha-256 AA']);
  ends.described('b', 'l1', connection('sha-256 AA', 'sha-256 BB'), () => {});
  ends.met('b');
  expect(told).toEqual(['b l1', 'b l1']);
  expect(ends.trusts('b', 'l1')).toBe(false);
});

test('fingerprints are read wherever they stand, each once', () => {
  expect(fingerprints(sdp('sha-256 aa:bb', 'SHA-256 AA:BB', 'sha-512 cc'))).toEqual(['sha-256 AA:BB', 'sha-512 CC']);
  expect(fingerprints(undefined)).toEqual([]);
});
