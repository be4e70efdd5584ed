import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {Links, type Wanted} from './links.js';
import {FakePeerConnection} from './peerconnection.fake.js';
import type {Publication} from './publication.js';

beforeEach(async () => {
  await Promise.all([import('./upkeep.js'), import('./pair.js')]); // so that the links have them at once
  vi.useFakeTimers();
  FakePeerConnection.all = [];
  vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
  vi.stubGlobal('MediaStream', class {});
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

type Sent = {type: string; to?: string; link?: string; [field: string]: unknown};

function make(session = 'me') {
  const sent: Sent[] = [];
  const troubles: string[] = [];
  const links: Links = new Links({
    send: (type, body) => sent.push({type, ...(body as object)}),
    online: () => true,
    servers: () => [{urls: 'turn:old'}],
    freshServers: async () => [{urls: 'turn:fresh'}],
    changed: () => {},
    trouble: (_, kind) => void troubles.push(kind),
    watched: () => false,
    channel: () => {},
    control: () => {},
    present: () => true,
    lavish: () => false,
    suspect: () => {},
    note: () => {},
    clock: () => performance.now(),
    lag: () => 0,
    watch: () => {},
    seal: () => null,
    ready: () => Promise.resolve(),
  });
  setInterval(() => links.tick(true), 100);
  const want = (change: Partial<Wanted>) =>
    links.want({session, seated: new Set(), make: new Set(), live: false, prepare: null, ...change});
  return {links, sent, troubles, want};
}

const settle = () => vi.advanceTimersByTimeAsync(1);
const open = () => FakePeerConnection.all.filter((pc) => !pc.closed);
const track = {kind: 'audio', id: 'mine'} as MediaStreamTrack;
const speaking: Publication = new Map([['microphone', track]]);
const ann = new Set(['ann']);
const tracks = ['microphone', 'camera', 'screen', 'screen-audio'].map((source, i) => ({mid: String(i), source}));
const offer = (link: string, more: object = {}) =>
  ({type: 'offer', from: 'ann', link, sdp: 'o', tracks, ...more}) as never;

describe('the one who comes later', () => {
  it('offers before it joins and sends nothing until it has a seat', async () => {
    const {links, sent, want} = make();
    links.publish(speaking);
    want({seated: ann, make: ann});
    await settle();
    expect(sent).toMatchObject([{type: 'offer', to: 'ann', tracks}]);
    const [pc] = FakePeerConnection.all as [FakePeerConnection];
    expect(pc.transceivers.map((t) => t.replaced)).toEqual([[], [], [], []]);
    want({seated: ann, make: ann, live: true});
    expect(pc.transceivers[0]?.replaced).toEqual([track]);
    links.publish(new Map());
    expect(pc.transceivers[0]?.replaced).toEqual([track, null]);
    expect(FakePeerConnection.all).toHaveLength(1);
  });

  it('uses the transport that it prepared', async () => {
    const {sent, want} = make();
    want({prepare: 'offer'});
    await settle();
    expect([open().length, sent]).toEqual([1, []]);
    want({seated: ann, make: ann, prepare: 'offer'});
    await settle();
    expect([FakePeerConnection.all.length, sent.length]).toEqual([1, 1]);
  });

  it('trickles only what the offer did not carry', async () => {
    const {sent, want} = make();
    want({prepare: 'offer'});
    await settle();
    const [pc] = FakePeerConnection.all as [FakePeerConnection];
    const candidate = {candidate: 'c', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'u'} as RTCIceCandidate;
    pc.onicecandidate?.({candidate});
    want({seated: ann, make: ann});
    await settle();
    pc.onicecandidate?.({candidate});
    pc.onicecandidate?.({candidate: null});
    expect(sent.map((m) => m.type)).toEqual(['offer', 'candidate', 'end-of-candidates']);
  });

  it('takes a refusal of an early link quietly and tries again once it has a seat', async () => {
    const {links, sent, troubles, want} = make();
    want({seated: ann, make: ann});
    await settle();
    expect(links.refused(7)).toBe(false);
    expect(links.refused(1)).toBe(true);
    want({seated: ann, make: ann});
    await settle();
    expect(sent).toHaveLength(1);
    links.forgive();
    want({seated: ann, make: ann, live: true});
    await settle();
    expect(sent).toHaveLength(2);
    expect(troubles).toEqual([]);
  });

  it('makes a broken link anew: a few times soon, then slowly', async () => {
    const {links, sent, troubles, want} = make();
    want({seated: ann, make: ann, live: true});
    await settle();
    for (let i = 0; i < 6; i++) {
      const link = sent.filter((m) => m.type === 'offer').at(-1)?.link as string;
      links.receive({type: 'close-link', from: 'ann', link} as never);
      expect(links.get('ann')).toBeNull();
      await vi.advanceTimersByTimeAsync(i < 3 ? 5_000 : i === 3 ? 17_000 : 31_000);
      expect(links.get('ann')).not.toBeNull();
      expect(links.get('ann')).not.toBeNull();
      expect(links.hopeless('ann')).toBe(i >= 3);
    }
    expect(troubles).toEqual(['connection']);
    expect(open()).toHaveLength(1);
  });

  it('restarts ICE with fresh servers when the path fails', async () => {
    const {links, sent, want} = make();
    want({seated: ann, make: ann, live: true});
    await settle();
    const [pc] = FakePeerConnection.all as [FakePeerConnection];
    links.receive({type: 'answer', from: 'ann', link: sent[0]?.link, sdp: 'a', tracks} as never);
    await settle();
    pc.turn('connected');
    pc.turn('failed');
    await vi.advanceTimersByTimeAsync(200);
    expect(pc.configuration.iceServers).toEqual([{urls: 'turn:fresh'}]);
    expect(pc.restarts).toBe(1);
    expect(sent.map((m) => m.type)).toEqual(['offer', 'offer']);
    expect(links.get('ann')?.shown.path.kind).toBe('lost');
  });
});

describe('the one who sits there', () => {
  it('connects to somebody at the door and sends when they have a seat', async () => {
    const {links, sent, want} = make();
    links.publish(speaking);
    want({live: true, prepare: 'answer'});
    await settle();
    expect(open()[0]?.configuration.iceCandidatePoolSize).toBe(1);
    links.receive(offer('l1', {early: true}));
    await settle();
    expect(sent).toMatchObject([{type: 'answer', to: 'ann', link: 'l1', tracks}]);
    const [pc] = FakePeerConnection.all as [FakePeerConnection];
    expect(pc.transceivers[0]?.replaced).toEqual([]);
    want({live: true, seated: ann});
    expect(pc.transceivers[0]?.replaced).toEqual([track]);
    expect(links.get('ann')?.shown.track('screen')?.kind).toBe('video');
  });

  it('closes when they go, or lose their right', async () => {
    const {links, want} = make();
    await settle();
    want({live: true});
    links.receive(offer('l1', {early: true}));
    links.gone('ann');
    expect(open()).toHaveLength(0);
    want({live: true, seated: ann});
    links.receive(offer('l2'));
    links.gone('ann'); // has a seat now
    expect(open()).toHaveLength(1);
    want({live: true});
    expect(open()).toHaveLength(0);
  });

  it.each<[string, Partial<Wanted>, object, string[]]>([
    ['a stranger', {live: true}, {}, ['close-link']],
    ['anybody while I have no seat', {live: false, seated: ann}, {}, []],
  ])('does not answer %s', async (_, wanted, more, expected) => {
    const {links, sent, want} = make();
    want(wanted);
    links.receive(offer('l1', more));
    await settle();
    expect(sent.map((m) => m.type)).toEqual(expected);
    expect(open()).toHaveLength(0);
  });

  it('lets four people stand at the door', async () => {
    const {links, sent, want} = make();
    want({live: true});
    for (let i = 0; i < 6; i++) links.receive(offer('l', {from: `p${i}`, early: true}));
    await settle();
    expect(open()).toHaveLength(4);
    expect(sent.filter((m) => m.type === 'close-link').map((m) => m.to)).toEqual(['p4', 'p5']);
  });

  it('drops words of a link that is gone, and takes a newer link for the old one', async () => {
    const {links, sent, want} = make();
    want({live: true, seated: ann});
    links.receive(offer('l1'));
    links.receive(offer('l2'));
    links.receive({type: 'close-link', from: 'ann', link: 'l1'} as never);
    links.receive({type: 'candidate', from: 'eve', link: 'l2', candidate: {candidate: 'x'}} as never);
    await settle();
    expect(links.get('ann')?.main.id).toBe('l2');
    expect(open()).toHaveLength(1);
    expect(sent.map((m) => [m.type, m.link])).toEqual([['answer', 'l2']]);
  });

  it('asks the maker for a restart instead of offering', async () => {
    const {links, sent, want} = make();
    want({live: true, seated: ann});
    links.receive(offer('l1'));
    await settle();
    const [pc] = FakePeerConnection.all as [FakePeerConnection];
    pc.turn('connected');
    pc.turn('failed');
    await vi.advanceTimersByTimeAsync(1_100);
    expect(sent.at(-1)).toEqual({type: 'renegotiate', restart: true, to: 'ann', link: 'l1'});
  });

  it.each([
    ['me', 'ann', false],
    ['aaa', 'ann', true],
  ])('keeps one of two links made at once: %s against %s', async (session, _, keeps) => {
    const {links, want} = make(session);
    want({live: true, seated: ann, make: ann});
    await settle();
    links.receive(offer('theirs'));
    expect(links.get('ann')?.main.id === 'theirs').toBe(!keeps);
    expect(open()).toHaveLength(1);
  });
});
