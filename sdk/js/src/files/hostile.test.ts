/** Peers that mean no good: whatever they send, the transfer ends with a reason and memory stays bounded. */

import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {MemoryDisk} from './disk.js';
import {type Bytes, chunkFrames, chunkSize} from './frame.js';
import {HashTree, sha256} from './hash.js';
import {type FileInfo, maxFiles, maxOffer, maxPauses, type Offer, readFromReceiver} from './message.js';
import {FakeWay, settle} from './pipe.fake.js';
import {highWater} from './pipe.js';
import {quickDigest, seeded} from './random.fake.js';
import {type Keep, Receiver} from './receiver.js';
import {type End, Sender} from './sender.js';
import {Shelf} from './shelf.js';

beforeAll(() => void vi.spyOn(crypto.subtle, 'digest').mockImplementation(quickDigest));
afterAll(() => void vi.restoreAllMocks());

const MiB = chunkSize;
const files: FileInfo[] = [
  {path: 'a', size: 2 * MiB + 10},
  {path: 'b', size: 40 * MiB},
];
const total = 42 * MiB + 10;
const offer = {type: 'offer', name: 'a', files, total, count: 2};

function receive(accept = true, keep?: Keep) {
  const way = new FakeWay();
  const seen: {end: End | null; offers: Offer[]} = {end: null, offers: []};
  const receiver = new Receiver(way.end, {
    offered: (one) => {
      seen.offers.push(one);
      if (accept) receiver.accept(keep ?? new Shelf(one.files, new MemoryDisk()), []);
    },
    changed: () => {},
    verified: () => {},
    ended: (end) => {
      seen.end = end;
    },
  });
  const say = (message: object) => receiver.text(JSON.stringify(message));
  return {receiver, seen, say, way};
}

function frame(kind: number, file: number, chunk: number, offset: number, length: number): ArrayBuffer {
  const bytes = new Uint8Array(16 + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, kind << 24);
  view.setUint32(4, file);
  view.setUint32(8, chunk);
  view.setUint32(12, offset);
  return bytes.buffer;
}

