import type {LinkStats, Path} from './api.js';

/** The fields of the W3C statistics that are read; browsers give a part of them. */
interface Report {
  id: string;
  type: string;
  timestamp: number;
  kind?: 'audio' | 'video';
  selectedCandidatePairId?: string;
  selected?: boolean;
  nominated?: boolean;
  state?: string;
  localCandidateId?: string;
  remoteCandidateId?: string;
  currentRoundTripTime?: number;
  roundTripTime?: number;
  candidateType?: string;
  protocol?: string;
  relayProtocol?: 'udp' | 'tcp' | 'tls';
  address?: string;
  port?: number;
  url?: string;
  bytesSent?: number;
  bytesReceived?: number;
  packetsReceived?: number;
  packetsLost?: number;
  jitter?: number;
  frameWidth?: number;
  frameHeight?: number;
  framesPerSecond?: number;
}

type Reports = Map<string, Report>;

/** Counters of one look, to make rates from two. */
interface Totals {
  at: number;
  sent: number;
  received: number;
  packets: number;
  lost: number;
}

/** The candidate pair in use: by the transport (Chromium, newer Firefox) or by its own marks (older Firefox). */
function selectedPair(reports: Reports): Report | null {
  let marked: Report | null = null;
  for (const report of reports.values()) {
    if (report.type === 'transport' && report.selectedCandidatePairId) {
      return reports.get(report.selectedCandidatePairId) ?? null;
    }
    if (report.type !== 'candidate-pair') continue;
    if (report.selected || (!marked && report.nominated && report.state === 'succeeded')) marked = report;
  }
  return marked;
}

/** The host name in a stun:, turn: or turns: address (RFC 7064, RFC 7065). */
export function serverName(url: string): string | undefined {
  return /^(?:stun|turn)s?:(?:\[([^\]]+)\]|([^:?]+))/.exec(url)?.slice(1).find(Boolean);
}

/**
 * Tells the way of a connected link. The media is relayed when either end of the pair is: the other end often sees
 * only a reflexive address. `relays` are the relay addresses we were given, for an end that does not name its own.
 */
export function pathOf(reports: Reports, relays: readonly string[]): Path {
  const pair = selectedPair(reports);
  if (!pair) return {kind: 'connecting'};
  const local = reports.get(pair.localCandidateId ?? '');
  const remote = reports.get(pair.remoteCandidateId ?? '');
  const path: Path = {kind: 'direct'};
  if (local?.candidateType === 'relay' || remote?.candidateType === 'relay') {
    path.kind = 'relayed';
    if (local?.candidateType === 'relay' && local.relayProtocol) path.protocol = local.relayProtocol;
    const server = serverName(local?.candidateType === 'relay' ? (local.url ?? relays[0] ?? '') : (relays[0] ?? ''));
    if (server) path.server = server;
  }
  // Firefox often says 0 for the pair; what the peer's receiver reports is the next best.
  const seconds = pair.currentRoundTripTime || reportedRtt(reports);
  if (seconds) path.rttMs = Math.max(1, Math.round(seconds * 1000));
  return path;
}

function reportedRtt(reports: Reports): number {
  let best = 0;
  for (const {type, roundTripTime} of reports.values()) {
    if (type === 'remote-inbound-rtp' && roundTripTime && (!best || roundTripTime < best)) best = roundTripTime;
  }
  return best;
}

function describe(candidate: Report | undefined): string {
  if (!candidate) return '';
  const {candidateType, relayProtocol, protocol, address, port} = candidate;
  const where = address ? ` ${address}:${port ?? 0}` : '';
  return `${candidateType ?? '?'}/${relayProtocol ?? protocol ?? '?'}${where}`;
}

/** Reads the statistics of one RTCPeerConnection; rates are since the look before. */
export class Sampler {
  #last: Record<'audio' | 'video', Totals | undefined> = {audio: undefined, video: undefined};

  constructor(
    readonly pc: Pick<RTCPeerConnection, 'getStats'>,
    readonly relays: () => readonly string[],
  ) {}

  async sample(): Promise<LinkStats> {
    const reports: Reports = new Map();
    (await this.pc.getStats()).forEach((report: Report) => {
      reports.set(report.id, report);
    });
    const pair = selectedPair(reports);
    const audio = this.#rates(reports, 'audio');
    const video = this.#rates(reports, 'video');
    return {
      path: pathOf(reports, this.relays()),
      localCandidate: describe(reports.get(pair?.localCandidateId ?? '')),
      remoteCandidate: describe(reports.get(pair?.remoteCandidateId ?? '')),
      audio: {...audio, jitterMs: jitterMs(reports)},
      video: {...video, ...picture(reports)},
    };
  }

  #rates(reports: Reports, kind: 'audio' | 'video') {
    const now: Totals = {at: 0, sent: 0, received: 0, packets: 0, lost: 0};
    for (const r of reports.values()) {
      if (r.kind !== kind) continue;
      if (r.type === 'outbound-rtp') now.sent += r.bytesSent ?? 0;
      else if (r.type === 'inbound-rtp') {
        now.received += r.bytesReceived ?? 0;
        now.packets += r.packetsReceived ?? 0;
        now.lost += r.packetsLost ?? 0;
      } else continue;
      now.at = Math.max(now.at, r.timestamp);
    }
    const before = this.#last[kind];
    this.#last[kind] = now;
    const seconds = before ? (now.at - before.at) / 1000 : 0;
    if (!before || seconds <= 0) return {sentBps: 0, receivedBps: 0, lostPercent: 0};
    const grown = (field: keyof Totals) => Math.max(0, now[field] - before[field]);
    const expected = grown('packets') + grown('lost');
    return {
      sentBps: Math.round((grown('sent') * 8) / seconds),
      receivedBps: Math.round((grown('received') * 8) / seconds),
      lostPercent: expected ? (grown('lost') / expected) * 100 : 0,
    };
  }
}

function jitterMs(reports: Reports): number {
  let worst = 0;
  for (const r of reports.values()) {
    if (r.type === 'inbound-rtp' && r.kind === 'audio') worst = Math.max(worst, r.jitter ?? 0);
  }
  return Math.round(worst * 1000);
}

/** The largest picture that arrives: a shared screen beside a camera is what people look at. */
function picture(reports: Reports): {width: number; height: number; fps: number} {
  let best = {width: 0, height: 0, fps: 0};
  for (const {type, kind, frameWidth, frameHeight, framesPerSecond} of reports.values()) {
    if (type !== 'inbound-rtp' || kind !== 'video' || !frameWidth || !frameHeight) continue;
    if (frameWidth * frameHeight > best.width * best.height) {
      best = {width: frameWidth, height: frameHeight, fps: framesPerSecond ?? 0};
    }
  }
  return best;
}
