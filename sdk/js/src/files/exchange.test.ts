import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import type {Transfer} from './api.js';
import {FakeChannel, pair} from './exchange.fake.js';
import {match} from './files.js';
import type {Incoming} from './incoming.js';
import {settle} from './pipe.fake.js';
import {noise} from './random.fake.js';

const file = (name: string, size = 10): File => new File([noise(size, size)], name, {lastModified: 1});
const state = (list: readonly Transfer[]): string => list.map((one) => one.state).join();

/** Lets things happen until something is true. */
async function until(ask: () => boolean): Promise<void> {
  for (let i = 0; i < 3_000 && !ask(); i++) await settle();
  expect(ask()).toBe(true);
}

let two: ReturnType<typeof pair>;
beforeEach(() => {
  two = pair();
});
afterEach(() => {
  vi.restoreAllMocks();
  two.ann.close();
  two.bob.close();
  vi.useRealTimers();
});

describe('two people', () => {
  it('offer, accept, verify', async () => {
    const {ann, bob, connect, to} = two;
    const offers: string[] = [];
    bob.on('offer', ({name}) => offers.push(name));
    connect();
    const [out] = ann.offer([{file: file('a.txt', 3_000_000)}], to);
    await until(() => bob.list.length === 1);
    expect([out?.state, bob.list[0]?.state]).toEqual(['offered', 'offered']);
    await bob.accept(bob.list[0]?.id ?? '');
    await until(() => out?.state === 'done' && bob.list[0]?.state === 'done');
    expect(offers).toEqual(['a.txt']);
    const id = bob.list[0]?.id ?? '';
    await until(() => bob.content(id, 0) !== null && ann.list[0]?.files[0]?.hash !== null);
    const got = new Uint8Array(await (bob.content(id, 0) as Blob).arrayBuffer());
    const sent = noise(3_000_000, 3_000_000);
    expect(got.length).toBe(sent.length);
    expect(got.every((byte, i) => byte === sent[i])).toBe(true);
    expect(ann.list[0]?.files[0]?.hash).toBe(bob.list[0]?.files[0]?.hash);
    ann.remove(id);
    bob.remove(id);
    expect([ann.list, bob.list]).toEqual([[], []]);
  });

  it('hear how far it is twice a second', async () => {
    for (const one of [two.ann, two.bob]) one.close();
    vi.useFakeTimers({toFake: ['setInterval', 'clearInterval', 'performance']});
    two = pair();
    const {ann, bob, connect, to} = two;
    connect();
    ann.offer([{file: file('a', 3_000_000)}], to);
    await until(() => bob.list.length === 1);
    // It begins, and nothing of it comes.
    vi.spyOn(FakeChannel.prototype, 'send').mockImplementation(() => {});
    await bob.accept(bob.list[0]?.id ?? '');
    await until(() => bob.list[0]?.state === 'moving');
    let heard = 0;
    bob.on('change', () => heard++);
    vi.advanceTimersByTime(10_000);
    expect(heard).toBe(20);
  }, 30_000);

  it('free what was saved, when its download has had its time, and still tell a sender who asks again', async () => {
    const {ann, bob, connect, cut, to} = two;
    connect();
    const [out] = ann.offer([{file: file('a', 2_000_000)}], to);
    await until(() => bob.list.length === 1);
    const [one] = bob.list as [Transfer];
    // The last word of the receiver gets lost with the channel.
    const channel = two.ports.ann.opened[0] as FakeChannel;
    const deaf = vi.spyOn(channel, 'dispatchEvent').mockImplementation((event) => {
      const {data} = event as MessageEvent;
      if (event.type === 'message' && `${data}`.includes('verified')) return true;
      return EventTarget.prototype.dispatchEvent.call(channel, event);
    });
    await bob.accept(one.id);
    await until(() => one.state === 'done' && bob.content(one.id, 0) !== null);
    expect(out?.state).toBe('moving');
    deaf.mockRestore();
    bob.markSaved(one.id);
    await until(() => (one as Incoming).record.done?.savedAt !== undefined);
    expect([one.saved, one.freed]).toEqual([true, false]);
    const saved = (one as Incoming).record.done?.savedAt ?? 0;
    vi.spyOn(Date, 'now').mockReturnValue(saved + 59_000);
    (one as Incoming).tick(0);
    expect([one.freed, bob.content(one.id, 0) === null]).toEqual([false, false]);
    vi.spyOn(Date, 'now').mockReturnValue(saved + 61_000);
    (one as Incoming).tick(0);
    expect(one.freed).toBe(true);
    await until(() => bob.content(one.id, 0) === null);
    vi.restoreAllMocks();
    cut();
    connect();
    await until(() => out?.state === 'done' && out.files[0]?.hash !== null);
    expect([one.state, one.freed, out?.files[0]?.hash]).toEqual(['done', true, one.files[0]?.hash]);
    expect(out?.carried).toBe(2_000_000);
  }, 30_000);

  it('free at once what is where the person chose', async () => {
    const {ann, bob, connect, to} = two;
    connect();
    ann.offer([{file: file('a', 10)}], to);
    await until(() => bob.list.length === 1);
    const [one] = bob.list as [Transfer];
    await bob.accept(one.id);
    await until(() => bob.content(one.id, 0) !== null);
    let written = 0;
    const write = (part: Uint8Array): void => {
      written += part.length;
    };
    const sink = new WritableStream<Uint8Array>({write});
    await bob.save(one.id, {kind: 'file', createWritable: async () => sink} as unknown as FileSystemFileHandle);
    expect([written, one.saved, one.freed]).toEqual([10, true, true]);
    await until(() => bob.content(one.id, 0) === null);
  }, 30_000);

  it('refuse', async () => {
    const {ann, bob, connect, to} = two;
    connect();
    ann.offer([{file: file('a')}], to);
    await until(() => bob.list.length === 1);
    bob.refuse(bob.list[0]?.id ?? '');
    await until(() => ann.list[0]?.state === 'refused');
    expect([ann.list[0]?.mine, bob.list[0]?.mine, ann.list[0]?.reason]).toEqual([false, true, 'declined']);
  });

  it('go on by themselves when the link is new, and ask nobody twice', async () => {
    const {ann, bob, connect, cut, to} = two;
    const offers: string[] = [];
    bob.on('offer', ({name}) => offers.push(name));
    ann.offer([{file: file('a', 12_000_000)}], to);
    expect(state(ann.list)).toBe('waiting');
    connect();
    await until(() => bob.list.length === 1);
    await bob.accept(bob.list[0]?.id ?? '');
    for (let i = 0; i < 4; i++) {
      const before = bob.list[0]?.bytes ?? 0;
      await until(() => (bob.list[0]?.bytes ?? 0) > before || bob.list[0]?.state === 'done');
      if (bob.list[0]?.state === 'done') break;
      cut();
      await settle();
      expect([state(ann.list), state(bob.list)]).toEqual(['waiting', 'waiting']);
      expect(bob.list[0]?.bytes).toBeGreaterThan(before);
      connect();
    }
    await until(() => state(ann.list) === 'done' && state(bob.list) === 'done');
    expect(offers).toEqual(['a']);
  });

  it('hear the last word again when it was lost with the link', async () => {
    const {ann, bob, ports, connect, cut, to} = two;
    connect();
    ann.offer([{file: file('a')}], to);
    await until(() => bob.list.length === 1);
    const channel = ports.ann.opened[0]?.other as FakeChannel;
    const send = channel.send.bind(channel);
    channel.send = (data) => {
      if (typeof data !== 'string' || !data.includes('verified')) send(data);
    };
    const received = vi.fn();
    bob.on('received', received);
    await bob.accept(bob.list[0]?.id ?? '');
    await until(() => state(bob.list) === 'done');
    expect(state(ann.list)).toBe('moving');
    cut();
    connect();
    await until(() => state(ann.list) === 'done');
    await settle();
    expect(state(bob.list)).toBe('done');
    expect(received).toHaveBeenCalledTimes(1);
  });

  it('who takes no files is asked again for a while, and anew on every new link', async () => {
    const {ann, ports, connect, cut, to} = two;
    two.bob.close(); // nobody takes the channels any more
    vi.useFakeTimers();
    const [out] = ann.offer([{file: file('a')}], to);
    for (let i = 0; i < 3; i++) {
      connect();
      await vi.advanceTimersByTimeAsync(40_000); // five channels, closed without a word
      expect([out?.state, out?.reason]).toEqual(['waiting', '']);
      cut();
    }
    connect();
    await vi.advanceTimersByTimeAsync(70_000);
    expect([out?.state, out?.reason, out?.mine]).toEqual(['failed', 'unanswered', false]);
    expect(ports.ann.opened).toHaveLength(7);
  });

  it('pause, go on, cancel', async () => {
    const {ann, bob, connect, to} = two;
    connect();
    ann.offer([{file: file('a', 12_000_000)}], to);
    await until(() => bob.list.length === 1);
    const id = bob.list[0]?.id ?? '';
    await bob.accept(id);
    bob.pause(id);
    await until(() => ann.list[0]?.pausedBy === 'them' && ann.list[0]?.state === 'paused');
    expect([bob.list[0]?.state, bob.list[0]?.pausedBy]).toEqual(['paused', 'me']);
    bob.resume(id);
    await until(() => ann.list[0]?.state === 'moving');
    ann.cancel(id);
    await until(() => bob.list[0]?.state === 'cancelled');
    expect([ann.list[0]?.mine, bob.list[0]?.mine]).toEqual([true, false]);
  });
});