describe('a receiver ends it when', () => {
  it.each<[string, ArrayBuffer[]]>([
    ['a frame is of no file', [frame(1, 2, 0, 0, 10)]],
    ['a frame is of no chunk', [frame(1, 0, 3, 0, 10)]],
    ['a chunk begins in its middle', [frame(1, 0, 0, 5, 10)]],
    ['a chunk has a hole', [frame(1, 0, 0, 0, 10), frame(1, 0, 0, 20, 10)]],
    ['a chunk is repeated within itself', [frame(1, 0, 0, 0, 10), frame(1, 0, 0, 0, 10)]],
    ['a chunk begins before the other is whole', [frame(1, 0, 0, 0, 10), frame(1, 0, 1, 0, 10)]],
    ['a chunk is longer than the file', [frame(1, 0, 2, 0, 11)]],
    ['a hash comes before its chunk', [frame(2, 0, 0, 0, 32)]],
    ['a hash comes too early', [frame(1, 0, 0, 0, 10), frame(2, 0, 0, 0, 32)]],
    ['a hash is of another chunk', [frame(1, 0, 2, 0, 10), frame(2, 0, 1, 0, 32)]],
    ['a frame is empty', [new ArrayBuffer(0)]],
    ['a frame is of no kind', [frame(9, 0, 0, 0, 10)]],
    ['a frame is too long', [frame(1, 0, 0, 0, 70_000)]],
  ])('%s', (_, frames) => {
    const {receiver, seen, say} = receive();
    say(offer);
    for (const one of frames) receiver.binary(one);
    expect(seen.end).toEqual({how: 'cancelled', reason: 'fault', mine: true});
  });

  it('data comes before it said yes', () => {
    const {receiver, seen, say} = receive(false);
    say(offer);
    receiver.binary(frame(1, 0, 0, 0, 10));
    expect(seen.end).toMatchObject({reason: 'fault', mine: true});
  });

  it('more comes than it allowed, and it holds no more than that', () => {
    const room = (length: number): Bytes => new Uint8Array(length);
    const never: Keep = {room, put: () => new Promise(() => {}), root: () => new Promise(() => {})};
    const {receiver, seen, say} = receive(true, never);
    say(offer);
    let chunks = 0;
    while (!seen.end && chunks < 40) {
      for (let at = 0; at < MiB; at += 65_520) receiver.binary(frame(1, 1, chunks, at, Math.min(65_520, MiB - at)));
      receiver.binary(frame(2, 1, chunks, 0, 32));
      chunks++;
    }
    expect(seen.end).toMatchObject({reason: 'fault', mine: true});
    expect(receiver.received).toBeLessThanOrEqual(10 * MiB);
  });

  it('every hash is wrong: three times, then it is over', async () => {
    const {receiver, seen, say, way} = receive();
    say(offer);
    for (let i = 0; i < 5 && !seen.end; i++) {
      receiver.binary(frame(1, 0, 2, 0, 10));
      receiver.binary(frame(2, 0, 2, 0, 32));
      await settle();
    }
    expect(seen.end).toMatchObject({reason: 'corrupt', mine: true});
    expect(way.texts.filter((text) => text.includes('again'))).toHaveLength(2);
  });

  it('a stored chunk comes once more', async () => {
    const data: Bytes = new Uint8Array(10).fill(5);
    const {receiver, seen, say, way} = receive();
    say(offer);
    for (let i = 0; i < 2; i++) {
      for (const one of chunkFrames(0, 2, data, await sha256(data))) receiver.binary(one.slice().buffer);
      await settle();
    }
    expect(way.texts.some((text) => text.includes('"have","file":0,"chunk":2'))).toBe(true);
    expect(seen.end).toMatchObject({reason: 'fault', mine: true});
  });

  it('a file is called done twice, or one that is none', () => {
    for (const list of [[0, 0], [2]]) {
      const {seen, say} = receive();
      say(offer);
      for (const file of list) say({type: 'done', file, hash: 'a'.repeat(64)});
      expect(seen.end).toMatchObject({reason: 'fault', mine: true});
    }
  });

  it('the hash of a file is another one', async () => {
    const {seen, say} = receive();
    say({...offer, files: [{path: 'e', size: 0}], total: 0, count: 1});
    say({type: 'done', file: 0, hash: 'a'.repeat(64)});
    await settle();
    expect(seen.end).toMatchObject({reason: 'corrupt', mine: true});
  });
});

