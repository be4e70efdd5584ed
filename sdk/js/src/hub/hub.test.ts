import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import type {Link} from '../link.js';
import type {Note} from '../notes.js';
import {FakePeerConnection} from '../peerconnection.fake.js';
import {People} from '../people.js';
import type {Publication} from '../publication.js';
import type {Seal} from '../veil.js';
import type {Seat, Source, Topology} from '../wire.gen.js';
import {Hub} from './hub.js';

vi.setConfig({testTimeout: 60_000}); // much happens in it, and machines are busy

beforeEach(() => {
  vi.useFakeTimers();
  FakePeerConnection.all = [];
  vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

type Sent = {type: string; link?: string; [field: string]: unknown};

const talking = {microphone: true, camera: true, screen: false, screenAudio: false};
const seat = (id: string, change: Partial<Seat> = {}): Seat => ({
  id,
  name: id,
  role: 'speaker',
  state: 'present',
  session: id.toLowerCase(),
  order: id.charCodeAt(0),
  media: talking,
  ...change,
});
const mine: Publication = new Map<Source, MediaStreamTrack>([
  ['microphone', {kind: 'audio', id: 'my-sound', contentHint: ''} as MediaStreamTrack],
  ['camera', {kind: 'video', id: 'my-picture', contentHint: ''} as MediaStreamTrack],
]);
const direct: Topology = {kind: 'direct', epoch: 1, policy: 'auto'};
const toHub: Topology = {kind: 'direct', next: 'hub', epoch: 2, policy: 'auto'};
const onHub: Topology = {kind: 'hub', epoch: 3, policy: 'auto'};
const back: Topology = {kind: 'hub', next: 'direct', epoch: 4, policy: 'auto'};
const again: Topology = {kind: 'direct', epoch: 5, policy: 'auto'};

/** The hub's side of a room in which A is me and talks with B directly, and the server's end of it. */
function make(...others: Seat[]) {
  const sent: Sent[] = [];
  const notes: Note[] = [];
  const spoken: unknown[][] = [];
  const state = {
    online: true,
    lavish: true,
    answers: false,
    speakers: [] as readonly string[],
    seal: null as Seal | null | undefined,
    servers: [] as RTCIceServer[],
  };
  const roster = new People(null);
  roster.replace([seat('A'), seat('B'), ...others], 'A');
  const links = new Map<string, {link: Link; stats: Map<string, object>}>();
  const straight = (id: string) => {
    const stats = new Map<string, object>();
    const track = (source: Source) => ({id: `direct-${id}-${source}`}) as MediaStreamTrack;
    const link = {
      connected: true,
      path: {kind: 'direct'},
      reports: null,
      track,
      level: () => 0,
      getStats: async () => stats,
      sourceOf: (name: string) => (name.startsWith(`direct-${id}-`) ? (name.split('-')[2] as Source) : null),
    } as unknown as Link;
    links.set(id, {link, stats});
  };
  straight('B');
  let n = 0;
  const hub = new Hub({
    send: (type, body) => sent.push({type, ...(body as object), n: ++n} as unknown as Sent) && n,
    roster,
    servers: {
      get list() {
        return state.servers;
      },
      fresh: async () => state.servers,
    } as never,
    record: {note: (note: Note) => notes.push(note), watch: () => {}} as never,
    online: () => state.online,
    trouble: () => {},
    suspect: () => {},
    lavish: () => state.lavish,
    joinedAt: () => 1,
    direct: (person) => links.get(person.id)?.link ?? null,
    arrived: () => {},
    heard: (...words) => void spoken.push(words),
    speakers: (seats) => {
      state.speakers = seats;
    },
    changed: () => {},
    clock: () => performance.now(),
    lag: () => 0,
    seal: () => state.seal,
  });
  const open = () => FakePeerConnection.all.filter((pc) => !pc.closed);
  const pc = () => open().at(-1) as FakePeerConnection;
  const said = (type: string) => sent.filter((m) => m.type === type);
  const idOf = (one: FakePeerConnection) => {
    const index = FakePeerConnection.all.indexOf(one);
    return said('offer').filter((m) => m.to === 'hub' && m.sdp === `offer-${index}`)[0]?.link as string;
  };
  const run = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      await vi.advanceTimersByTimeAsync(50);
      hub.tick(true);
      if (state.answers) for (const one of open()) pong(one);
    }
    await vi.advanceTimersByTimeAsync(0);
  };
  /** The places that sound and pictures of these are put onto, in the order of the sections. */
  const place = (one: FakePeerConnection, ids: string[]) => {
    const free = one.transceivers.filter((t) => t.direction === 'recvonly');
    const take = (kind: string) =>
      free.splice(
        free.findIndex((t) => t.receiver.track.kind === kind),
        1,
      )[0]?.mid;
    return ids.flatMap((id) => [
      {mid: take('audio'), seat: id, source: 'microphone'},
      {mid: take('video'), seat: id, source: 'camera'},
    ]);
  };
  /** What the hub was told, but for pings. */
  const heard: unknown[] = [];
  const control = (one: FakePeerConnection) => one.channels.find(({label}) => label === 'parley');
  /** Answers the newest offer and connects. */
  const connect = async (ids: string[] = [], one = pc()) => {
    await vi.advanceTimersByTimeAsync(0);
    const places = place(one, ids);
    hub.receive({type: 'answer', from: 'hub', link: idOf(one), sdp: `a${sent.length}`, places} as never);
    await vi.advanceTimersByTimeAsync(0);
    if (one.connectionState !== 'connected') one.turn('connected');
    const channel = control(one);
    if (channel) channel.readyState = 'open';
    return places;
  };
  const word = (message: object, one = pc()) => control(one)?.onmessage?.({data: JSON.stringify(message)});
  /** Pings are answered from now on. */
  const pong = (one = pc()) => {
    const channel = control(one);
    for (const text of channel?.sent.splice(0) ?? []) {
      const {type, id} = JSON.parse(String(text));
      if (type === 'ping') word({type: 'pong', id}, one);
      else heard.push(text);
    }
  };
  const counted = (stats: Map<string, object>, track: string, video: boolean, count: number) =>
    stats.set(track, {
      type: 'inbound-rtp',
      kind: video ? 'video' : 'audio',
      trackIdentifier: track,
      packetsReceived: 10 * count,
      framesDecoded: video ? count : 0,
      jitterBufferEmittedCount: video ? 0 : count,
    });
  /** Something of somebody arrives by the hub, in two looks. */
  const deliver = async (id: string, ...sources: Source[]) => {
    const one = pc();
    for (const count of [1, 2]) {
      for (const source of sources) {
        const mid = placesOf(one).find((p) => p.seat === id && p.source === source)?.mid;
        const track = one.transceivers.find((t) => t.mid === mid)?.receiver.track;
        if (track) counted(one.stats, track.id, source === 'camera', count);
      }
      await run(150);
    }
  };
  let shown: ReturnType<typeof place> = [];
  const placesOf = (_: FakePeerConnection) => shown;
  const seats = async (ids: string[]) => {
    shown = place(pc(), ids);
    word({type: 'places', places: shown});
  };
  const deliverDirect = async (id: string, ...sources: Source[]) => {
    for (const count of [1, 2]) {
      for (const source of sources) {
        counted(links.get(id)?.stats as Map<string, object>, `direct-${id}-${source}`, source === 'camera', count);
      }
      await run(150);
    }
  };
  const track = (id: string, source: Source) => {
    const person = roster.get(id);
    return (person && hub.way(person)?.track(source)?.id) ?? null;
  };
  return {
    hub,
    roster,
    links,
    straight,
    sent,
    notes,
    state,
    said,
    run,
    connect,
    pc,
    open,
    word,
    pong,
    seats,
    deliver,
    deliverDirect,
    track,
    control,
    heard,
    spoken,
  };
}

