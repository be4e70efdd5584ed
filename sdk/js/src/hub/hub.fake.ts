/** For tests only: the hub's side of a room, and the server's and the hub's end of it. */

import {afterEach, beforeEach, vi} from 'vitest';
import type {Link} from '../link.js';
import type {Note} from '../notes.js';
import {FakePeerConnection} from '../peerconnection.fake.js';
import {People} from '../people.js';
import type {Publication} from '../publication.js';
import type {Seal} from '../veil.js';
import type {Seat, Source, Topology} from '../wire.gen.js';
import {Hub} from './hub.js';

/** Makes time and connections those of a test. */
export function useFakes(): void {
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
}

type Sent = {type: string; link?: string; [field: string]: unknown};

const talking = {microphone: true, camera: true, screen: false, screenAudio: false};
export const seat = (id: string, change: Partial<Seat> = {}): Seat => ({
  id,
  name: id,
  role: 'speaker',
  state: 'present',
  session: id.toLowerCase(),
  order: id.charCodeAt(0),
  media: talking,
  ...change,
});
export const mine: Publication = new Map<Source, MediaStreamTrack>([
  ['microphone', {kind: 'audio', id: 'my-sound', contentHint: ''} as MediaStreamTrack],
  ['camera', {kind: 'video', id: 'my-picture', contentHint: ''} as MediaStreamTrack],
]);
export const direct: Topology = {kind: 'direct', epoch: 1, policy: 'auto'};
export const toHub: Topology = {kind: 'direct', next: 'hub', epoch: 2, policy: 'auto'};
export const onHub: Topology = {kind: 'hub', epoch: 3, policy: 'auto'};
export const back: Topology = {kind: 'hub', next: 'direct', epoch: 4, policy: 'auto'};
export const again: Topology = {kind: 'direct', epoch: 5, policy: 'auto'};

/** The hub's side of a room in which A is me and talks with B directly, and the server's end of it. */
export function make(...others: Seat[]) {
  const sent: Sent[] = [];
  const notes: Note[] = [];
  const spoken: unknown[][] = [];
  const arrived: [seat: string, channel: RTCDataChannel][] = [];
  const state = {
    online: true,
    lavish: true,
    answers: false,
    speakers: [] as readonly string[],
    suspected: false,
    take: (_: RTCDataChannel) => {}, // what is done with a channel that arrives
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
    suspect: (suspected) => {
      state.suspected = suspected;
    },
    lavish: () => state.lavish,
    joinedAt: () => 1,
    direct: (person) => links.get(person.id)?.link ?? null,
    arrived: (...came) => {
      arrived.push(came);
      state.take(came[1]);
    },
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
    arrived,
  };
}

/** A call of two that has a link with the hub in reserve. */
export async function waiting() {
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
export async function crossing() {
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

/** Publishes, makes the link with a hub that answers, and shows the two others. */
export async function enter(all: ReturnType<typeof make>, topology: Topology): Promise<void> {
  all.state.answers = true;
  all.hub.publish(mine);
  all.hub.update('a', topology);
  await all.run(50);
  await all.connect();
  await all.seats(['B', 'C']);
}

/** A room of three on the hub, which answers. */
export async function settled() {
  const all = make(seat('C'));
  await enter(all, onHub);
  await all.run(200);
  return all;
}

/** What the hub was told of a type, on the control channel. */
export const told = (all: Awaited<ReturnType<typeof settled>>, type: string) =>
  all.heard.map((text) => JSON.parse(String(text))).filter((m) => m.type === type);
