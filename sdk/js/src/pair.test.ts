import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {type Happening, Pair, type Ways} from './pair.js';
import {type FakeDataChannel, FakePeerConnection} from './peerconnection.fake.js';
import {prepare} from './prepared.js';
import type {Publication} from './publication.js';
import {Upkeep} from './upkeep.js';

beforeEach(() => {
  vi.useFakeTimers();
  FakePeerConnection.all = [];
  vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
  vi.stubGlobal('MediaStream', class {});
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

type Sent = {type: string; link: string; kind?: string; [field: string]: unknown};

const track = {kind: 'audio', id: 'mine'} as MediaStreamTrack;
const speaking: Publication = new Map([['microphone', track]]);
const tracks = ['microphone', 'camera', 'screen', 'screen-audio'].map((source, i) => ({mid: String(i), source}));
const here = '{"type":"here"}';

/** A pair whose other side answers beats on every transport in `alive`, and offers. */
function make(maker = true) {
  const sent: Sent[] = [];
  const notes: Happening[] = [];
  const asked: Ways[] = [];
  const state = {online: true, present: true, lavish: true, over: 0, suspected: false, heard: 0};
  const alive = new Set<FakePeerConnection>();
  const pair: Pair = new Pair('ann', maker, 'l0', prepare(maker ? 'offer' : 'answer', {iceServers: []}), {
    send: (type, body) => sent.push({type, ...(body as object)} as Sent),
    online: () => state.online,
    present: () => state.present,
    lavish: () => state.lavish,
    prepare: (kind, ways) => {
      asked.push(ways);
      const prepared = prepare(kind, {iceServers: []});
      return ways === 'all' ? prepared : {...prepared, fits: () => true};
    },
    freshServers: async () => [],
    changed: () => {},
    over: () => state.over++,
    suspect: (suspected) => {
      state.suspected = suspected;
    },
    trouble: () => {},
    note: (happening) => notes.push(happening),
    watched: () => false,
    channel: () => {},
    control: () => state.heard++,
    clock: () => performance.now(),
    lag: () => 0,
    watch: () => {},
    seal: null,
  });
  const upkeep = new Upkeep(pair);
  pair.attend(upkeep);
  const channel = (pc: FakePeerConnection, label: string) =>
    pc.channels.find((c) => c.label === label) as FakeDataChannel;
  const answerBeats = () => {
    for (const pc of alive) {
      const beat = channel(pc, 'beat');
      const asked = beat.sent.splice(0).filter((data) => new Uint8Array(data as ArrayBuffer)[0] === 0);
      for (const data of asked) {
        new Uint8Array(data as ArrayBuffer)[0] = 1;
        beat.onmessage?.({data});
      }
    }
  };
  setInterval(() => {
    upkeep.tick(true);
    answerBeats();
  }, 100);
  let answered = 0;
  const run = async (ms: number) => {
    for (let t = 0; t < ms; t += 100) {
      await vi.advanceTimersByTimeAsync(100);
      for (const {type, link} of sent.slice(answered)) {
        if (type !== 'offer') continue;
        pair.receive({type: 'answer', from: 'ann', link, sdp: `to ${link} ${sent.length}`, tracks} as never);
      }
      answered = sent.length;
    }
  };
  /** A transport comes up, and its other side lives. */
  const connect = (pc: FakePeerConnection | undefined) => {
    if (!pc) throw new Error('no such transport');
    for (const c of pc.channels) c.readyState = 'open';
    alive.add(pc);
    pc.turn('connected');
    return pc;
  };
  const says = (pc: FakePeerConnection, text: string) => channel(pc, 'parley').onmessage?.({data: text});
  const told = (pc: FakePeerConnection) => channel(pc, 'parley').sent;
  const carries = (pc: FakePeerConnection) => pc.transceivers[0]?.replaced.at(-1) === track;
  const offers = () => sent.filter((m) => m.type === 'offer').map((m) => m.kind ?? m.link);
  return {pair, sent, notes, asked, state, alive, run, connect, says, told, carries, offers};
}

/** A pair in a call, its main link up. */
async function inCall(maker = true) {
  const all = make(maker);
  if (!maker) all.pair.receive({type: 'offer', from: 'ann', link: 'l0', sdp: 'o', tracks} as never);
  all.pair.publish(speaking, true);
  await all.run(200);
  const main = all.connect(FakePeerConnection.all[0]);
  await all.run(500);
  return {...all, main};
}

/** The same with a spare that is up. */
async function withSpare() {
  const all = await inCall();
  await all.run(4_000);
  const spare = all.connect(FakePeerConnection.all[1]);
  await all.run(500);
  return {...all, spare};
}

const kinds = (notes: readonly Happening[]) => notes.map(({kind}) => kind);

describe('a spare', () => {
  it('is made by the maker over the relay once the main link is well, and carries nothing', async () => {
    const {asked, offers, carries, main, spare, pair} = await withSpare();
    expect(asked).toEqual(['stream']);
    expect(offers()).toEqual(['l0', 'spare']);
    expect([carries(main), carries(spare), pair.shown === pair.main]).toEqual([true, false, true]);
  });

  it('is not made for a page that nobody looks at, and let go of then', async () => {
    const {state, run, sent, spare} = await withSpare();
    state.lavish = false;
    await run(200);
    expect(sent.at(-1)?.type).toBe('close-link');
    expect(spare.closed).toBe(true);
    await run(60_000);
    expect(FakePeerConnection.all).toHaveLength(2);
  });

  it('takes the media over at once, and gives it back when the main link is stable', async () => {
    const {run, alive, carries, connect, told, notes, main, spare, offers} = await withSpare();
    alive.delete(main);
    await run(900);
    expect([carries(main), carries(spare)]).toEqual([false, true]);
    expect(told(spare)).toEqual([here]);
    expect(kinds(notes)).toEqual(['stalled', 'replaced', 'recovered', 'restart']);
    expect(notes[2]?.ms).toBeLessThan(900);
    expect(offers()).toEqual(['l0', 'spare', 'l0']);
    await run(300);
    connect(main);
    await run(2_000);
    expect(carries(spare)).toBe(true);
    await run(2_000);
    expect([carries(main), carries(spare)]).toEqual([true, false]);
    expect(told(main)).toEqual([here]);
  });

  it('does not take over when it is silent too: it begins anew after the main link', async () => {
    const {run, alive, carries, main, spare} = await withSpare();
    alive.clear();
    await run(1_200);
    expect([carries(main), carries(spare)]).toEqual([true, false]);
    expect([main.restarts, spare.restarts]).toEqual([1, 0]);
    await run(600);
    expect(spare.restarts).toBe(1);
    alive.add(spare);
    await run(400);
    expect(carries(spare)).toBe(true);
  });

  it('is followed when the other side hears nothing on the main link', async () => {
    const {run, says, carries, spare} = await withSpare();
    says(spare, here);
    await run(100);
    expect(carries(spare)).toBe(true);
    await run(4_000);
    expect(carries(spare)).toBe(false); // it leads back
    says(spare, here);
    await run(4_000);
    expect(carries(spare)).toBe(true); // and is slower to believe each time
  });

  it('begins anew when it alone falls silent', async () => {
    const {run, alive, main, spare} = await withSpare();
    await run(2_000);
    alive.delete(spare);
    await run(900);
    expect(spare.restarts).toBe(0);
    await run(400);
    expect([main.restarts, spare.restarts]).toEqual([0, 1]);
  });

  it('is not asked for again soon when the other side closes it', async () => {
    const {pair, run, sent, spare} = await withSpare();
    const link = sent.find((m) => m.kind === 'spare')?.link ?? '';
    pair.receive({type: 'close-link', from: 'ann', link} as never);
    expect(spare.closed).toBe(true);
    await run(29_000);
    expect(FakePeerConnection.all).toHaveLength(2);
    await run(2_000);
    expect(FakePeerConnection.all).toHaveLength(3);
  });

  it('that never connects is let go of and tried again later and later', async () => {
    const {run} = await inCall();
    const made: number[] = [];
    for (let s = 0; s < 400; s++) {
      await run(1_000);
      while (made.length < FakePeerConnection.all.length - 1) made.push(s);
    }
    const apart = made.slice(1).map((s, i) => s - (made[i] as number));
    expect(apart.map((s) => Math.round(s / 10))).toEqual([4, 7, 13]);
    expect(FakePeerConnection.all.filter((pc) => !pc.closed)).toHaveLength(1);
  });

  it('without a relay to be had ends before the browser has tried for long', async () => {
    const {pair, run, sent} = await inCall(false);
    pair.receive({type: 'offer', from: 'ann', link: 'l9', sdp: 'o', tracks, kind: 'spare'} as never);
    await run(100);
    const spare = FakePeerConnection.all[1] as FakePeerConnection;
    spare.onicecandidate?.({candidate: null});
    expect(sent.at(-1)).toMatchObject({type: 'close-link', link: 'l9'});
    expect([spare.closed, pair.spare, pair.main.connected]).toEqual([true, null, true]);
  });

  it.each<[string, boolean, string | undefined, string]>([
    ['takes a spare', true, 'spare', 'answer'],
    ['refuses a spare that costs money', false, 'spare', 'close-link'],
    ['refuses what it does not know', true, 'odd', 'close-link'],
  ])('%s', async (_, lavish, kind, expected) => {
    const {pair, state, run, sent} = await inCall(false);
    state.lavish = lavish;
    pair.receive({type: 'offer', from: 'ann', link: 'l9', sdp: 'o', tracks, kind} as never);
    await run(100);
    expect(sent.at(-1)).toMatchObject({type: expected, link: 'l9'});
  });
});

describe('a link for bulk', () => {
  it('is answered, its channels are heard, a newer one replaces it, and it ends with the pair', async () => {
    const {pair, run, sent, main} = await inCall();
    const before = FakePeerConnection.all.length;
    for (const [i, link] of ['b1', 'b2'].entries()) {
      pair.receive({type: 'offer', from: 'bob', link, sdp: 'o', kind: 'bulk'} as never);
      await vi.dynamicImportSettled();
      await run(100);
      expect(sent.filter(({type}) => type === 'answer').at(-1)).toMatchObject({link});
      expect(FakePeerConnection.all).toHaveLength(before + i + 1);
    }
    const [older, newer] = FakePeerConnection.all.slice(before);
    expect([older?.closed, newer?.closed, main.closed]).toEqual([true, false, false]);
    pair.receive({type: 'close-link', from: 'bob', link: 'b1'} as never); // of one that is gone already
    await run(100);
    expect(newer?.closed).toBe(false);
    pair.close();
    await run(100);
    expect(newer?.closed).toBe(true);
  });

  it('is declined aloud by a page that cannot get the code for it', async () => {
    vi.doMock('./bulk.js', () => {
      throw new Error('404');
    });
    try {
      const {pair, run, sent} = await inCall();
      pair.receive({type: 'offer', from: 'bob', link: 'b1', sdp: 'o', kind: 'bulk'} as never);
      await vi.dynamicImportSettled();
      await run(100);
      expect(sent.at(-1)).toMatchObject({type: 'close-link', link: 'b1'});
    } finally {
      vi.doUnmock('./bulk.js');
    }
  });
});

it('does not hear more small messages than anybody has to say', async () => {
  const {main, says, state, run} = await inCall();
  for (let i = 0; i < 10_000; i++) says(main, '{"type":"quality"}');
  expect(state.heard).toBe(200);
  await run(1_000);
  says(main, '{"type":"quality"}');
  expect(state.heard).toBe(201);
});

describe('a main link that is lost', () => {
  it('is begun anew once, then replaced beside the old one, at last by relay', async () => {
    const {run, alive, asked, state, main, offers, pair, carries, connect, sent} = await inCall();
    state.lavish = false;
    alive.clear();
    await run(600);
    expect([main.restarts, asked]).toEqual([1, []]);
    await run(2_000);
    expect([main.restarts, asked, main.closed, offers().length]).toEqual([1, ['all'], false, 3]);
    await run(4_000);
    expect(asked).toEqual(['all', 'tls']);
    expect(FakePeerConnection.all[1]?.closed).toBe(true);
    const next = connect(FakePeerConnection.all[2]);
    expect(carries(next)).toBe(true);
    expect([main.closed, pair.main.connected, pair.main.path.kind]).toEqual([false, true, 'connecting']);
    await run(2_000);
    expect(main.closed).toBe(true);
    expect(sent.at(-1)).toMatchObject({type: 'close-link', link: 'l0'});
    // The relay by TLS was the last resort: a better way is looked for beside it, less and less often.
    await run(9_000);
    expect(asked).toEqual(['all', 'tls', 'all']);
    await run(15_000);
    expect(FakePeerConnection.all[3]?.closed).toBe(true);
    await run(5_000);
    const better = connect(FakePeerConnection.all[4]);
    expect(carries(better)).toBe(true);
    await run(60_000);
    expect(FakePeerConnection.all).toHaveLength(5);
  });

  it('says so when it is well again, and sends a whole picture to whoever says it, once a second', async () => {
    const {pair, run, alive, main, told, says} = await inCall();
    const picture = {kind: 'video', id: 'seen', contentHint: ''} as MediaStreamTrack;
    pair.publish(new Map([...speaking, ['camera', picture]]), true);
    const camera = main.transceivers.find(({sender}) => sender.track === picture);
    if (camera) camera.encodings = [{active: true}];
    alive.clear();
    await run(1_000);
    expect([told(main), camera?.keyFrames]).toEqual([[], 0]);
    alive.add(main);
    await run(1_000);
    expect(told(main)).toEqual([here]);
    for (let i = 0; i < 20; i++) says(main, here);
    expect(camera?.keyFrames).toBe(1);
    await run(1_000);
    says(main, here);
    expect([camera?.keyFrames, camera?.encodings]).toEqual([2, [{active: true}]]);
  });

  it('gives a replacement up when it is well before that is connected', async () => {
    const {pair, run, alive, asked, main, sent, state} = await inCall();
    state.lavish = false;
    alive.clear();
    await run(1_300);
    expect([asked, pair.main.id]).toEqual([['all'], 'l0']);
    alive.add(main);
    await run(400);
    const next = FakePeerConnection.all[1];
    expect(next?.closed).toBe(false); // it may have been a last packet
    await run(1_200);
    expect([next?.closed, main.closed, sent.at(-1)?.type]).toEqual([true, false, 'close-link']);
  });

  it('keeps a replacement that the other side asked for before the loss was noticed here', async () => {
    const {pair, run, alive, asked, state} = await inCall();
    state.lavish = false;
    await run(3_000);
    alive.clear();
    await run(300);
    pair.receive({type: 'renegotiate', from: 'ann', link: 'l0', restart: true} as never);
    await run(50);
    expect(asked).toEqual(['all']);
    await run(1_000);
    expect(FakePeerConnection.all.map(({closed}) => closed)).toEqual([false, false]);
    expect(asked).toEqual(['all']);
  });

  it('is replaced at once on another network, but begun anew first on one that comes and goes', async () => {
    const {pair, run, alive, asked, state, connect} = await inCall();
    state.lavish = false;
    const firsts: string[] = [];
    const lose = async () => {
      await run(4_000);
      const [main, before] = [FakePeerConnection.all.at(-1), asked.length];
      const restarts = main?.restarts ?? 0;
      alive.clear();
      pair.upkeep?.hurry();
      await run(700);
      firsts.push(main && main.restarts > restarts ? 'restart' : asked.length > before ? 'replace' : 'nothing');
      if (asked.length === before) await run(1_000); // it follows
      connect(FakePeerConnection.all.at(-1));
    };
    for (let i = 0; i < 10; i++) await lose();
    expect(firsts).toEqual([...Array(8).fill('replace'), 'restart', 'restart']);
    await run(60_000);
    await lose();
    expect(firsts.at(-1)).toBe('replace');
  });

  it('is replaced at once when the other side says that its network is another one, restart or not', async () => {
    const {pair, run, alive, asked, state, main} = await inCall();
    state.lavish = false;
    await run(3_000);
    alive.clear();
    while (main.restarts === 0) await run(100);
    const ask = {type: 'renegotiate', from: 'ann', link: 'l0', restart: true, elsewhere: true};
    pair.receive(ask as never);
    await run(50);
    expect([main.restarts, asked]).toEqual([1, ['all']]);
    for (let i = 0; i < 5; i++) pair.receive(ask as never);
    await run(300);
    expect(asked).toEqual(['all']);
  });

  it('goes back to the one before when the other side gives up the one that replaced it', async () => {
    const {pair, run, connect, main, carries, state} = await inCall(false);
    pair.receive({type: 'offer', from: 'ann', link: 'l1', sdp: 'o1', tracks} as never);
    await run(300);
    const next = connect(FakePeerConnection.all[1]);
    expect([carries(next), pair.main.id]).toEqual([true, 'l1']);
    pair.receive({type: 'close-link', from: 'ann', link: 'l1'} as never);
    expect([pair.main.id, carries(main), main.closed, next.closed, state.over]).toEqual(['l0', true, false, true, 0]);
    await run(5_000);
    expect([pair.main.id, main.closed, state.over]).toEqual(['l0', false, 0]);
  });

  it('is replaced by the newer one of the other side when that is connected, not before', async () => {
    const {pair, run, connect, main, carries} = await inCall(false);
    pair.receive({type: 'offer', from: 'ann', link: 'l1', sdp: 'o1', tracks} as never);
    await run(300);
    expect([carries(main), pair.main.id]).toEqual([true, 'l0']);
    const next = connect(FakePeerConnection.all[1]);
    expect([carries(main), carries(next), pair.main.id]).toEqual([false, true, 'l1']);
    pair.receive({type: 'close-link', from: 'ann', link: 'l0'} as never);
    expect([main.closed, pair.main.connected]).toEqual([true, true]);
  });

  it('survives that the other side closes the old one before it has seen the new one connect', async () => {
    const {pair, run, state} = await inCall(false);
    pair.receive({type: 'offer', from: 'ann', link: 'l1', sdp: 'o1', tracks} as never);
    await run(300);
    pair.receive({type: 'close-link', from: 'ann', link: 'l0'} as never);
    expect([pair.main.id, state.over]).toEqual(['l1', 0]);
  });

  it('is asked for by the side that did not make it', async () => {
    const {run, alive, sent} = await inCall(false);
    alive.clear();
    await run(7_000);
    const asks = sent.filter((m) => m.type === 'renegotiate');
    expect(asks.length).toBeGreaterThanOrEqual(2);
    expect(asks[0]).toMatchObject({link: 'l0', restart: true});
    expect(asks.some((ask) => 'elsewhere' in ask)).toBe(false);
    expect(sent.some((m) => m.type === 'offer' || m.type === 'close-link')).toBe(false);
  });

  it('is asked for in other words by a side whose network is another one', async () => {
    const {pair, run, alive, sent} = await inCall(false);
    await run(3_000);
    alive.clear();
    pair.upkeep?.alarm();
    pair.upkeep?.hurry(true);
    await run(400);
    const asks = sent.filter((m) => m.type === 'renegotiate');
    expect(asks).toMatchObject([{link: 'l0', restart: true, elsewhere: true}]);
  });

  it.each<[string, Partial<{online: boolean; present: boolean}>, number]>([
    ['nobody hears us', {online: false}, 0],
    ['the other side is away', {present: false}, 1],
  ])('waits while %s', async (_, change, restarts) => {
    const {pair, run, alive, state, main} = await inCall();
    Object.assign(state, change);
    alive.clear();
    await run(30_000);
    expect([main.restarts, FakePeerConnection.all.length]).toEqual([restarts, 1]);
    Object.assign(state, {online: true, present: true});
    pair.upkeep?.hurry();
    await run(200);
    expect([main.restarts, FakePeerConnection.all.length]).toEqual([restarts, 2]); // the network may be another one
    await run(1_500);
    expect(main.restarts).toBe(restarts + 1);
  });

  it('tells the socket that the network is gone, and back', async () => {
    const {run, alive, state, main} = await inCall();
    alive.delete(main);
    await run(700);
    expect(state.suspected).toBe(true);
    alive.add(main);
    await run(300);
    expect(state.suspected).toBe(false);
  });

  it('is not replaced for ever by somebody who breaks each one as soon as it is there', async () => {
    const {run, state, sent} = await inCall();
    const before = sent.length;
    const control = FakePeerConnection.all[0]?.channels.find((c) => c.label === 'parley');
    control?.onclose?.();
    await run(100);
    expect(state.over).toBe(1); // whoever keeps the pair makes it anew, later each time
    expect(sent.slice(before).map(({type}) => type)).toEqual(['close-link']);
  });

  it('is left alone while it works, whatever the signalling does', async () => {
    const {run, state, main, notes} = await inCall();
    state.lavish = false;
    Object.assign(state, {online: false, present: false});
    await run(120_000);
    expect([main.restarts, notes]).toEqual([0, []]);
  });
});