describe('an offer is refused when', () => {
  const many = (count: number): FileInfo[] => Array.from({length: count}, (_, i) => ({path: `f${i}`, size: 0}));
  it.each<[string, object[]]>([
    ['a path escapes', [{...offer, files: [{path: '../../.ssh/key', size: total}], count: 1}]],
    ['a path is absolute', [{...offer, files: [{path: '/etc/passwd', size: total}], count: 1}]],
    ['a path names a drive', [{...offer, files: [{path: 'C:x', size: total}], count: 1}]],
    ['a path names a device', [{...offer, files: [{path: 'aux.txt', size: total}], count: 1}]],
    ['the sum is a lie', [{...offer, total: 5}]],
    ['it announces a million files', [{...offer, count: 1e6}]],
    ['more come than announced', [{...offer, count: 1}]],
    ['it never ends', [{...offer, count: maxFiles}, ...Array.from({length: 9}, () => ({type: 'more', files: []}))]],
    ['it goes on for ever', Array.from({length: 30}, (_, i) => ({...(i ? {type: 'more'} : offer), files: many(999)}))],
    ['there is nothing in it', [{...offer, files: [], count: 0, total: 0}]],
    ['a path is there twice', [{...offer, files: [files[0], files[0]], total: 4 * MiB + 20}]],
    ['a file is a folder too', [{...offer, files: [files[0], {path: 'a/b', size: 0}], total: 2 * MiB + 10}]],
    ['a path has a NUL', [{...offer, files: [{path: 'a\0b', size: total}], count: 1}]],
    [
      'a chunk would have no number',
      [{...offer, files: [{path: 'a', size: 2 ** 53 - 1}], count: 1, total: 2 ** 53 - 1}],
    ],
    ['a size does not fit', [{...offer, files: [{path: 'a', size: 2 ** 53}], count: 1, total: 2 ** 53}]],
    ['a size is below nothing', [{...offer, files: [{path: 'a', size: -1}], count: 1, total: -1}]],
    ['a size is half a byte', [{...offer, files: [{path: 'a', size: 0.5}], count: 1, total: 0.5}]],
    ['its name is too long', [{...offer, name: 'x'.repeat(256)}]],
    ['its name would move the cursor', [{...offer, name: 'a\u001b[2J'}]],
  ])('%s', (_, messages) => {
    const {seen, say} = receive();
    for (const message of messages) say(message);
    expect(seen.offers).toEqual([]);
    expect(seen.end).toEqual({how: 'refused', reason: 'bad-offer', mine: true});
  });

  it('its description does not end, whatever it promised', () => {
    const {receiver, seen, say} = receive();
    const long = (part: number): FileInfo[] =>
      Array.from({length: 60}, (_, i) => ({path: `${'x'.repeat(250)}/${'y'.repeat(250)}/${part}-${i}`, size: 0}));
    let bytes = 0;
    for (let part = 0; !seen.end && part < 1_000; part++) {
      const message = {...(part ? {type: 'more'} : {...offer, count: maxFiles}), files: long(part)};
      bytes += JSON.stringify(message).length;
      say(message);
    }
    expect(seen.end).toMatchObject({how: 'refused', reason: 'bad-offer'});
    expect(bytes).toBeLessThan(maxOffer + 70_000);
    expect(receiver.offered).toBe(true);
  });

  it('it is no offer at all', () => {
    for (const text of ['', '{}', 'null', '[]', '{"type":"more","files":[]}', 'x'.repeat(70_000), '{"type":"done"}']) {
      const {receiver, seen} = receive();
      receiver.text(text);
      expect(seen.end, text.slice(0, 40)).toMatchObject({how: 'refused', reason: 'bad-offer'});
    }
  });

  it('scripts in names stay names', () => {
    const {seen, say} = receive();
    say({
      ...offer,
      name: '<script>alert(1)</script>',
      files: [{path: '<img src=x onerror=alert(1)>', size: 1}],
      total: 1,
      count: 1,
    });
    expect(seen.offers[0]?.files[0]?.path).toBe('<img src=x onerror=alert(1)>');
  });
});

function send() {
  const way = new FakeWay();
  let end: End | null = null;
  let reads = 0;
  const read = async (file: number, chunk: number) => {
    reads++;
    const data: Bytes = new Uint8Array(chunk === 2 ? 10 : MiB).fill(file);
    const hash = await sha256(data);
    return {data, hash};
  };
  const source = {read, hash: async (file: number, chunk: number) => (await read(file, chunk)).hash};
  const one = {name: 'a', files, total, again: false};
  const sender = new Sender(one, new HashTree(files), source, way.end, {
    changed: () => {},
    ended: (e) => {
      end = e;
    },
  });
  sender.admit(true);
  const say = (message: object) => sender.text(JSON.stringify(message));
  return {sender, say, way, end: () => end as End | null, reads: () => reads};
}

describe('who pauses and goes on for ever is ended', () => {
  it.each(['pause', 'resume'])('by a receiver and by a sender: %s', (type) => {
    const {seen, say} = receive();
    say(offer);
    const sender = send();
    for (let i = 0; i <= maxPauses; i++) {
      expect([seen.end, sender.end()]).toEqual([null, null]);
      say({type});
      sender.say({type});
    }
    expect(seen.end).toMatchObject({reason: 'fault', mine: true});
    expect(sender.end()).toMatchObject({reason: 'fault', mine: true});
  });
});

describe('what somebody says that they hold', () => {
  it('is another file: nothing is sent', async () => {
    const {say, end, sender} = send();
    say({type: 'held', have: [{file: 0, ranges: [[0, 3]], digest: 'a'.repeat(64)}]});
    say({type: 'accept', have: []});
    for (let i = 0; i < 20; i++) await settle();
    expect(end()).toMatchObject({how: 'cancelled', reason: 'changed', mine: true});
    expect(sender.sent).toBe(0);
  });

  it('comes after the accept', () => {
    const {say, end} = send();
    say({type: 'accept', have: []});
    say({type: 'held', have: []});
    expect(end()).toMatchObject({reason: 'fault', mine: true});
  });
});

