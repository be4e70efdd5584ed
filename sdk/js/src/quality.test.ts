import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import type {LinkStats, QualityLevel, QualityReason, TrackStats} from './api.js';
import type {ControlMessage} from './channels.js';
import type {Link} from './link.js';
import {Person} from './person.js';
import {type WatchPort, watchQuality} from './quality.js';
import {History} from './quality-history.js';
import {levelOf, pictureScore, soundScore} from './quality-score.js';
import {Steady} from './quality-steady.js';
import {type Evidence, mine, theirs} from './quality-verdict.js';
import type {Seat} from './wire.gen.js';

describe('history', () => {
  it('keeps two minutes, with holes where nobody looked', () => {
    const history = new History();
    expect(history.series('rttMs')).toEqual(Array(120).fill(null));
    for (const second of [10, 11, 14]) {
      history.advance(second * 1_000 + 300);
      history.put('rttMs', second);
      history.put('sentBps', undefined);
    }
    expect(history.series('rttMs').slice(-6)).toEqual([null, 10, 11, null, null, 14]);
    expect(history.series('sentBps')).toEqual(Array(120).fill(null));
    history.advance(128_000);
    expect(history.series('rttMs').slice(0, 8)).toEqual([null, 10, 11, null, null, 14, null, null]);
    history.advance(3_600_000);
    expect(history.series('rttMs')).toEqual(Array(120).fill(null));
  });

  it('takes no more room in an hour than in a minute, and time does not run back', () => {
    const history = new History();
    for (let s = 1; s <= 3_600; s++) {
      history.advance(s * 1_000);
      history.put('receivedBps', s);
    }
    history.advance(1_000);
    expect(history.series('receivedBps')).toHaveLength(120);
    expect(history.series('receivedBps').at(-1)).toBe(3_600);
  });
});

describe('scores', () => {
  const sound = (change: Partial<TrackStats>): TrackStats => ({source: 'microphone', direction: 'received', ...change});
  it.each<[Partial<TrackStats>, number, 0 | 1 | 2]>([
    [{bps: 32_000, bufferMs: 50}, 30, 2],
    [{bps: 16_000, bufferMs: 60}, 60, 2],
    [{lostPercent: 1}, 30, 2],
    [{lostPercent: 5}, 30, 1],
    [{lostPercent: 15}, 30, 0],
    [{concealedPercent: 15}, 30, 0], // late is as bad as lost
    [{bufferMs: 60}, 500, 1],
    [{bufferMs: 300}, 900, 0],
  ])('sound %j at %i ms is worth %i', (change, rtt, level) => {
    expect(levelOf(soundScore(sound(change), rtt))).toBe(level);
  });
  it.each([
    [30, 0, 2],
    [15, 0, 2],
    [30, 0.05, 2],
    [30, 0.1, 1],
    [5, 0, 0],
    [30, 0.3, 0],
    [0, 1, 0],
  ])('%i frames a second, %f frozen, is worth %i', (fps, frozen, level) => {
    expect(levelOf(pictureScore(fps, frozen))).toBe(level);
  });
});