/** A call of two that has a link with the hub in reserve. */
async function waiting() {
  const all = make();
  all.hub.publish(mine);
  all.hub.update('a', direct);
  await all.run(50);
  await all.connect();
  await all.run(300);
  all.pong();
  await all.run(100);
  return all;
}

/** A switch to the hub has begun, with C as the third; the new offer is answered. */
async function crossing() {
  const all = await waiting();
  all.state.answers = true;
  all.roster.update(seat('C'));
  all.hub.update('a', toHub);
  await all.run(50);
  await all.connect();
  await all.seats(['B', 'C']);
  all.sent.length = 0;
  return all;
}

describe('whether the hub is reached', () => {
  it('is found out with a link that carries nothing, and told', async () => {
    const {said, pc} = await waiting();
    expect(said('offer')).toMatchObject([{to: 'hub', tracks: [], show: []}]);
    expect(said('hub-reach')).toMatchObject([{ok: true}]);
    expect(pc().transceivers.every((t) => t.sender.track === null)).toBe(true);
  });

  it.each<[string, object | null, string]>([
    ['nothing gets there', null, 'blocked'],
    ['packets get there, and no connection comes of it', {type: 'candidate-pair', responsesReceived: 3}, 'failed'],
  ])('is told when %s', async (_, pair, why) => {
    const {hub, said, run, pc} = make();
    hub.update('a', direct);
    await run(50);
    if (pair) pc().stats.set('pair', pair);
    await run(9_000);
    expect(said('hub-reach')).toEqual([]);
    await run(1_000);
    expect(said('hub-reach')).toMatchObject([{ok: false, why}]);
  });

  it('is looked for without a relay by UDP, at first and at a restart: it has the same address', async () => {
    const {hub, state, run, connect, pc} = make();
    state.servers = [
      {urls: 'stun:hub.test:443'},
      {
        urls: ['turn:hub.test:443?transport=udp', 'turn:hub.test:443?transport=tcp', 'turns:hub.test:443'],
        username: 'u',
      },
    ];
    const left = [{urls: ['turn:hub.test:443?transport=tcp', 'turns:hub.test:443'], username: 'u'}];
    hub.update('a', direct);
    await run(50);
    expect(pc().configuration.iceServers).toEqual(left);
    await connect();
    await run(1_000);
    hub.hurry(true);
    await run(400);
    expect(pc().restarts).toBe(1);
    expect(pc().configuration.iceServers).toEqual(left);
  });

  it('is told again when the network is another one, and when it is reached late', async () => {
    const {hub, said, run, pong, pc} = await waiting();
    hub.hurry(true);
    await run(400);
    expect(pc().restarts).toBe(1);
    expect(said('hub-reach')).toHaveLength(1);
    pong();
    await run(100);
    expect(said('hub-reach')).toMatchObject([{ok: true}, {ok: true}]);
    hub.hurry(true);
    await run(10_500);
    expect(said('hub-reach')).toMatchObject([{ok: true}, {ok: true}, {ok: false}]);
  });

  it('is found out without a link afterwards where a link costs something', async () => {
    const {hub, state, said, run, open} = await waiting();
    state.lavish = false;
    await run(100);
    expect(open()).toHaveLength(0);
    expect(said('close-link')).toMatchObject([{to: 'hub'}]);
    hub.hurry(true);
    await run(100);
    expect(open()).toHaveLength(1);
  });

  it('waits while nothing can be told', async () => {
    const {hub, state, said, run} = make();
    state.online = false;
    hub.update('a', direct);
    await run(20_000);
    expect(said('hub-reach')).toEqual([]);
  });
});

