import {describe, expect, it} from 'vitest';
import type {Seal} from '../veil.js';
import {onHub, seat, settled, useFakes} from './hub.fake.js';

useFakes();

/** A channel that the hub opens, as far as anybody touches it. */
class Feed extends EventTarget {
  readonly label = 'l';
  readyState = 'open';
  binaryType = 'blob';
  onmessage: ((event: MessageEvent) => void) | null = null;
  constructor(
    readonly protocol: string,
    readonly maxRetransmits: number | null = null,
    readonly maxPacketLifeTime: number | null = null,
  ) {
    super();
    this.addEventListener('message', (event) => this.onmessage?.(event as MessageEvent));
  }
  close(): void {
    this.readyState = 'closed';
  }
  say(...words: unknown[]): void {
    for (const data of words) this.dispatchEvent(new MessageEvent('message', {data}));
  }
}

/** A room of three on the hub, which opens channels here; `heard` is what the room gets of them, once they arrive. */
async function opening() {
  const all = await settled();
  const heard: unknown[] = [];
  const feed = (from: string, ...lossy: number[]) => {
    const channel = new Feed(`parley.data.v1;from=${from}`, ...lossy);
    all.pc().ondatachannel?.({channel: channel as unknown as RTCDataChannel});
    return channel;
  };
  all.state.take = (channel) => {
    channel.onmessage = ({data}) => void heard.push(data);
    channel.addEventListener('close', () => void heard.push('(closed)'));
  };
  /** What somebody's `seat` message does. Returns whose channels it brings. */
  const come = (id: string) => {
    const before = all.arrived.length;
    all.roster.update(seat(id));
    all.hub.update('a', onHub);
    return all.arrived.slice(before).map(([from]) => from);
  };
  return {...all, heard, feed, come};
}

describe('a channel from the hub', () => {
  it('is handed on at once when its sender is known, and closed when that is nobody', async () => {
    const {arrived, feed} = await opening();
    feed('B');
    feed('A');
    feed('');
    expect(arrived.map(([from]) => from)).toEqual(['B', '', '']);
  });

  it('waits for its sender to be known, with what comes on it', async () => {
    const {arrived, heard, feed, come} = await opening();
    const [dora, emil] = [feed('D'), feed('E')];
    dora.say('one', 'two');
    emil.say('another');
    expect(arrived).toEqual([]);
    expect(come('D')).toEqual(['D']);
    expect(heard).toEqual(['one', 'two']);
    dora.say('three');
    expect(heard).toEqual(['one', 'two', 'three']);
    expect(come('E')).toEqual(['E']);
    expect(heard.at(-1)).toBe('another');
    expect([dora.readyState, emil.readyState]).toEqual(['open', 'open']);
  });

  it('that ended meanwhile is heard, and its end', async () => {
    const {heard, feed, come} = await opening();
    const dora = feed('D');
    dora.say('all there is');
    dora.close();
    feed('E');
    expect(come('D')).toEqual(['D']);
    expect(heard).toEqual(['all there is', '(closed)']);
  });

  it('waits for 10 s of a socket that is there, and for as long as there is none', async () => {
    const {state, run, feed, come} = await opening();
    state.online = false;
    const dora = feed('D');
    await run(30_000);
    expect(dora.readyState).toBe('open');
    state.online = true;
    await run(9_900);
    expect(dora.readyState).toBe('open');
    await run(200);
    expect(dora.readyState).toBe('closed');
    expect(come('D')).toEqual([]);
  });

  it('is opened by who sent it, in an encrypted room', async () => {
    const {state, hub, run, connect, arrived, feed, come} = await opening();
    state.seal = {
      prefer: () => {},
      cover: () => {},
      ownerOf: () => '',
      reads: () => true,
      channel: (_: unknown, session: string, to: string) => Object.assign(new Feed('sealed'), {session, to}),
    } as unknown as Seal;
    hub.update('a2', onHub);
    hub.update('a', onHub);
    await run(50);
    await connect();
    feed('D');
    expect(come('D')).toEqual(['D']);
    expect(arrived[0]?.[1]).toMatchObject({session: 'd', to: 'D'});
  });

  it.each<[string, number[], unknown[], unknown[] | null]>([
    ['many messages', [], Array(513).fill('x'), null],
    ['many bytes', [], Array(17).fill(new ArrayBuffer(65_536)), null],
    ['many messages that may be lost', [0], Array.from({length: 515}, (_, i) => `${i}x`), ['3x', '514x']],
    [
      'many bytes that may be lost',
      [0],
      Array(20).fill(new ArrayBuffer(65_536)),
      [expect.anything(), expect.anything()],
    ],
  ])('does not wait with too %s', async (_, lossy, words, ends) => {
    const {heard, feed, come} = await opening();
    const dora = feed('D', ...lossy);
    dora.say(...words);
    expect(dora.readyState).toBe(ends ? 'open' : 'closed');
    expect(come('D')).toEqual(ends ? ['D'] : []);
    if (ends) expect([heard[0], heard.at(-1)]).toEqual(ends);
    expect(heard.length).toBeLessThanOrEqual(512);
  });

  it('is closed when 64 wait already, and they are when the session ends', async () => {
    const {hub, feed} = await opening();
    const feeds = Array.from({length: 66}, () => feed('D'));
    expect(feeds.map(({readyState}) => readyState).lastIndexOf('open')).toBe(63);
    (feeds[0] as Feed).close(); // its end makes room
    expect(feed('E').readyState).toBe('open');
    hub.update('', null);
    expect(feeds.every(({readyState}) => readyState === 'closed')).toBe(true);
  });
});
