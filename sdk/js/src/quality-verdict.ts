import type {LinkStats, QualityLevel, QualityReason} from './api.js';
import {levelOf, pictureScore, soundScore} from './quality-score.js';

/** What the other side says about its own network and machine. */
export interface Told {
  level: QualityLevel;
  reason: QualityReason;
  paused: boolean;
}

/** What is known of a link at a moment. */
export interface Evidence {
  stats: LinkStats;
  /** Share of the last seconds in which their picture stood still, 0…1. */
  frozen: number;
  /** What our own adaptation holds back: 0 nothing, 4 the most that still shows a picture. */
  step: number;
  paused: boolean;
  told: Told | null;
  /** The way to the server swells too, which nobody but my own network can be the cause of. */
  accessSwells: boolean;
  /** Other links of mine suffer in the same direction at this moment; null when there is no other link to compare. */
  othersLose: boolean | null;
  othersMiss: boolean | null;
}

/** One direction of a link, judged. */
export interface Verdict {
  level: QualityLevel;
  reason: QualityReason;
  /** Score of the sound; absent when none flows. */
  sound?: number;
}

const fine: Verdict = {level: 2, reason: 'none'};

/** Losses of more than this are not chance. */
const lossPercent = 3;
/** From this round trip on, people begin to talk at the same time. */
const longTripMs = 300;

/** Judges what leaves: what the other side gets of us, as far as it says so. The reason names the symptom. */
export function leaving({stats, step, paused}: Evidence): Verdict {
  const tracks = stats.tracks.filter((t) => t.direction === 'sent' && (t.bps ?? 0) > 0);
  const sound = tracks.find((t) => t.source === 'microphone');
  const picture = tracks.find((t) => t.source === 'camera' || t.source === 'screen');
  const rttMs = stats.path.rttMs ?? sound?.rttMs;
  const heard = sound && soundScore(sound, rttMs);
  const held: QualityLevel = paused ? 0 : step >= 3 ? 1 : 2;
  const level = Math.min(heard === undefined ? 2 : levelOf(heard), held) as QualityLevel;
  const score = heard === undefined ? {} : {sound: heard};
  if (picture?.limited === 'cpu' && (picture.fps ?? 30) < 12 && level > 0) return {level: 1, reason: 'cpu', ...score};
  if (level === 2) return {...fine, ...score};
  const lost = Math.max(sound?.lostPercent ?? 0, picture?.lostPercent ?? 0);
  const reason = held < 2 || step >= 2 ? 'upload-small' : symptom(stats, lost);
  return {level, reason, ...score};
}

/** Judges what arrives. The reason names the symptom; whose fault it is has yet to be found out. */
export function arriving({stats, frozen}: Evidence): Verdict {
  const tracks = stats.tracks.filter((t) => t.direction === 'received');
  const sound = tracks.find((t) => t.source === 'microphone' && (t.bps ?? 0) > 0);
  const camera = tracks.find((t) => t.source === 'camera' && (t.bps ?? 0) > 0);
  const heard = sound && soundScore(sound, stats.path.rttMs);
  // A picture that comes on or goes off shows few frames for a second; only standing still is a fault.
  const seen = camera?.fps && frozen > 0 ? pictureScore(Math.max(camera.fps, 10), frozen) : 4.5;
  const level = Math.min(heard === undefined ? 2 : levelOf(heard), levelOf(seen)) as QualityLevel;
  const score = heard === undefined ? {} : {sound: heard};
  if (level === 2) return {...fine, ...score};
  const lost = Math.max(sound?.lostPercent ?? 0, camera?.lostPercent ?? 0);
  return {level, reason: symptom(stats, lost), ...score};
}

function symptom({path}: LinkStats, lost: number): QualityReason {
  if (lost >= lossPercent) return 'loss';
  if (path.kind === 'relayed' && (path.protocol === 'tcp' || path.protocol === 'tls')) return 'relay-tcp';
  // Without a long way it is the waiting for late packets that takes the time, or makes the gaps.
  return (path.rttMs ?? 0) > longTripMs ? 'delay' : 'jitter';
}

/**
 * My own part in a link: what of its trouble my network or machine causes. Whoever sends answers for the way out, as
 * uploads are the narrow part, unless the receiver has proof that it is theirs. So both sides come to the same answer.
 */
export function mine(evidence: Evidence): Verdict {
  const {told, accessSwells, othersLose, othersMiss} = evidence;
  const out = leaving(evidence);
  const into = arriving(evidence);
  const theirsOut = !accessSwells && (told?.reason === 'download-small' || othersLose === false);
  const mineIn = accessSwells || othersMiss === true;
  const first = theirsOut && out.reason !== 'cpu' ? {...fine, ...(out.sound && {sound: out.sound})} : out;
  const second: Verdict = mineIn && into.level < 2 ? {level: into.level, reason: 'download-small'} : fine;
  return second.level < first.level ? {...second, ...(out.sound && {sound: out.sound})} : first;
}

/** How the other one comes through, with whose fault it is. */
export function theirs(evidence: Evidence): Verdict {
  const {told, accessSwells, othersMiss} = evidence;
  const into = arriving(evidence);
  const weak = told !== null && told.level < 2;
  const blame = told?.reason === 'cpu' ? 'their-device' : 'their-network';
  if (weak && told.level <= into.level) return {...into, level: told.level, reason: blame};
  if (into.level === 2) return into;
  if (accessSwells || othersMiss === true) return {...into, reason: 'download-small'};
  // What vanishes is the sender's to answer for, who may not know it yet; a long or uneven way is nobody's fault.
  return {...into, reason: weak || into.reason === 'loss' ? blame : into.reason};
}