describe('a switch to the hub', () => {
  it('sends on both, plays each source as it arrives, says moved, and then is there', async () => {
    const {hub, said, deliver, track, run, pc, notes} = await crossing();
    const own = pc()
      .transceivers.slice(0, 2)
      .map((t) => t.sender.track?.id);
    expect(own).toEqual(['my-sound', 'my-picture']);
    expect(track('B', 'microphone')).toBe('direct-B-microphone');
    await deliver('B', 'microphone');
    expect(track('B', 'microphone')).toMatch(/^place/);
    expect(track('B', 'camera')).toBe('direct-B-camera');
    await deliver('B', 'camera');
    await deliver('C', 'microphone');
    expect(said('moved')).toEqual([]);
    await deliver('C', 'camera');
    expect(said('moved')).toMatchObject([{epoch: 2}]);
    expect(said('moved')[0]).not.toHaveProperty('missing');
    expect(hub.direct).toBe(true);
    hub.update('a', onHub);
    await run(1_000);
    expect(hub.direct).toBe(true); // for what is still under way
    await run(1_000);
    expect(hub.direct).toBe(false);
    expect(track('C', 'camera')).toMatch(/^place/);
    const told = notes.filter(({kind}) => kind === 'switched');
    expect(told).toMatchObject([{switch: {from: 'direct', to: 'hub', epoch: 2, gapMs: 0}}]);
    expect(told[0]?.ms).toBeGreaterThan(0);
  });

  it('believes the control channel, when an answer comes that was overtaken by it', async () => {
    const {hub, roster, run, seats, connect, deliver, track, state} = await waiting();
    state.answers = true;
    roster.update(seat('C'));
    hub.update('a', toHub);
    await run(50);
    await seats(['B', 'C']);
    await connect(['B']); // of before C was on a place
    await deliver('C', 'camera');
    expect(track('C', 'camera')).toMatch(/^place/);
  });

  it('hears the same epoch twice, and a later one that begins it anew', async () => {
    const {hub, said, deliver, run} = await crossing();
    hub.update('a', toHub);
    await deliver('B', 'microphone', 'camera');
    await deliver('C', 'microphone', 'camera');
    hub.update('a', toHub);
    await run(500);
    expect(said('moved')).toHaveLength(1);
    hub.update('a', {...toHub, epoch: 7});
    await run(11_000);
    // Nothing has arrived since, as far as this switch can tell.
    expect(said('moved').at(-1)).toMatchObject({
      epoch: 7,
      missing: [{seat: 'B'}, {seat: 'B'}, {seat: 'C'}, {seat: 'C'}],
    });
  });

  it('is called off: the old path plays on, nothing leaves by the new one, and its link waits', async () => {
    const {hub, deliver, track, run, pc, said} = await crossing();
    await deliver('B', 'microphone');
    hub.update('a', {...direct, epoch: 3});
    expect(track('B', 'microphone')).toBe('direct-B-microphone');
    await run(2_000);
    expect(
      pc()
        .transceivers.slice(0, 2)
        .every((t) => t.sender.track === null),
    ).toBe(true);
    expect(said('close-link')).toEqual([]);
    expect(said('offer').at(-1)).toMatchObject({tracks: []});
  });

  it.each<[string, (all: Awaited<ReturnType<typeof crossing>>) => void, object]>([
    [
      'sound that does not come',
      () => {},
      {
        missing: [
          {seat: 'C', source: 'microphone'},
          {seat: 'C', source: 'camera'},
        ],
      },
    ],
    ['the third who leaves', ({roster}) => void roster.remove('C'), {}],
    ['somebody who is away', ({roster}) => void roster.update(seat('C', {state: 'away'})), {}],
    [
      'a newcomer in the middle',
      ({roster}) => {
        roster.remove('C');
        roster.update(seat('D'));
      },
      {
        missing: [
          {seat: 'D', source: 'microphone'},
          {seat: 'D', source: 'camera'},
        ],
      },
    ],
    [
      'a picture that is not shown',
      ({hub}) => hub.show([{seat: 'B', source: 'camera', width: 320, height: 180}]),
      {missing: [{seat: 'C', source: 'microphone'}]},
    ],
  ])('tells after 10 s of %s', async (_, happen, expected) => {
    const all = await crossing();
    await all.deliver('B', 'microphone', 'camera');
    happen(all);
    await all.run(10_200);
    expect(all.said('moved')).toHaveLength(1);
    expect(all.said('moved')[0]).toMatchObject({epoch: 2, ...expected});
    if (!('missing' in expected)) expect(all.said('moved')[0]).not.toHaveProperty('missing');
  });

  it('survives a server that begins anew: another link, and what was said is said again', async () => {
    const {hub, deliver, said, run, connect, seats, open, pc} = await crossing();
    await deliver('B', 'microphone', 'camera');
    await deliver('C', 'microphone', 'camera');
    expect(said('moved')).toHaveLength(1);
    hub.reset();
    await run(50);
    expect(open()).toHaveLength(2); // the old one goes on until the new one is there
    await connect();
    await seats(['B', 'C']);
    await run(2_000);
    expect(open()).toHaveLength(1);
    expect(pc().transceivers[0]?.sender.track?.id).toBe('my-sound');
    await deliver('B', 'microphone', 'camera');
    await deliver('C', 'microphone', 'camera');
    expect(said('moved')).toMatchObject([{epoch: 2}, {epoch: 2}]);
  });

  it('says that the hub is out of reach before it says what is missing', async () => {
    const all = make(seat('C'));
    all.hub.publish(mine);
    all.hub.update('a', toHub);
    await all.run(9_000);
    const told = all.sent.filter(({type}) => type === 'hub-reach' || type === 'moved');
    expect(told.at(-1)).toMatchObject({type: 'moved', missing: [{}, {}, {}, {}]});
    expect(told.at(-2)).toMatchObject({type: 'hub-reach', ok: false});
  });

  it('of the third goes by the hub alone', async () => {
    const {hub, links, deliver, track, said, roster} = await crossing();
    links.clear();
    expect(track('C', 'microphone')).toMatch(/^place/);
    await deliver('B', 'microphone', 'camera');
    await deliver('C', 'microphone', 'camera');
    expect(said('moved')).toHaveLength(1);
    expect(hub.carrier(roster.get('B') as never, null)).toBeNull(); // data waits for the end of the switch
  });
});

