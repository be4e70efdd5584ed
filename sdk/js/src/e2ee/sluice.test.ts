import {expect, test, vi} from 'vitest';
import {random} from './bytes.js';
import {anybody, Frames} from './frames.js';
import {Sluice} from './sluice.js';
import type {News} from './work.js';

const keyFrame = Uint8Array.from([0x10, 2, 0, 0x9d, 0x01, 0x2a, 0x40, 1, 0xf0, 0, 7, 7, 7, 7]);
const delta = Uint8Array.from([0x11, 2, 0, 5, 6, 7, 8]);

/** How many frames it is through with, by its own account. */
function handled(sluice: Sluice, news: News[]): number {
  sluice.obey({do: 'tell'});
  const last = news.pop();
  if (last?.news !== 'tally') throw new Error('no tally');
  const {sealed, opened, faults} = last.tally;
  return Object.values(faults).reduce((sum, n) => sum + n, sealed + opened);
}

interface Frame {
  data: ArrayBuffer;
  type?: 'key' | 'delta';
  getMetadata?: () => {mimeType?: string};
}

/** A place of the hub that shows different people: frames are put in at one end and come out at the other. */
function place() {
  const frames = new Frames();
  const news: News[] = [];
  let now = 0;
  let asked = 0;
  const sluice = new Sluice(
    frames,
    (one) => news.push(one),
    () => now,
  );
  const [into, out] = [new TransformStream<Frame, Frame>(), new TransformStream<Frame, Frame>()];
  sluice.pipe({side: 'receive', kind: 'video', owner: anybody, id: 7}, into.readable, out.writable, async () => {
    asked++;
  });
  const shown: string[] = [];
  void out.readable.pipeTo(
    new WritableStream({write: ({data}) => void shown.push(new Uint8Array(data).length === 14 ? 'key' : 'delta')}),
  );
  const writer = into.writable.getWriter();
  let count = 0;
  const show = async (data: Uint8Array | null, type: 'key' | 'delta') => {
    now += 1_000;
    count++;
    void writer.write({data: (data as Uint8Array).slice().buffer as ArrayBuffer, type});
    await vi.waitFor(() => expect(handled(sluice, news)).toBe(count));
  };
  /** Somebody whose frames can be opened here. */
  const person = (owner: string, kid: number) => {
    const sender = new Frames();
    const base = random(16);
    sender.use(kid, base);
    frames.add(owner, kid, base);
    return sender;
  };
  return {show, person, shown, asked: () => asked, owners: () => news.map((one) => 'owner' in one && one.owner)};
}

test('a place tells whose frames it opens, each time it is somebody else', async () => {
  const {show, person, shown, owners, asked} = place();
  const [ann, bob] = [person('ann', 16), person('bob', 32)];
  for (const sender of [ann, ann, bob, ann]) await show(await sender.seal('video', keyFrame), 'key');
  await vi.waitFor(() => expect(shown).toEqual(['key', 'key', 'key', 'key']));
  expect([owners(), asked()]).toEqual([['ann', 'bob', 'ann'], 0]);
});

test('a key frame that is shown again does not count, and a new one is asked for', async () => {
  const {show, person, shown, asked} = place();
  const ann = person('ann', 16);
  const key = await ann.seal('video', keyFrame);
  await show(key, 'key');
  await show(await ann.seal('video', delta), 'delta');
  expect(asked()).toBe(0);
  await show(key, 'key');
  await show(await ann.seal('video', delta), 'delta');
  await vi.waitFor(() => expect(shown).toEqual(['key', 'delta', 'delta']));
  expect(asked()).toBe(1);
  await show(await ann.seal('video', keyFrame), 'key');
  await show(await ann.seal('video', delta), 'delta');
  expect(asked()).toBe(1);
});

test('what nobody here has a key for is not shown', async () => {
  const {show, person, shown, owners} = place();
  const eve = new Frames();
  eve.use(48, random(16));
  await show(await eve.seal('video', keyFrame), 'key');
  await show(await eve.seal('video', delta), 'delta');
  await show(keyFrame, 'key');
  await show(await person('ann', 16).seal('video', delta), 'delta'); // behind them
  await vi.waitFor(() => expect(shown).toEqual(['delta']));
  expect(owners()).toEqual(['ann']);
});

test('only what is sealed leaves, and nothing of another codec', async () => {
  const frames = new Frames();
  const news: News[] = [];
  const sluice = new Sluice(frames, (one) => news.push(one));
  const [into, out] = [new TransformStream<Frame, Frame>(), new TransformStream<Frame, Frame>()];
  sluice.pipe({side: 'send', kind: 'video', owner: anybody, id: 1}, into.readable, out.writable);
  const left: Uint8Array[] = [];
  void out.readable.pipeTo(new WritableStream({write: ({data}) => void left.push(new Uint8Array(data))}));
  const writer = into.writable.getWriter();
  let count = 0;
  const send = async (mimeType?: string) => {
    count++;
    void writer.write({data: keyFrame.slice().buffer as ArrayBuffer, getMetadata: () => (mimeType ? {mimeType} : {})});
    await vi.waitFor(() => expect(handled(sluice, news)).toBe(count));
  };
  await send('video/VP8'); // no key yet
  expect(left).toHaveLength(0);
  frames.use(1, random(16));
  await send('video/VP8');
  await send('video/H264');
  await send();
  await vi.waitFor(() => expect(left).toHaveLength(2));
  for (const data of left) {
    expect(data.subarray(0, 10)).toEqual(keyFrame.subarray(0, 10)); // the forwarder reads these
    expect(data.length).toBeGreaterThan(keyFrame.length + 16);
    expect(data.join()).not.toContain('7,7,7,7');
  }
});