describe('a peer that stops reading', () => {
  it('gets no more than fits the buffer, and nothing is read for it', async () => {
    const {say, way, reads, sender} = send();
    Object.assign(way.end, {buffered: highWater + 1, drained: () => new Promise(() => {})});
    say({type: 'accept', have: []});
    for (let i = 0; i < 80; i++) await settle();
    expect([way.frames, sender.sent]).toEqual([0, 0]);
    expect(reads()).toBeLessThanOrEqual(4);
  });
});

describe('a sender ends it when', () => {
  const accept = {type: 'accept', have: []};
  it.each<[string, object[]]>([
    ['it is accepted twice', [accept, accept]],
    ['it is refused after it was accepted', [accept, {type: 'refuse', reason: 'declined'}]],
    ['a chunk is confirmed that was not sent', [accept, {type: 'have', file: 1, chunk: 39}]],
    ['a chunk is asked for again that was not sent', [accept, {type: 'again', file: 1, chunk: 39}]],
    ['a file is verified that was not told', [accept, {type: 'verified', file: 0, hash: 'a'.repeat(64)}]],
    [
      'a file is held twice',
      [
        {type: 'held', have: [{file: 0, ranges: [[0, 1]], digest: 'a'.repeat(64)}]},
        {...accept, have: [{file: 0, ranges: [[1, 2]], digest: 'a'.repeat(64)}]},
      ],
    ],
  ])('%s', (_, messages) => {
    const {say, end} = send();
    for (const message of messages) say(message);
    expect(end()).toMatchObject({how: 'cancelled', reason: 'fault', mine: true});
  });

  it('the same chunk is wanted for ever', async () => {
    const {say, end, way, reads} = send();
    say(accept);
    for (let i = 0; i < 30; i++) await settle();
    for (let i = 0; i < 20 && !end(); i++) {
      say({type: 'again', file: 0, chunk: 0});
      for (let j = 0; j < 6; j++) await settle();
    }
    expect(end()).toMatchObject({reason: 'fault', mine: true});
    expect(reads()).toBeLessThan(20);
    way.pump();
  });

  it('frames come the wrong way', () => {
    const {sender, end} = send();
    sender.binary();
    expect(end()).toMatchObject({reason: 'fault', mine: true});
  });

  it('nobody confirms anything: it reads no more than it may send', async () => {
    const {say, reads, sender} = send();
    say(accept);
    for (let i = 0; i < 80; i++) await settle();
    expect(sender.sent).toBeLessThanOrEqual(8 * MiB);
    expect(reads()).toBeLessThanOrEqual(13);
  });
});

describe('noise', () => {
  it.each(Array.from({length: 60}, (_, seed) => [seed]))('harms nobody (seed %i)', async (seed) => {
    const random = seeded(seed);
    const words = [
      'offer',
      'more',
      'done',
      'pause',
      'resume',
      'cancel',
      'held',
      'accept',
      'have',
      'again',
      'verified',
      'x',
      7,
    ];
    const value = (): unknown =>
      [random(4), -1, 2 ** 53, 'a'.repeat(64), null, [[0, 1]], {}, files, true, 0, random(50)][random(11)];
    const message = (): string => {
      const fields = ['file', 'chunk', 'hash', 'have', 'reason', 'files', 'total', 'count', 'name', 'ranges', 'more'];
      const made: Record<string, unknown> = {type: words[random(words.length)]};
      for (let i = random(5); i > 0; i--) made[fields[random(fields.length)] ?? ''] = value();
      const text = JSON.stringify(made);
      return random(9) === 0 ? text.slice(0, random(text.length)) : text;
    };
    const {receiver, say} = receive(random(2) === 0);
    const {sender} = send();
    if (random(3) > 0) say(offer);
    for (let i = 0; i < 60; i++) {
      receiver.text(message());
      sender.text(message());
      receiver.binary(frame(random(4), random(3), random(4), random(3) * 10, random(3) === 0 ? random(70_000) : 10));
      if (random(9) === 0) await settle();
    }
    expect(receiver.received).toBeLessThanOrEqual(10 * MiB);
    expect(readFromReceiver(message(), files)).toBeDefined();
  });
});