describe('a steady level', () => {
  const seen = (level: number, reason: QualityReason = level === 2 ? 'none' : 'loss') => ({
    level: level as QualityLevel,
    reason,
  });
  /** One look a second; the levels shown. */
  const shown = (levels: number[]) => {
    const steady = new Steady();
    return levels.map((level, s) => {
      steady.take(seen(level), s * 1_000);
      return steady.level;
    });
  };
  it.each([
    ['the first look counts', [1], [1]],
    ['one bad second is none', [2, 0, 2, 0, 2], [2, 2, 2, 2, 2]],
    ['a fall takes three', [2, 0, 0, 0, 0], [2, 2, 2, 2, 0]],
    ['only as far as all agree', [2, 0, 1, 0, 0], [2, 2, 2, 2, 1]],
    ['a rise takes six', [0, 2, 2, 2, 2, 2, 2, 2], [0, 0, 0, 0, 0, 0, 0, 2]],
    ['and starts anew', [0, 2, 2, 2, 0, 2, 2, 2, 2, 2, 2], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ])('%s', (_, looks, levels) => {
    expect(shown(looks)).toEqual(levels);
  });
  it('what is certain counts at once, and a reason does not flicker', () => {
    const steady = new Steady();
    steady.take(seen(2), 0);
    expect(steady.take(seen(0, 'reconnecting'), 1_000, true)).toBe(true);
    expect(steady.take(seen(0, 'loss'), 2_000)).toBe(false);
    expect(steady.reason).toBe('reconnecting');
    steady.take(seen(0, 'loss'), 3_500);
    expect(steady.take(seen(0, 'loss'), 5_000)).toBe(true);
    expect(steady.reason).toBe('loss');
  });
});

describe('whose fault it is', () => {
  const clean: TrackStats[] = [
    {source: 'microphone', direction: 'sent', bps: 32_000, lostPercent: 0},
    {source: 'camera', direction: 'sent', bps: 1e6, lostPercent: 0, fps: 30},
    {source: 'microphone', direction: 'received', bps: 32_000, lostPercent: 0, bufferMs: 50},
    {source: 'camera', direction: 'received', bps: 1e6, lostPercent: 0, fps: 30},
  ];
  const stats = (change: Partial<Record<TrackStats['direction'], Partial<TrackStats>>>, path: LinkStats['path']) => ({
    path,
    localCandidate: '',
    remoteCandidate: '',
    tracks: clean.map((t) => ({...t, ...change[t.direction]})),
  });
  const evidence = (
    change: Parameters<typeof stats>[0],
    more: Partial<Evidence> = {},
    path: LinkStats['path'] = {kind: 'direct', rttMs: 30},
  ): Evidence => ({
    stats: stats(change, path),
    frozen: 0,
    step: 0,
    paused: false,
    told: null,
    accessSwells: false,
    othersLose: null,
    othersMiss: null,
    ...more,
  });
  const told = (level: QualityLevel, reason: QualityReason, paused = false) => ({level, reason, paused});
  const loss = {lostPercent: 14};

  // What I see; what I say about myself; how the other one shows.
  it.each<[string, Evidence, [number, string], [number, string]]>([
    ['all is well', evidence({}), [2, 'none'], [2, 'none']],
    ['what I send is lost: the sender answers for it', evidence({sent: loss}), [0, 'loss'], [2, 'none']],
    ['my picture is paused', evidence({}, {paused: true, step: 4}), [0, 'upload-small'], [2, 'none']],
    ['my picture is small', evidence({}, {step: 3}), [1, 'upload-small'], [2, 'none']],
    [
      'the receiver has proof that it is theirs',
      evidence({sent: loss}, {told: told(0, 'download-small')}),
      [2, 'none'],
      [0, 'their-network'],
    ],
    [
      'but not when my own way to the server swells',
      evidence({sent: loss}, {told: told(0, 'download-small'), accessSwells: true}),
      [0, 'loss'],
      [0, 'their-network'],
    ],
    ['others get what I send: not mine', evidence({sent: loss}, {othersLose: false}), [2, 'none'], [2, 'none']],
    [
      'what they send is lost: theirs, even if they do not know',
      evidence({received: loss}),
      [2, 'none'],
      [0, 'their-network'],
    ],
    [
      'and they know',
      evidence({received: loss}, {told: told(0, 'upload-small', true)}),
      [2, 'none'],
      [0, 'their-network'],
    ],
    [
      'everybody’s is lost: mine',
      evidence({received: loss}, {othersMiss: true}),
      [0, 'download-small'],
      [0, 'download-small'],
    ],
    [
      'mine, as the server is far too',
      evidence({received: loss}, {accessSwells: true}),
      [0, 'download-small'],
      [0, 'download-small'],
    ],
    [
      'they pause before I notice anything',
      evidence({}, {told: told(0, 'upload-small', true)}),
      [2, 'none'],
      [0, 'their-network'],
    ],
    ['their machine', evidence({}, {told: told(1, 'cpu')}), [2, 'none'], [1, 'their-device']],
    ['my machine', evidence({sent: {limited: 'cpu', fps: 6}}), [1, 'cpu'], [2, 'none']],
    ['a long way', evidence({}, {}, {kind: 'direct', rttMs: 560}), [1, 'delay'], [1, 'delay']],
    [
      'a slow relay',
      evidence({}, {}, {kind: 'relayed', protocol: 'tls', rttMs: 560}),
      [1, 'relay-tcp'],
      [1, 'relay-tcp'],
    ],
    ['fits and starts', evidence({received: {bufferMs: 260}}), [2, 'none'], [1, 'jitter']],
    ['a picture that stands', evidence({}, {frozen: 0.4}), [2, 'none'], [0, 'jitter']],
  ])('%s', (_, seen, own, other) => {
    const [me, them] = [mine(seen), theirs(seen)];
    expect([me.level, me.reason]).toEqual(own);
    expect([them.level, them.reason]).toEqual(other);
  });
});

describe('the watch', () => {
  const media = {microphone: true, camera: true, screen: false, screenAudio: false};
  const seat = (id: string): Seat => ({id, name: id, role: 'speaker', state: 'present', order: 1, media, session: id});

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A link with one look's worth of figures, and senders that remember what they were told. */
  function link(lost = 0) {
    let at = 0;
    const set: object[] = [];
    const sender = {
      track: {kind: 'video', id: 'cam', contentHint: ''},
      getParameters: () => ({encodings: [{}]}),
      setParameters: async (p: {encodings: object[]}) => void set.push(p.encodings[0] as object),
    };
    return {
      path: {kind: 'direct', rttMs: 30},
      lost,
      set,
      reports: new Map() as unknown,
      carries: (mid: string) => (mid === '0' ? 'microphone' : 'camera'),
      *senders() {
        yield ['camera', sender];
      },
      track: () => null,
      level: () => 0,
      look() {
        at += 1_000;
        const n = at / 1_000;
        const entries = [
          {id: 'a', type: 'inbound-rtp', kind: 'audio', mid: '0', bytesReceived: n * 4_000, packetsReceived: n * 50},
          {id: 'o', type: 'outbound-rtp', kind: 'audio', mid: '0', bytesSent: n * 4_000},
          {id: 'v', type: 'outbound-rtp', kind: 'video', mid: '1', bytesSent: n * 90_000},
          {id: 'r', type: 'remote-inbound-rtp', localId: 'o', fractionLost: this.lost},
        ];
        this.reports = new Map(entries.map((e) => [e.id, {timestamp: at, ...e}]));
      },
    };
  }

  function start() {
    const [ann, bob] = [new Person(seat('A'), null), new Person(seat('B'), {media: null})];
    const sent: [string, ControlMessage][] = [];
    const notes: object[] = [];
    const hear = new Map<string, (seat: string, message: ControlMessage) => void>();
    const channel = new Map<string, (seat: string) => void>();
    const port: WatchPort = {
      people: () => [ann, bob],
      onPeople: () => () => {},
      control: {
        send: (to, message) => {
          sent.push([to, message]);
          return true;
        },
        on: (type, listener) => {
          hear.set(type, listener);
          return () => {};
        },
      },
      channels: {
        on: (event, listener) => {
          channel.set(event, listener);
          return () => {};
        },
      },
      note: (event) => notes.push(event),
      serverRtt: () => undefined,
    };
    const stop = watchQuality(port);
    const wire = link();
    const pass = (seconds: number) => {
      for (let s = 0; s < seconds; s++) {
        vi.advanceTimersByTime(1_000);
        wire.look();
        ann.connect(wire as unknown as Link, 'connecting');
      }
    };
    return {ann, bob, sent, notes, hear: hear.get('quality'), up: channel.get('up'), wire, pass, stop};
  }

  it('measures, tells the other side once, and keeps a history', () => {
    const {ann, bob, sent, notes, pass} = start();
    pass(5);
    expect(ann.quality).toMatchObject({level: 2, reason: 'none', paused: false});
    expect(ann.quality.sound).toBeGreaterThan(4);
    expect(bob.quality).toMatchObject({level: 2, reason: 'none', paused: false});
    expect(sent).toEqual([['A', {type: 'quality', level: 2, reason: 'none', paused: false}]]);
    expect(notes).toContainEqual(expect.objectContaining({kind: 'quality', seat: 'A', level: 2}));
    expect(ann.history?.series('sentBps').at(-1)).toBe(32_000 + 720_000);
    expect(ann.history?.series('receivedBps').at(-1)).toBe(32_000);
  });

  it('pauses the picture when the sound drowns, says so, and brings it back', async () => {
    const {bob, sent, notes, wire, pass} = start();
    pass(8);
    wire.lost = 0.4;
    pass(12);
    await vi.advanceTimersByTimeAsync(0);
    expect(bob.quality).toMatchObject({level: 0, reason: 'upload-small', paused: true});
    expect(sent.at(-1)).toEqual(['A', {type: 'quality', level: 0, reason: 'upload-small', paused: true}]);
    expect(notes).toContainEqual({kind: 'video-paused', seat: 'A', cause: 'upload-small'});
    expect(wire.set.at(-1)).toMatchObject({active: false});
    wire.lost = 0;
    pass(60);
    await vi.advanceTimersByTimeAsync(0);
    expect(bob.quality).toMatchObject({level: 2, paused: false});
    expect(notes).toContainEqual({kind: 'video-resumed', seat: 'A', cause: 'none'});
    expect(wire.set.at(-1)).toMatchObject({active: true, scaleResolutionDownBy: 1});
  });

  it('believes the other side about itself, as far as it speaks properly', () => {
    const {ann, hear, pass} = start();
    pass(3);
    for (const odd of [{level: 7}, {level: 'bad'}, {reason: 3}, {}]) hear?.('A', {type: 'quality', ...odd});
    hear?.('X', {type: 'quality', level: 0, reason: 'upload-small', paused: true});
    expect(ann.quality).toMatchObject({level: 2, paused: false});
    hear?.('A', {type: 'quality', level: 0, reason: 'upload-small', paused: true});
    expect(ann.quality).toMatchObject({level: 0, reason: 'their-network', paused: true});
    hear?.('A', {type: 'quality', level: 2, reason: 'none', paused: false});
    pass(10);
    expect(ann.quality).toMatchObject({level: 2, reason: 'none', paused: false});
  });

  it('says it again on a new transport, and shows at once that a path is lost', () => {
    const {ann, sent, up, wire, pass} = start();
    pass(3);
    up?.('A');
    expect(sent).toHaveLength(2);
    wire.path = {kind: 'lost', rttMs: 0};
    ann.connect(wire as unknown as Link, 'connecting');
    expect(ann.quality).toMatchObject({level: 0, reason: 'reconnecting'});
    wire.path = {kind: 'direct', rttMs: 30};
    pass(1);
    expect(ann.quality).toMatchObject({level: 2, reason: 'none'});
  });

  it('lets go of everything', () => {
    const {ann, stop, pass} = start();
    pass(2);
    stop();
    expect(ann.meter).toBeNull();
    expect(ann.history).toBeNull();
  });
});
