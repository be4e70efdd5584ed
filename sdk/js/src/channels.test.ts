import {expect, test, vi} from 'vitest';
import {type Carrier, Channels} from './channels.js';

function carrier(connected = true): Carrier & {connected: boolean; told: string[]; opened: RTCDataChannelInit[]} {
  const told: string[] = [];
  const opened: RTCDataChannelInit[] = [];
  return {
    connected,
    told,
    opened,
    open: (_label, init) => {
      opened.push(init);
      return {close: () => {}} as RTCDataChannel;
    },
    tell: (text) => told.push(text) > 0,
  };
}

function channel(protocol: string) {
  const events = new EventTarget();
  const close = vi.fn(() => void events.dispatchEvent(new Event('close')));
  const addEventListener = events.addEventListener.bind(events);
  const fake = {protocol, close, addEventListener, readyState: 'open'};
  return fake as unknown as RTCDataChannel & {close: typeof close; readyState: string};
}

test('a seat is up from the first connection of a link to its end, and a new link is a new beginning', () => {
  const channels = new Channels();
  const log: string[] = [];
  channels.on('up', (seat) => log.push(`up ${seat}`));
  channels.on('down', (seat) => log.push(`down ${seat}`));
  const first = carrier(false);
  channels.connect('s1', first);
  expect(() => channels.open('s1', 'x', 'p')).toThrow('no connection');
  first.connected = true;
  channels.connect('s1', first);
  first.connected = false; // being repaired
  channels.connect('s1', first);
  channels.connect('s1', carrier());
  channels.connect('s1', null);
  channels.connect('s1', null);
  expect(log).toEqual(['up s1', 'down s1', 'up s1', 'down s1']);
});

test('a channel is opened with its protocol and delivery on the link of the moment', () => {
  const channels = new Channels();
  const link = carrier();
  channels.connect('s1', link);
  channels.open('s1', 'x', 'p', {ordered: false, maxRetransmits: 0});
  expect(link.opened).toEqual([{ordered: false, maxRetransmits: 0, protocol: 'p'}]);
});

test('only channels that somebody takes stay open, and not too many of them', () => {
  const channels = new Channels();
  const taken: string[] = [];
  const strange = channel('nobody');
  channels.arrived('s1', strange);
  expect(strange.close).toHaveBeenCalled();
  const release = channels.accept('p', (seat) => taken.push(seat));
  const many = Array.from({length: 70}, () => channel('p'));
  for (const c of many) channels.arrived('s1', c);
  expect(taken).toHaveLength(64);
  many[0]?.close();
  channels.arrived('s1', channel('p'));
  channels.arrived('s2', channel('p'));
  expect(taken.slice(64)).toEqual(['s1', 's2']);
  release();
  const late = channel('p');
  channels.arrived('s2', late);
  expect(late.close).toHaveBeenCalled();
});

test('channels that went with their transport, without a word, do not count', () => {
  const channels = new Channels();
  const taken: string[] = [];
  channels.accept('p', (seat) => taken.push(seat));
  for (let link = 0; link < 10; link++) {
    const many = Array.from({length: 30}, () => channel('p'));
    for (const c of many) channels.arrived('s1', c);
    for (const c of many) c.readyState = 'closed'; // the connection was closed on this side: no event
  }
  expect(taken).toHaveLength(300);
  const left = channel('p');
  channels.arrived('s1', left);
  channels.retain(new Set());
  for (let i = 0; i < 64; i++) channels.arrived('s1', channel('p'));
  expect(taken).toHaveLength(365);
});

test('control messages reach the listeners of their type, and nothing else does harm', () => {
  const channels = new Channels();
  const heard: unknown[] = [];
  channels.control.on('here', (seat, message) => heard.push([seat, message]));
  for (const bad of ['', 'null', '[]', '{"type":1}', '{"type":"other"}', `{"type":"here","x":"${'x'.repeat(20_000)}"}`])
    channels.heard('s1', bad);
  channels.heard('s1', new ArrayBuffer(4));
  channels.heard('', '{"type":"here"}');
  channels.heard('s1', '{"type":"here","a":1}');
  expect(heard).toEqual([['s1', {type: 'here', a: 1}]]);
  expect(channels.control.send('s1', {type: 'here'})).toBe(false);
  const link = carrier();
  channels.connect('s1', link);
  expect(channels.control.send('s1', {type: 'here'})).toBe(true);
  expect(link.told).toEqual(['{"type":"here"}']);
});
