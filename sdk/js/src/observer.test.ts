import {beforeEach, describe, expect, test, vi} from 'vitest';
import type {Note} from './notes.js';
import {Notes} from './notes.js';
import {type About, observe} from './observer.js';
import type {ReportEvent} from './wire.gen.js';

/** As much of an RTCPeerConnection as is observed; its statistics are set by hand. */
class Transport extends EventTarget {
  iceGatheringState = 'gathering';
  iceConnectionState = 'new';
  connectionState = 'new';
  stats: Record<string, unknown>[] = [];
  sctp = null;
  async getStats() {
    return new Map(this.stats.map((s) => [s.id, s]));
  }
  become(field: 'iceGatheringState' | 'iceConnectionState' | 'connectionState', value: string): void {
    this[field] = value;
    this.dispatchEvent(new Event(`${field.toLowerCase()}change`));
  }
}

const host = {
  id: 'h',
  type: 'local-candidate',
  candidateType: 'host',
  protocol: 'udp',
  address: '10.0.0.7',
  port: 5000,
};
const relay = {
  ...{id: 'r', type: 'local-candidate', candidateType: 'relay', protocol: 'udp', relayProtocol: 'tls'},
  ...{address: '2001:db8::1', port: 600},
};
const theirs = {
  id: 't',
  type: 'remote-candidate',
  candidateType: 'srflx',
  protocol: 'udp',
  address: '192.0.2.9',
  port: 7,
};
const pair = (id: string, local: string, state: string) => ({
  ...{id, type: 'candidate-pair', localCandidateId: local, remoteCandidateId: 't', state},
});

function watched(change: Partial<About> = {}) {
  const pc = new Transport();
  const notes: Note[] = [];
  const about: About = {
    link: 'L',
    began: performance.now(),
    seat: () => 'ben',
    joined: () => 1,
    sourceOf: () => 'camera',
    ...change,
  };
  observe(pc as unknown as RTCPeerConnection, about, (note) => notes.push(note));
  return {pc, notes, kinds: () => notes.map(({kind}) => kind)};
}

describe('observe', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  test('notes what was gathered, the steps, the pair that won and the ones beside it, and the first picture', async () => {
    const {pc, notes, kinds} = watched();
    pc.stats = [host, relay, theirs];
    pc.become('iceGatheringState', 'complete');
    await vi.advanceTimersByTimeAsync(10);
    expect(notes[0]).toMatchObject({
      ...{kind: 'gathered', seat: 'ben', link: 'L'},
      candidates: [
        {type: 'host', protocol: 'udp', address: '10.0.0.7:5000'},
        {type: 'relay', protocol: 'udp', relay: 'tls', address: '[2001:db8::1]:600'},
      ],
    });
    pc.become('iceConnectionState', 'connected');
    pc.stats.push(
      {id: 'T', type: 'transport', selectedCandidatePairId: 'p2'},
      ...[pair('p1', 'h', 'failed'), pair('p2', 'r', 'succeeded'), pair('p3', 'h', 'waiting')],
    );
    pc.become('connectionState', 'connected');
    await vi.advanceTimersByTimeAsync(10);
    expect(kinds()).toEqual(['gathered', 'ice-connected', 'dtls-connected', 'pair', 'pair']);
    expect(notes.slice(3).map(({pair}) => [pair?.state, pair?.local.type])).toEqual([
      ['failed', 'host'],
      ['won', 'relay'],
    ]);
    pc.stats.push({id: 'i', type: 'inbound-rtp', trackIdentifier: 'x', packetsReceived: 3, framesDecoded: 1});
    await vi.advanceTimersByTimeAsync(1_000);
    expect(kinds().slice(5)).toEqual(['first-packet', 'first-frame']);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(vi.getTimerCount()).toBe(0); // nothing is polled for ever
    expect(notes).toHaveLength(7);
  });

  test('waits for the other side to have a seat, and keeps the times', async () => {
    let seat = '';
    const {pc, notes} = watched({seat: () => seat});
    pc.become('iceConnectionState', 'connected');
    const then = Date.now();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(notes).toEqual([]);
    seat = 'ben';
    pc.become('connectionState', 'connected');
    expect(notes.map(({kind, seat, at}) => [kind, seat, at])).toEqual([
      ['ice-connected', 'ben', then],
      ['dtls-connected', 'ben', then + 5_000],
    ]);
  });

  test('a transport that was closed is let go', async () => {
    const {pc} = watched();
    pc.become('connectionState', 'connected');
    pc.connectionState = 'closed';
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('Notes', () => {
  test('keeps what comes before the part that sends it, and tells a path once', async () => {
    const sent: ReportEvent[] = [];
    const notes = new Notes({ready: () => true, send: (events) => sent.push(...events)});
    notes.note({kind: 'note', cause: 'reloaded'});
    notes.way('ben', {kind: 'none'});
    notes.way('ben', {kind: 'direct', rttMs: 20});
    notes.way('ben', {kind: 'direct', rttMs: 30});
    notes.flush();
    expect(sent).toEqual([]);
    notes.watch(new Transport() as unknown as RTCPeerConnection, {
      ...{link: 'L', seat: () => 'ben', joined: () => 0, sourceOf: () => null},
    });
    await vi.waitFor(() => {
      notes.flush();
      expect(sent.map(({kind, path}) => [kind, path?.kind])).toEqual([
        ['note', undefined],
        ['path', 'direct'],
      ]);
    });
  });
});
