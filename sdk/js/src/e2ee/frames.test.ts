import {describe, expect, test, vi} from 'vitest';
import {random} from './bytes.js';
import {anybody, clearBytes, dataKid, Frames, overlapMs, patienceMs} from './frames.js';
import {restMs, switchMs} from './keyring.js';
import {Seen} from './seen.js';
import {readHeader} from './sframe.js';

const keyFrame = Uint8Array.from([0x10, 2, 0, 0x9d, 0x01, 0x2a, 0x40, 1, 0xf0, 0, 7, 7, 7, 7]);
const delta = Uint8Array.from([0x11, 2, 0, 5, 6, 7, 8]);
const sound = Uint8Array.from([0x78, 1, 2, 3]);

/** A sender and a receiver that has its key. */
function pair(owner = 'ann') {
  const [sender, receiver] = [new Frames(), new Frames()];
  const base = random(16);
  sender.use(17, base);
  receiver.add('ann', 17, base);
  const pass = async (kind: 'audio' | 'video', frame: Uint8Array) => {
    const sealed = await sender.seal(kind, frame);
    return {
      sealed: sealed as NonNullable<typeof sealed>,
      opened: await receiver.open(owner, kind, sealed as Uint8Array),
    };
  };
  return {sender, receiver, pass};
}

describe('what stays legible', () => {
  for (const [name, kind, frame, clear] of [
    ['a key frame', 'video', keyFrame, 10],
    ['another frame', 'video', delta, 3],
    ['a key frame that ends with its head', 'video', keyFrame.subarray(0, 10), 10],
    ['sound', 'audio', sound, 0],
    ['silence', 'audio', sound.subarray(0, 0), 0],
  ] as const) {
    test(name, async () => {
      expect(clearBytes(kind, frame)).toBe(clear);
      const {sealed, opened} = await pair().pass(kind, frame);
      expect(sealed.subarray(0, clear)).toEqual(frame.subarray(0, clear));
      expect(opened).toEqual({frame: frame.slice(), owner: 'ann'});
      const rest = frame.subarray(clear);
      if (rest.length > 3) expect(sealed.join().includes(rest.join())).toBe(false);
    });
  }
});

describe('what is not let through', () => {
  test('without a key of mine nothing leaves', async () => {
    const frames = new Frames();
    expect(await frames.seal('audio', sound)).toBeNull();
    frames.use(1, random(16));
    expect(await frames.seal('video', keyFrame.subarray(0, 9))).toBeNull(); // no frame of VP8
    frames.stop();
    expect(await frames.seal('audio', sound)).toBeNull();
  });

  test('a frame in the clear', async () => {
    const {receiver} = pair();
    for (const frame of [keyFrame, delta, sound, new Uint8Array(0)]) {
      expect(await receiver.open('ann', 'video', frame)).toHaveProperty('fault');
      expect(await receiver.open('ann', 'audio', frame)).toHaveProperty('fault');
    }
  });

  test('a frame under another key of the same number', async () => {
    const {receiver} = pair();
    const other = new Frames();
    other.use(17, random(16));
    const sealed = (await other.seal('video', keyFrame)) as Uint8Array;
    expect(await receiver.open('ann', 'video', sealed)).toEqual({fault: 'forged'});
  });

  test('a frame a second time, however often it is tried at once', async () => {
    const {sender, receiver} = pair();
    const sealed = (await sender.seal('audio', sound)) as Uint8Array;
    const all = await Promise.all([1, 2, 3].map(() => receiver.open('ann', 'audio', sealed)));
    expect(all.filter((r) => 'frame' in r)).toHaveLength(1);
    expect(await receiver.open('ann', 'audio', sealed)).toEqual({fault: 'replayed'});
  });

  test('a frame of somebody else in the name of this one', async () => {
    const {receiver, sender} = pair();
    const sealed = (await sender.seal('audio', sound)) as Uint8Array;
    vi.useFakeTimers();
    const result = receiver.open('bob', 'audio', sealed);
    await vi.advanceTimersByTimeAsync(patienceMs);
    vi.useRealTimers();
    expect(await result).toEqual({fault: 'no-key'});
    expect(await receiver.open(anybody, 'audio', sealed)).toEqual({frame: sound, owner: 'ann'});
  });
});

