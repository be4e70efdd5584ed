import {beforeEach, expect, test} from 'vitest';
import {Channels} from './channels.js';
import {DataHub} from './data.js';

/** Two ends of one data channel; what is sent arrives at once. */
class End {
  readyState = 'connecting';
  bufferedAmount = 0;
  binaryType = '';
  peer: End | null = null;
  maxRetransmits: number | null;
  maxPacketLifeTime: number | null = null;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: {data: unknown}) => void) | null = null;
  readonly closing: (() => void)[] = [];

  constructor(
    readonly label: string,
    init: RTCDataChannelInit,
    readonly protocol = init.protocol ?? '',
  ) {
    this.maxRetransmits = init.maxRetransmits ?? null;
  }
  addEventListener(_: string, f: () => void): void {
    this.closing.push(f);
  }
  connect(): void {
    for (const end of [this, this.peer]) if (end) end.readyState = 'open';
    this.onopen?.();
  }
  send(data: unknown): void {
    this.peer?.onmessage?.({data});
  }
  close(): void {
    for (const end of [this, this.peer]) {
      if (!end || end.readyState === 'closed') continue;
      end.readyState = 'closed';
      end.onclose?.();
      for (const f of end.closing) f();
    }
  }
}

/** Ann (s1) and Bob (s2) and the channels between them, in the order in which they were opened. */
let ann: {channels: Channels; hub: DataHub};
let bob: {channels: Channels; hub: DataHub};
let opened: End[];

function side() {
  const channels = new Channels();
  return {channels, hub: new DataHub(channels)};
}

function link(from: typeof ann, seat: string, to: typeof ann, me: string): void {
  from.channels.connect(seat, {
    connected: true,
    tell: () => false,
    open: (label, init) => {
      const near = new End(label, init);
      near.peer = new End(label, init);
      near.peer.peer = near;
      opened.push(near);
      to.channels.arrived(me, near.peer as unknown as RTCDataChannel);
      return near as unknown as RTCDataChannel;
    },
  });
}

beforeEach(async () => {
  opened = [];
  ann = side();
  bob = side();
  await Promise.all([ann.hub.ready, bob.hub.ready]);
  link(ann, 's2', bob, 's1');
  link(bob, 's1', ann, 's2');
});

function listen(data: {on(e: 'message', f: (m: {from: string; data: unknown}) => void): unknown}): unknown[] {
  const heard: unknown[] = [];
  data.on('message', ({from, data: d}) => heard.push([from, d]));
  return heard;
}

test('what is sent before the channel is open arrives when it is, in order', () => {
  const a = ann.hub.open('game', {});
  const heard = listen(bob.hub.open('game', {}));
  expect(a.send('one')).toBe(true);
  expect(a.send('two', 's2')).toBe(true);
  expect(a.send('nobody', 's9')).toBe(false);
  expect(heard).toEqual([]);
  opened[0]?.connect();
  expect(a.send('three')).toBe(true);
  expect(heard).toEqual([
    ['s1', 'one'],
    ['s1', 'two'],
    ['s1', 'three'],
  ]);
  expect([...a.open]).toEqual(['s2']);
});

test('what may be lost is not kept for later', () => {
  const a = ann.hub.open('game', {ordered: false, maxRetransmits: 0});
  expect(a.send('old')).toBe(false);
  opened[0]?.connect();
  const channel = opened[0] as End;
  channel.bufferedAmount = 100_000;
  expect(a.send('late')).toBe(false);
  channel.bufferedAmount = 0;
  expect(a.send(new Uint8Array([1, 2, 3]).subarray(1))).toBe(true);
});

test('messages wait, within limits, for an app that asks for the label later', async () => {
  ann.hub.open('sure', {});
  ann.hub.open('quick', {maxRetransmits: 0});
  for (const end of opened) end.connect();
  for (let i = 0; i < 300; i++) opened[1]?.send(`q${i}`);
  const quick = listen(bob.hub.open('quick', {maxRetransmits: 0}));
  await null;
  expect(quick).toHaveLength(256);
  expect(quick.at(-1)).toEqual(['s1', 'q299']);
  for (let i = 0; i < 300; i++) opened[0]?.send(`s${i}`);
  expect(opened[0]?.readyState).toBe('closed'); // nothing may be lost, so it ended
});

test('a new transport means a new channel; leaving closes', () => {
  const a = ann.hub.open('game', {});
  const log: string[] = [];
  a.on('open', (seat) => log.push(`open ${seat}`));
  a.on('close', (seat) => log.push(`close ${seat}`));
  opened[0]?.connect();
  ann.channels.connect('s2', null);
  link(ann, 's2', bob, 's1');
  opened[1]?.connect();
  expect(a.send('again')).toBe(true);
  a.close();
  expect(a.send('never')).toBe(false);
  expect(opened[1]?.readyState).toBe('closed');
  expect(log).toEqual(['open s2', 'close s2', 'open s2', 'close s2']);
  expect(ann.hub.open('game', {})).not.toBe(a);
});

test('a message too long is the caller’s mistake', () => {
  const a = ann.hub.open('game', {});
  expect(() => a.send('é'.repeat(32_769))).toThrow(RangeError);
  expect(() => a.send(new ArrayBuffer(65_537))).toThrow(RangeError);
  expect(a.send('é'.repeat(32_768))).toBe(true);
});

test('what waits of a transport that is gone is not kept for ever', async () => {
  const reach = ann.hub.open('never asked for', {});
  for (let i = 0; i < 200; i++) {
    const end = opened.at(-1) as End;
    end.connect();
    reach.send('x'.repeat(60_000), 's2');
    (end.peer as End).readyState = 'closed'; // closed with its transport, which tells nobody
    bob.channels.connect('s1', null);
    ann.channels.connect('s2', null);
    link(bob, 's1', ann, 's2');
    link(ann, 's2', bob, 's1');
  }
  opened.at(-1)?.connect();
  reach.send('the last');
  const heard = listen(bob.hub.open('never asked for', {}));
  await null;
  expect(heard).toEqual([['s1', 'the last']]);
});

test('A label that is opened before there can be a link is carried by the first one', async () => {
  const {channels, hub} = side();
  const early = hub.open('game', {});
  expect([early.send('nobody'), early.open.size, early.buffered()]).toEqual([false, 0, 0]);
  await hub.ready;
  const heard = listen(early);
  link({channels, hub}, 's2', bob, 's3');
  expect(hub.open('game', {})).toBe(early);
  opened.find((end) => end.label === 'game')?.connect();
  expect([...early.open]).toEqual(['s2']);
  link(bob, 's3', {channels, hub}, 's2');
  const back = bob.hub.open('game', {});
  for (const end of opened) if (end.readyState === 'connecting') end.connect();
  back.send('hello', 's3');
  expect(heard).toEqual([['s2', 'hello']]);
  early.close();
  const again = hub.open('game', {});
  expect(again).not.toBe(early);
  early.close();
  expect(hub.open('game', {})).toBe(again);
});
