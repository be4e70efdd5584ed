import {describe, expect, test, vi} from 'vitest';
import {random} from './bytes.js';
import {type Leads, SealedChannel} from './channel.js';
import {dataKid, Frames} from './frames.js';

/** One end of a channel whose other end the test is. */
class Raw extends EventTarget {
  readyState = 'open';
  binaryType = 'blob';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  readonly sent: ArrayBuffer[] = [];
  constructor(
    readonly label: string,
    readonly protocol: string,
  ) {
    super();
  }
  send(data: Uint8Array): void {
    this.sent.push(data.slice().buffer as ArrayBuffer);
    this.bufferedAmount += data.length;
  }
  close(): void {
    this.readyState = 'closed';
    this.dispatchEvent(new Event('close'));
  }
  hear(data: unknown): void {
    this.dispatchEvent(new MessageEvent('message', {data}));
  }
  drain(): void {
    this.bufferedAmount = 0;
    this.dispatchEvent(new Event('bufferedamountlow'));
  }
}

/** Ann's keys, and those of somebody who has them. */
function keys() {
  const [ann, other] = [new Frames(), new Frames()];
  const base = random(16);
  ann.use(dataKid(16), base);
  other.add('ann', dataKid(16), base);
  return {ann, other};
}

/** What a channel of Ann brings to a channel of Bob. */
function make(to: Partial<Leads> = {}, names: [string, string, string, string] = ['l', 'p;to=B', 'l', 'p;from=A']) {
  const {ann, other} = keys();
  const [from, into] = [new Raw(names[0], names[1]), new Raw(names[2], names[3])];
  const out = new SealedChannel(from as unknown as RTCDataChannel, ann, {
    session: 'bob',
    seat: 'B',
    me: () => 'A',
    ...to,
  });
  const bob = new SealedChannel(into as unknown as RTCDataChannel, other, {session: 'ann', seat: 'A', me: () => 'B'});
  const heard: unknown[] = [];
  bob.onmessage = ({data}) => heard.push(typeof data === 'string' ? data : [...new Uint8Array(data as ArrayBuffer)]);
  const seals = (count: number) => vi.waitFor(() => expect(from.sent).toHaveLength(count));
  const hears = (...what: unknown[]) => vi.waitFor(() => expect(heard).toEqual(what));
  const pass = async (count: number) => {
    await seals(count);
    for (const data of from.sent) into.hear(data);
  };
  /** Brings one word that fits, behind whatever came before. */
  const end = async () => {
    const last = new Raw(into.label, 'x');
    const right = {session: '', seat: 'B', me: () => 'A'};
    const raw = Object.assign(last, {protocol: into.protocol}) as unknown as RTCDataChannel;
    new SealedChannel(raw, ann, right).send('end');
    await vi.waitFor(() => expect(last.sent).toHaveLength(1));
    into.hear(last.sent[0]);
  };
  return {ann, out, from, into, pass, seals, hears, end};
}

describe('a sealed channel', () => {
  test('brings texts and bytes, in order, and the hub reads nothing of them', async () => {
    const {out, from, pass, seals, hears} = make();
    out.send('tea at five ☕');
    out.send(Uint8Array.of(9, 1, 2, 9).subarray(1, 3));
    out.send('');
    out.send(new ArrayBuffer(0));
    await seals(4);
    const wire = from.sent.map((data) => new TextDecoder().decode(data)).join();
    expect(wire).not.toMatch(/tea|\["l"/);
    await pass(4);
    await hears('tea at five ☕', [1, 2], '', []);
  });

  test('for everybody is taken by anybody', async () => {
    const {out, pass, hears} = make({seat: ''});
    out.send('all');
    await pass(1);
    await hears('all');
  });

  test.each<[string, Partial<Leads>, [string, string, string, string]]>([
    ['for somebody else', {seat: 'C'}, ['l', 'p;to=C', 'l', 'p;from=A']],
    ['of another label', {}, ['l', 'p;to=B', 'm', 'p;from=A']],
    ['of another protocol', {}, ['l', 'p;to=B', 'l', 'q;from=A']],
  ])('does not take what is %s', async (_, to, names) => {
    const {out, pass, hears, end} = make(to, names);
    out.send('no');
    await pass(1);
    await end();
    await hears('end');
  });

  test('does not take what is not sealed, was changed, or was there', async () => {
    const {out, from, into, seals, hears, end} = make();
    out.send('once');
    await seals(1);
    const [sealed] = from.sent as [ArrayBuffer];
    const forged = sealed.slice();
    const bytes = new Uint8Array(forged);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    for (const data of ['once', new ArrayBuffer(0), forged, sealed, sealed]) into.hear(data);
    await end();
    await hears('once', 'end');
  });

  test('sends nothing without a key, and ends', async () => {
    const {ann, out, from} = make();
    ann.stop();
    out.send('lost');
    await vi.waitFor(() => expect(out.readyState).toBe('closed'));
    expect(from.sent).toEqual([]);
    expect(() => out.send('more')).toThrow();
  });

  test('is closed behind what was said', async () => {
    const {out, from} = make();
    out.send('last');
    out.close();
    expect(out.readyState).toBe('closing');
    await vi.waitFor(() => expect(out.readyState).toBe('closed'));
    expect(from.sent).toHaveLength(1);
  });

  test('says when what waits has become little', async () => {
    const {out, from, seals} = make();
    let low = 0;
    out.addEventListener('bufferedamountlow', () => low++);
    out.bufferedAmountLowThreshold = 50;
    out.send(new Uint8Array(10_000));
    expect(out.bufferedAmount).toBeGreaterThan(10_000);
    await seals(1);
    expect(low).toBe(0);
    from.drain();
    expect([low, out.bufferedAmount]).toEqual([1, 0]);
  });
});
