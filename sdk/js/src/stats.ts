import type {LinkStats, Path, Source, TrackStats} from './api.js';
import {type Report, type Reports, selectedPair} from './path.js';

/** The fields about streams; browsers give a part of them (W3C webrtc-stats §8.7–8.11). */
interface Stream extends Report {
  kind?: 'audio' | 'video';
  mid?: string;
  localId?: string;
  bytesSent?: number;
  bytesReceived?: number;
  packetsReceived?: number;
  packetsLost?: number;
  fractionLost?: number;
  jitter?: number;
  frameWidth?: number;
  frameHeight?: number;
  framesPerSecond?: number;
  framesDecoded?: number;
  framesEncoded?: number;
  freezeCount?: number;
  totalFreezesDuration?: number;
  concealedSamples?: number;
  silentConcealedSamples?: number;
  totalSamplesReceived?: number;
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
  qualityLimitationReason?: string;
  availableOutgoingBitrate?: number;
}

/** What a media section of a link carries, by its mid. */
export type SourceOf = (mid: string, direction: TrackStats['direction']) => Source | null;

/** A report of the other side about what we send is as good as new for this long; audio's come every five seconds. */
const staleMs = 12_000;

/** Makes the figures of the last second out of two looks at a connection's statistics. */
export class Figures {
  #before: ReadonlyMap<string, Stream> = new Map();

  /** Takes a look. Rates are since the look before, and absent at the first one. */
  take(looked: Reports, path: Path, sourceOf: SourceOf): LinkStats {
    const reports = looked as ReadonlyMap<string, Stream>;
    const before = this.#before;
    this.#before = reports;
    const pair = selectedPair(reports) as Stream | null;
    const tracks: TrackStats[] = [];
    const heard = remoteReports(reports);
    for (const report of reports.values()) {
      const last = before.get(report.id);
      const about = heard.get(report.id);
      const track =
        report.type === 'inbound-rtp'
          ? received(report, last, sourceOf)
          : report.type === 'outbound-rtp'
            ? sent(report, last, about, sourceOf)
            : null;
      if (track) tracks.push(track);
    }
    return {
      path,
      localCandidate: describe(reports.get(pair?.localCandidateId ?? '')),
      remoteCandidate: describe(reports.get(pair?.remoteCandidateId ?? '')),
      ...known('availableBps', pair?.availableOutgoingBitrate || undefined),
      tracks,
    };
  }
}

/** What the other side says about our streams, by the stream's id. */
function remoteReports(reports: ReadonlyMap<string, Stream>): Map<string, Stream> {
  const found = new Map<string, Stream>();
  for (const report of reports.values()) {
    if (report.type === 'remote-inbound-rtp' && report.localId) found.set(report.localId, report);
  }
  return found;
}

function received(now: Stream, last: Stream | undefined, sourceOf: SourceOf): TrackStats | null {
  const source = sourceFor(now, 'received', sourceOf);
  if (!source || !now.bytesReceived) return null;
  const grown = growth(now, last);
  const lost = grown('packetsLost');
  const expected = sum(grown('packetsReceived'), lost);
  const concealed = sum(grown('concealedSamples'), minus(grown('silentConcealedSamples')));
  return {
    source,
    direction: 'received',
    ...known('bps', rate(grown('bytesReceived'), now, last)),
    ...known('lostPercent', share(lost, expected)),
    ...known('jitterMs', milliseconds(now.jitter)),
    ...known('bufferMs', milliseconds(ratio(grown('jitterBufferDelay'), grown('jitterBufferEmittedCount')))),
    ...known('concealedPercent', share(concealed, grown('totalSamplesReceived'))),
    ...picture(now, last, 'framesDecoded'),
    ...known('freezes', finite(now.freezeCount)),
    ...known('frozenMs', milliseconds(now.totalFreezesDuration)),
  };
}

function sent(now: Stream, last: Stream | undefined, about: Stream | undefined, sourceOf: SourceOf): TrackStats | null {
  const source = sourceFor(now, 'sent', sourceOf);
  if (!source || !now.bytesSent) return null;
  const fresh = about && now.timestamp - about.timestamp < staleMs ? about : undefined;
  const {qualityLimitationReason: limited} = now;
  return {
    source,
    direction: 'sent',
    ...known('bps', rate(growth(now, last)('bytesSent'), now, last)),
    ...known('lostPercent', share(finite(fresh?.fractionLost), 1)),
    ...known('jitterMs', milliseconds(fresh?.jitter)),
    ...known('rttMs', milliseconds(fresh?.roundTripTime || undefined)),
    ...picture(now, last, 'framesEncoded'),
    ...(limited === 'cpu' || limited === 'bandwidth' || limited === 'other' ? {limited} : {}),
  };
}

/** Size and rate of the frames; a picture that is off has neither. */
function picture(now: Stream, last: Stream | undefined, counter: 'framesDecoded' | 'framesEncoded') {
  if (now.kind !== 'video') return {};
  const seconds = elapsed(now, last);
  const counted = seconds ? ratio(growth(now, last)(counter), seconds) : undefined;
  return {
    ...known('width', now.frameWidth || undefined),
    ...known('height', now.frameHeight || undefined),
    ...known('fps', counted ?? finite(now.framesPerSecond)),
  };
}

/** A browser that does not name the section is believed to mean the first of its kind. */
function sourceFor(report: Stream, direction: TrackStats['direction'], sourceOf: SourceOf): Source | null {
  if (report.mid !== undefined) return sourceOf(report.mid, direction);
  return report.kind === 'video' ? 'camera' : report.kind === 'audio' ? 'microphone' : null;
}

/** How much counters have grown since the look before: undefined where the browser does not count. */
function growth(now: Stream, last: Stream | undefined) {
  return (field: keyof Stream): number | undefined => {
    const [a, b] = [finite(now[field]), finite(last?.[field])];
    // A packet that comes late is taken off the lost ones again.
    return a === undefined || b === undefined ? undefined : Math.max(0, a - b);
  };
}

function elapsed(now: Stream, last: Stream | undefined): number {
  return last ? Math.max(0, now.timestamp - last.timestamp) / 1000 : 0;
}

function rate(bytes: number | undefined, now: Stream, last: Stream | undefined): number | undefined {
  const bps = ratio(bytes, elapsed(now, last));
  return bps === undefined ? undefined : Math.round(bps * 8);
}

function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || !b ? undefined : a / b;
}

function share(part: number | undefined, whole: number | undefined): number | undefined {
  const found = ratio(part, whole);
  return found === undefined ? undefined : Math.min(100, Math.max(0, found * 100));
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? undefined : a + (b ?? 0);
}

function minus(a: number | undefined): number {
  return -(a ?? 0);
}

function milliseconds(seconds: unknown): number | undefined {
  const s = finite(seconds);
  return s === undefined ? undefined : s * 1000;
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A field, or no field at all. */
function known<K extends string>(name: K, value: number | undefined): {[name in K]?: number} {
  return value === undefined ? {} : ({[name]: value} as {[name in K]: number});
}

function describe(candidate: Report | undefined): string {
  if (!candidate) return '';
  const {candidateType, relayProtocol, protocol, address, port} = candidate;
  const where = address ? ` ${address}:${port ?? 0}` : '';
  return `${candidateType ?? '?'}/${relayProtocol ?? protocol ?? '?'}${where}`;
}