describe('a switch back', () => {
  async function returning() {
    const all = await crossing();
    await all.deliver('B', 'microphone', 'camera');
    await all.deliver('C', 'microphone', 'camera');
    all.hub.update('a', onHub);
    all.links.clear();
    await all.run(2_000);
    all.roster.remove('C');
    all.hub.update('a', back);
    all.sent.length = 0;
    return all;
  }

  it('waits for the direct link, then for what it carries, and lets the hub go in the end', async () => {
    const {hub, straight, deliverDirect, track, said, run, pc} = await returning();
    expect(hub.direct).toBe(true);
    await run(200);
    expect(track('B', 'microphone')).toMatch(/^place/);
    straight('B');
    await deliverDirect('B', 'microphone');
    expect(track('B', 'microphone')).toBe('direct-B-microphone');
    expect(track('B', 'camera')).toMatch(/^place/);
    await deliverDirect('B', 'camera');
    expect(said('moved')).toMatchObject([{epoch: 4}]);
    hub.update('a', again);
    expect(pc().transceivers[0]?.sender.track?.id).toBe('my-sound');
    await run(2_000);
    expect(pc().transceivers[0]?.sender.track).toBeNull();
    expect(said('close-link')).toEqual([]);
    expect(track('B', 'camera')).toBe('direct-B-camera');
  });

  it('fails: the hub stays', async () => {
    const {hub, said, run, track} = await returning();
    await run(9_000);
    expect(said('moved')).toMatchObject([{epoch: 4, missing: [{source: 'microphone'}, {source: 'camera'}]}]);
    expect(said('hub-reach')).toEqual([]);
    hub.update('a', {...onHub, epoch: 5});
    await run(2_000);
    expect(track('B', 'microphone')).toMatch(/^place/);
    expect(hub.direct).toBe(false);
  });
});

