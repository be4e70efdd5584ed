import type {Path} from './api.js';

/** The fields of the W3C statistics that tell the path; browsers give a part of them. */
export interface Report {
  id: string;
  type: string;
  timestamp: number;
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
}

/** One look at the statistics of a connection, by id. */
export type Reports = ReadonlyMap<string, Report>;

/** The candidate pair in use: by the transport (Chromium, newer Firefox) or by its own marks (older Firefox). */
export function selectedPair(reports: Reports): Report | null {
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