test('a frame may be shown in two sections, and in each of them once', async () => {
  const {sender, receiver} = pair();
  const sealed = (await sender.seal('video', keyFrame)) as Uint8Array;
  const opens = async (section: number) => 'frame' in (await receiver.open(anybody, 'video', sealed, section));
  expect([await opens(1), await opens(2), await opens(1), await opens(2)]).toEqual([true, true, false, false]);
});

test('data are sealed with other keys of the same base', async () => {
  const [media, data, receiver] = [new Frames(), new Frames(), new Frames()];
  const base = random(16);
  media.use(17, base);
  data.use(dataKid(17), base);
  receiver.add('ann', 17, base);
  receiver.add('ann', dataKid(17), base);
  const [one, other] = [await media.seal('audio', sound), await data.seal('data', sound)] as [Uint8Array, Uint8Array];
  const body = (sealed: Uint8Array) => sealed.subarray(readHeader(sealed)?.length).join();
  expect(body(one)).not.toBe(body(other)); // of the same number and the same bytes
  expect(await receiver.open('ann', 'audio', one)).toHaveProperty('frame');
  expect(await receiver.open('ann', 'data', other)).toHaveProperty('frame');
});

test('no number is used twice, whichever section asks', async () => {
  const {sender} = pair();
  const sealed = await Promise.all(Array.from({length: 300}, (_, i) => sender.seal(i % 2 ? 'audio' : 'video', delta)));
  const numbers = sealed.map((data, i) => readHeader(data as Uint8Array, i % 2 ? 0 : 3)?.ctr);
  expect(new Set(numbers).size).toBe(300);
});

describe('keys that come and go', () => {
  test('a frame waits for its key for a moment, and then no other does', async () => {
    vi.useFakeTimers();
    const [sender, receiver] = [new Frames(), new Frames(() => Date.now())];
    const base = random(16);
    sender.use(33, base);
    const [first, second] = (await Promise.all([1, 2].map(() => sender.seal('audio', sound)))) as Uint8Array[];
    const early = receiver.open('ann', 'audio', first as Uint8Array);
    await vi.advanceTimersByTimeAsync(patienceMs - 1);
    receiver.add('ann', 33, base);
    expect(await early).toMatchObject({frame: sound});
    const stranger = receiver.open('bob', 'audio', second as Uint8Array);
    await vi.advanceTimersByTimeAsync(patienceMs);
    expect(await stranger).toEqual({fault: 'no-key'});
    expect(await receiver.open('bob', 'audio', second as Uint8Array)).toEqual({fault: 'no-key'}); // at once
    vi.useRealTimers();
  });

  test('the key in use opens what comes, however many wait to replace it', async () => {
    const {receiver, pass} = pair();
    for (let i = 1; i <= switchMs / restMs + 1; i++) receiver.add('ann', 17 + i, random(16));
    expect((await pass('audio', sound)).opened).toHaveProperty('frame');
  });

  test('the older key opens what was under way, until it is too old; few are kept', async () => {
    let now = 0;
    const receiver = new Frames(() => now);
    const sealers = await Promise.all(
      [16, 17, 18, 19, 20, 21, 22, 23, 24].map(async (kid) => {
        const sender = new Frames();
        const base = random(16);
        sender.use(kid, base);
        receiver.add('ann', kid, base);
        return sender;
      }),
    );
    const opens = async (n: number) => {
      const frame = (await (sealers[n] as Frames).seal('audio', sound)) as Uint8Array;
      vi.useFakeTimers();
      const result = receiver.open('ann', 'audio', frame);
      await vi.advanceTimersByTimeAsync(patienceMs);
      vi.useRealTimers();
      return 'frame' in (await result);
    };
    expect(await Promise.all([opens(0), opens(1), opens(8)])).toEqual([false, true, true]);
    now = overlapMs + 1;
    receiver.expire();
    expect(await opens(7)).toBe(false);
    expect(await opens(8)).toBe(true);
    receiver.forget('ann');
    expect(await opens(8)).toBe(false);
  });
});

test('numbers count once, in any order, and far behind not at all', () => {
  const seen = new Seen(64);
  const take = (n: number) => {
    const fresh = seen.fresh(n);
    if (fresh) seen.add(n);
    return fresh;
  };
  expect([5, 3, 5, 3, 4, 70, 6, 7, 7, 5, 200, 70, 137, 136, 199].map(take)).toEqual([
    true,
    true,
    false,
    false,
    true,
    true,
    false,
    true,
    false,
    false,
    true,
    false,
    true,
    false,
    true,
  ]);
});