describe('on the hub', () => {
  async function settled() {
    const all = make(seat('C'));
    all.state.answers = true;
    all.hub.publish(mine);
    all.hub.update('a', onHub);
    await all.run(50);
    await all.connect();
    await all.seats(['B', 'C']);
    await all.run(200);
    return all;
  }
  const told = (all: Awaited<ReturnType<typeof settled>>, type: string) =>
    all.heard.map((text) => JSON.parse(String(text))).filter((m) => m.type === type);

  it('names what may be sent, and asks for everybody until the app says what it shows', async () => {
    const all = await settled();
    expect(all.said('offer')[0]).toMatchObject({
      tracks: [{source: 'microphone'}, {source: 'camera'}],
      show: [
        {seat: 'B', source: 'camera', width: 640, height: 360},
        {seat: 'C', source: 'camera', width: 640, height: 360},
      ],
    });
    all.hub.show([
      {seat: 'C', source: 'camera', width: 1280, height: 720},
      {seat: 'X', source: 'camera', width: 9, height: 9},
    ]);
    await all.run(300);
    expect(told(all, 'show').at(-1).show).toMatchObject([{seat: 'C', width: 1280, height: 720}]);
    const count = told(all, 'show').length;
    all.hub.show([{seat: 'C', source: 'camera', width: 1300, height: 720}]); // not worth a word
    await all.run(300);
    expect(told(all, 'show')).toHaveLength(count);
  });

  it('makes places as more is shown', async () => {
    const all = await settled();
    for (const id of ['D', 'E', 'F', 'G']) all.roster.update(seat(id));
    await all.run(300);
    const offers = all.said('offer');
    expect(offers).toHaveLength(2);
    expect(offers[1]?.show).toHaveLength(6);
  });

  it('turns off what nobody needs, and on again', async () => {
    const all = await settled();
    await all.run(100);
    const camera = all.pc().transceivers[1];
    expect(camera?.encodings.map(({rid, active}) => [rid, active])).toEqual([
      ['l', true],
      ['m', true],
      ['h', true],
    ]);
    all.word({type: 'layers', layers: [{mid: '1', rids: ['l']}]});
    await all.run(100);
    expect(camera?.encodings.map(({active}) => active)).toEqual([true, false, false]);
    all.word({type: 'layers', layers: [{mid: '1', rids: ['l', 'm', 'h']}]});
    await all.run(100);
    expect(camera?.encodings.map(({active}) => active)).toEqual([true, true, true]);
  });

  it('tells who speaks, whose network is bad, and why a picture is held', async () => {
    const all = await settled();
    all.word({type: 'speakers', speakers: ['C', 'B']});
    expect(all.state.speakers).toEqual(['C', 'B']);
    const bob = all.roster.get('B');
    all.word({type: 'network', seats: [{seat: 'B', level: 0, why: 'upload'}]});
    expect(bob?.network).toEqual({level: 0, why: 'upload'});
    all.word({type: 'network', seats: [{seat: 'B', level: 2, why: 'upload'}]});
    expect(bob?.network).toBeNull();
    const mid = all.pc().transceivers.find((t) => t.receiver.track.kind === 'video' && t.direction === 'recvonly')?.mid;
    all.word({type: 'places', places: [{mid, seat: 'B', source: 'camera', paused: 'bandwidth'}]});
    bob?.connect(all.hub.way(bob), 'connecting');
    expect(bob?.held('camera')).toBe('bandwidth');
    expect(bob?.held('screen')).toBeNull();
    all.word({type: 'places', places: 'nonsense'});
    all.word([]);
    all.control(all.pc())?.onmessage?.({data: '{'});
  });

  it('makes another link when it is refused, later and later', async () => {
    const all = make(seat('C'));
    all.hub.update('a', onHub);
    const times: number[] = [];
    for (let i = 0; i < 4; i++) {
      await all.run(50);
      for (let waited = 0; all.open().length === 0 && waited < 30_000; waited += 50) await all.run(50);
      times.push(performance.now());
      expect(all.hub.refused(all.said('offer').at(-1)?.n as number)).toBe(true);
    }
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(gaps[2]).toBeGreaterThan(2 * (gaps[0] as number));
    expect(all.hub.refused(999)).toBe(false);
  });

  it('begins ICE anew when the hub is silent, then makes another link beside it', async () => {
    const all = await settled();
    const first = all.pc();
    await all.run(1_500);
    all.state.answers = false;
    await all.run(4_000);
    expect(first.restarts).toBeGreaterThan(0);
    expect(all.notes.map(({kind}) => kind)).toContain('stalled');
    await all.run(6_000);
    expect(all.open().length).toBe(2);
    await all.connect([], all.pc());
    expect(all.pc()).not.toBe(first);
    await all.run(2_000);
    expect(first.closed).toBe(true);
    expect(all.notes.map(({kind}) => kind)).toContain('recovered');
  });

  it('forgets everything with the session', async () => {
    const all = await settled();
    const first = all.pc();
    all.hub.update('a2', onHub);
    expect(first.closed).toBe(true);
    await all.run(50);
    expect(all.open()).toHaveLength(1);
    all.hub.update('', null);
    expect(all.open()).toHaveLength(0);
  });
});

