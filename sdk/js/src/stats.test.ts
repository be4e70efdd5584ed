import {describe, expect, it} from 'vitest';
import type {Path, TrackStats} from './api.js';
import type {Reports} from './path.js';
import {Figures} from './stats.js';

type Entry = {id: string; type: string; [field: string]: unknown};

const reports = (...entries: Entry[]): Reports =>
  new Map(entries.map((e) => [e.id, {timestamp: 0, ...e}])) as unknown as Reports;

const direct: Path = {kind: 'direct', rttMs: 20};
const sources = ['microphone', 'camera', 'screen', 'screen-audio'] as const;
const sourceOf = (mid: string) => sources[Number(mid)] ?? null;

/** The figures of one stream after two looks, one second apart. */
function track(
  before: {type: string; [field: string]: unknown},
  change: object,
  ...more: Entry[]
): TrackStats | undefined {
  const figures = new Figures();
  figures.take(reports({id: 's', timestamp: 1_000, ...before}), direct, sourceOf);
  const after: Entry = {id: 's', timestamp: 2_000, ...before, ...change};
  return figures.take(reports(after, ...more), direct, sourceOf).tracks[0];
}

describe('received', () => {
  it('sound, as Chromium tells it', () => {
    expect(
      track(
        {
          type: 'inbound-rtp',
          kind: 'audio',
          mid: '0',
          bytesReceived: 10_000,
          packetsReceived: 100,
          packetsLost: 2,
          concealedSamples: 960,
          silentConcealedSamples: 0,
          totalSamplesReceived: 48_000,
          jitterBufferDelay: 2_000,
          jitterBufferEmittedCount: 48_000,
        },
        {
          bytesReceived: 14_000,
          packetsReceived: 148,
          packetsLost: 4,
          concealedSamples: 3_360,
          silentConcealedSamples: 480,
          totalSamplesReceived: 96_000,
          jitterBufferDelay: 4_880,
          jitterBufferEmittedCount: 96_000,
          jitter: 0.012,
        },
      ),
    ).toEqual({
      source: 'microphone',
      direction: 'received',
      bps: 32_000,
      lostPercent: 4,
      jitterMs: 12,
      bufferMs: 60,
      concealedPercent: 4,
    });
  });

  it('a picture, with what it lacks left out', () => {
    expect(
      track(
        {type: 'inbound-rtp', kind: 'video', mid: '1', bytesReceived: 1, packetsReceived: 0, framesDecoded: 10},
        {bytesReceived: 25_001, framesDecoded: 34, frameWidth: 640, frameHeight: 360, framesPerSecond: 99},
      ),
    ).toEqual({source: 'camera', direction: 'received', bps: 200_000, width: 640, height: 360, fps: 24});
  });

  it('a packet that came late is no negative loss', () => {
    const before = {type: 'inbound-rtp', kind: 'audio', mid: '0', bytesReceived: 1, packetsReceived: 5, packetsLost: 3};
    expect(track(before, {packetsReceived: 9, packetsLost: 2})?.lostPercent).toBe(0);
  });

  it.each([
    ['nothing yet', {type: 'inbound-rtp', kind: 'video', mid: '2', bytesReceived: 0}],
    ['a section that is nobody’s', {type: 'inbound-rtp', kind: 'video', mid: '7', bytesReceived: 5}],
    ['another report', {type: 'codec'}],
  ])('%s is no track', (_, before) => {
    expect(track(before, {})).toBeUndefined();
  });

  it('an unnamed section is the first of its kind', () => {
    expect(track({type: 'inbound-rtp', kind: 'video', bytesReceived: 5}, {})?.source).toBe('camera');
  });
});

describe('sent', () => {
  const sent = {type: 'outbound-rtp', kind: 'video', mid: '1', bytesSent: 1_000, framesEncoded: 0};
  const about = {
    type: 'remote-inbound-rtp',
    id: 'r',
    localId: 's',
    fractionLost: 0.125,
    roundTripTime: 0.08,
    jitter: 0.004,
  };

  it('with what the other side says about it', () => {
    const change = {bytesSent: 126_000, framesEncoded: 30, qualityLimitationReason: 'bandwidth'};
    expect(track(sent, change, {...about, timestamp: 1_500})).toEqual({
      source: 'camera',
      direction: 'sent',
      bps: 1_000_000,
      lostPercent: 12.5,
      rttMs: 80,
      jitterMs: 4,
      fps: 30,
      limited: 'bandwidth',
    });
  });

  it('but not with what it said long ago, or never', () => {
    const old = track(sent, {timestamp: 60_000}, {...about, timestamp: 2_000});
    expect(old).not.toHaveProperty('lostPercent');
    expect(old).not.toHaveProperty('rttMs');
    expect(track(sent, {qualityLimitationReason: 'none'})).not.toHaveProperty('limited');
  });
});

it('a first look knows no rates', () => {
  const inbound = {id: 'a', type: 'inbound-rtp', kind: 'audio', mid: '0', bytesReceived: 9, packetsReceived: 9};
  const {tracks} = new Figures().take(reports(inbound), direct, sourceOf);
  expect(tracks).toEqual([{source: 'microphone', direction: 'received'}]);
});

it('what is not a number never becomes a figure', () => {
  const odd = {type: 'inbound-rtp', kind: 'video', mid: '1', bytesReceived: 5, jitter: Number.NaN, freezeCount: '2'};
  const found = track(odd, {timestamp: 1_000, bytesReceived: 50, framesPerSecond: Number.POSITIVE_INFINITY});
  expect(found).toEqual({source: 'camera', direction: 'received'});
});

it('the pair in use gives the ends and the estimate', () => {
  const stats = new Figures().take(
    reports(
      {id: 'T', type: 'transport', selectedCandidatePairId: 'P'},
      {id: 'P', type: 'candidate-pair', localCandidateId: 'L', remoteCandidateId: 'R', availableOutgoingBitrate: 7e5},
      {id: 'L', type: 'local-candidate', candidateType: 'host', protocol: 'udp', address: '10.0.0.1', port: 5},
    ),
    direct,
    sourceOf,
  );
  expect(stats).toMatchObject({localCandidate: 'host/udp 10.0.0.1:5', remoteCandidate: '', availableBps: 700_000});
});