describe('the record of the call', () => {
  it('is told when files begin to move, go on, and are through, or not', async () => {
    const {ann, bob, ports, connect, cut, to} = two;
    connect();
    bob.on('offer', ({id}) => void bob.accept(id));
    ann.offer([{file: file('a', 20_000_000)}], to);
    await until(() => (bob.list[0]?.bytes ?? 0) > 2_000_000);
    cut();
    connect();
    await until(() => state(ann.list) === 'done' && state(bob.list) === 'done');
    for (const [port, seat] of [
      [ports.ann, 'bob'],
      [ports.bob, 'ann'],
    ] as const) {
      expect(port.notes.map(({kind, seat, cause}) => [kind, seat, cause])).toEqual(
        ['started', 'resumed', 'done'].map((cause) => ['transfer', seat, cause]),
      );
    }
    const [other] = ann.offer([{file: file('b')}], to);
    await until(() => other?.state === 'moving' || other?.state === 'done');
    expect(ports.ann.notes.some(({cause}) => cause === 'started')).toBe(true);
  });
});

describe('many', () => {
  it('offers wait until others are answered, and two move at a time', async () => {
    const {ann, bob, connect, to} = two;
    connect();
    for (let i = 0; i < 6; i++) ann.offer([{file: file(`f${i}`, 1_100_000)}], to);
    await until(() => bob.list.length === 4);
    for (let i = 0; i < 20; i++) await settle();
    expect(bob.list.length).toBe(4);
    let most = 0;
    ann.on('change', () => {
      most = Math.max(most, ann.list.filter((one) => one.state === 'moving').length);
    });
    bob.on('offer', ({id}) => void bob.accept(id));
    for (const {id} of bob.list) void bob.accept(id);
    await until(() => ann.list.every((one) => one.state === 'done'));
    expect(most).toBe(2);
  });

  it('sixteen channels of one person are heard, sixteen told that these are too many, the others closed', () => {
    const {bob, ports} = two;
    const made = Array.from({length: 65_536}, (_, i) => {
      const channel = new FakeChannel(String(i).padStart(22, '0'), 'parley.file.v1');
      channel.open();
      ports.bob.arrive('ann', channel);
      return channel;
    });
    expect(made.filter((channel) => channel.readyState === 'open').length).toBe(32);
    expect(made.filter((channel) => channel.said.some((text) => text.includes('"busy"'))).length).toBe(16);
    const named = new FakeChannel('../../x', 'parley.file.v1');
    named.open();
    ports.bob.arrive('bob', named);
    expect(named.readyState).toBe('closed');
    expect(bob.list).toEqual([]);
  }, 30_000); // a machine that does many things at once

  it('offers that are withdrawn again and again fill no list, and too many in a minute are not heard', async () => {
    const {ann, bob, connect, to} = two;
    connect();
    let most = 0;
    bob.on('list', (list) => {
      most = Math.max(most, list.length);
    });
    const offers = vi.fn();
    bob.on('offer', offers);
    for (let i = 0; i < 70; i++) {
      const [one] = ann.offer([{file: file(`f${i}`)}], to);
      await until(() => one?.state === 'offered');
      await settle();
      await settle();
      ann.cancel(one?.id ?? '');
      await settle();
    }
    expect(offers.mock.calls.length).toBeLessThanOrEqual(60);
    expect(most).toBeLessThanOrEqual(9);
  });

  it('files of one name, and a name too long for them all, are mended before they are offered', async () => {
    const {ann, bob, connect, to} = two;
    connect();
    const [one] = ann.offer(
      [{file: file('a.txt')}, {file: file('a.txt')}, {file: file('a (2).txt')}],
      to,
      `\n${'ü'.repeat(200)}`,
    );
    expect(one?.files.map(({path}) => path)).toEqual(['a.txt', 'a (2).txt', 'a (2) (2).txt']);
    await until(() => bob.list.length === 1);
    expect(bob.list[0]?.name).toBe(` ${'ü'.repeat(127)}`);
  });

  it('a description that no receiver takes is not offered', () => {
    const long = 'x'.repeat(200);
    const one = file('a', 0);
    const items = Array.from({length: 9_999}, (_, i) => ({file: one, path: `${long}/${long}/${long}${i}`}));
    expect(() => two.ann.offer(items, two.to)).toThrow(/too long/);
  }, 30_000); // a machine that does many things at once

  it('files are too many', () => {
    const one = {file: file('a')};
    expect(() => two.ann.offer(Array(10_001).fill(one), two.to)).toThrow(/10000/);
    expect(() => two.ann.offer([], two.to)).toThrow();
  });
});

describe('the same files again', () => {
  const infos = [
    {path: 'a/x.txt', size: 3},
    {path: 'b/x.txt', size: 4},
  ];
  const item = (path: string, size: number) => ({path, file: file(path.split('/').at(-1) ?? '', size)});
  it('are found by path and size, in any order', () => {
    const found = match(infos, [item('b/x.txt', 4), item('other', 9), item('a/x.txt', 3)]);
    expect(found?.map(({size}) => size)).toEqual([3, 4]);
  });
  it('are found by name and size when they were chosen one by one', () => {
    expect(match(infos, [item('x.txt', 4), item('x.txt', 3)])?.map(({size}) => size)).toEqual([3, 4]);
  });
  it('are not these when one is missing or has another size', () => {
    expect(match(infos, [item('a/x.txt', 3)])).toBeNull();
    expect(match(infos, [item('a/x.txt', 3), item('b/x.txt', 5)])).toBeNull();
  });
});