describe('in an encrypted room', () => {
  /** What encrypts, as far as the hub's side asks. */
  function sealing() {
    const owners = new Map<unknown, string>();
    const readers = new Set<string>();
    const [covered, preferred] = [new Map<unknown, string>(), new Set<unknown>()];
    const fake = {
      config: {encodedInsertableStreams: true} as RTCConfiguration,
      prefer: (transceiver: unknown) => void preferred.add(transceiver),
      cover: (transceiver: unknown, session: string) => {
        expect((transceiver as RTCRtpTransceiver).mid).toBeNull(); // nothing may be described before it is sealed
        covered.set(transceiver, session);
      },
      ownerOf: (receiver: unknown) => owners.get(receiver) ?? '',
      reads: (session: string) => readers.has(session),
      channel: (channel: unknown, session: string, seat: string) => ({channel, session, seat}),
    };
    return {seal: fake as unknown as Seal, owners, readers, covered, preferred};
  }

  async function sealed() {
    const all = make(seat('C'));
    const sealer = sealing();
    all.state.seal = sealer.seal;
    all.state.answers = true;
    all.hub.publish(mine);
    all.hub.update('a', onHub);
    await all.run(50);
    await all.connect();
    await all.seats(['B', 'C']);
    return {...all, ...sealer};
  }

  it('makes no link before there is something to seal with', async () => {
    const {state, hub, run, open} = make();
    state.seal = undefined;
    hub.update('a', onHub);
    await run(3_000);
    expect(open()).toHaveLength(0);
    state.seal = sealing().seal;
    await run(100);
    expect(open()).toHaveLength(1);
  });

  it('seals every section as it is made, also those that come later', async () => {
    const {pc, covered, preferred, roster, run} = await sealed();
    expect(pc().configuration).toMatchObject({encodedInsertableStreams: true});
    const check = () => {
      for (const t of pc().transceivers) expect([covered.get(t), preferred.has(t)]).toEqual(['', true]);
      return pc().transceivers.length;
    };
    const before = check();
    for (const id of ['D', 'E', 'F', 'G']) roster.update(seat(id));
    await run(500);
    expect(check()).toBeGreaterThan(before);
  });

  it('shows on a place only whose key opened what came there', async () => {
    const {pc, owners, track, hub, word, roster} = await sealed();
    expect(track('B', 'camera')).toBeNull(); // nothing has come
    for (const t of pc().transceivers) owners.set(t.receiver, 'c');
    expect(track('B', 'camera')).toBeNull(); // the hub says one thing, the key another
    expect(track('C', 'camera')).toMatch(/^place/);
    for (const t of pc().transceivers) owners.set(t.receiver, 'b');
    expect(track('B', 'camera')).toMatch(/^place/);
    expect(track('C', 'camera')).toBeNull();
    // Somebody without a session has no key.
    const mid = pc()
      .transceivers.filter((t) => t.receiver.track.kind === 'video')
      .at(-1)?.mid;
    roster.update(seat('D', {session: ''}));
    word({type: 'places', places: [{mid, seat: 'D', source: 'camera'}]});
    owners.clear();
    expect(track('D', 'camera')).toBeNull();
    expect(hub.carries).toBe(true);
  });

  it('counts as arrived what was opened, and does not wait for strangers', async () => {
    const all = make(seat('C'));
    const {seal, owners} = sealing();
    all.state.seal = seal;
    all.state.answers = true;
    all.hub.publish(mine);
    all.hub.update('a', toHub);
    await all.run(50);
    await all.connect();
    await all.seats(['B', 'C']);
    all.sent.length = 0;
    all.roster.get('C')?.trust('stranger');
    await all.deliver('B', 'microphone', 'camera');
    expect(all.said('moved')).toEqual([]); // packets came that nobody could open
    for (const t of all.pc().transceivers) owners.set(t.receiver, 'b');
    await all.deliver('B', 'microphone', 'camera');
    expect(all.said('moved')).toMatchObject([{epoch: 2}]);
    expect(all.said('moved')[0]).not.toHaveProperty('missing');
  });

  it('carries data for who can open them, sealed, and no word but keys', async () => {
    const {hub, roster, readers, pc, spoken, word} = await sealed();
    const b = roster.get('B') as NonNullable<ReturnType<typeof roster.get>>;
    expect(hub.carrier(b, null)).toBeNull();
    readers.add('b');
    const carrier = hub.carrier(b, null);
    expect(carrier?.open('l', {protocol: 'p'})).toMatchObject({session: 'b', seat: 'B'});
    expect(carrier?.open('l', {protocol: 'p'}, true)).toMatchObject({session: '', seat: ''});
    expect(carrier?.tell('{"type":"quality"}')).toBe(false);
    const control = pc().channels[0] as (typeof FakePeerConnection.prototype.channels)[0];
    control.readyState = 'open';
    expect(carrier?.tell('{"type":"keys","box":"x"}')).toBe(true);
    word({type: 'told', from: 'B', message: {type: 'quality'}});
    word({type: 'told', from: 'B', message: {type: 'keys', box: 'x'}});
    expect(spoken).toEqual([['B', '{"type":"keys","box":"x"}']]);
  });
});
