import type {TrackStats} from './api.js';
import {opinionScore, speechRating} from './quality-emodel.js';

/** What capture, packetisation and playing out take beside the network and the jitter buffer, in milliseconds. */
const deviceMs = 40;
/** The jitter buffer of somebody else, in milliseconds: only its owner knows it. */
const usualBufferMs = 60;

/** The time from a mouth to an ear in milliseconds; half a round trip stands for one way. */
export function mouthToEar(rttMs: number | undefined, bufferMs: number | undefined): number {
  return deviceMs + (rttMs ?? 0) / 2 + (bufferMs ?? usualBufferMs);
}

/**
 * Scores the sound of a track, 1…4.5, by the E-model. What the listener missed is the larger of what the network lost
 * and what had to be made up: a packet that comes too late is not lost, but of no use.
 */
export function soundScore(track: TrackStats, rttMs: number | undefined): number {
  const missed = Math.max(track.lostPercent ?? 0, track.concealedPercent ?? 0);
  return opinionScore(speechRating(mouthToEar(rttMs, track.bufferMs), missed, track.bps));
}

/**
 * Scores how a picture moves, 1…4.5: frames a second, and the share of time in which it stood still, 0…1. It says
 * nothing about sharpness, which no browser measures, and nothing about slides, which may stand still.
 */
export function pictureScore(fps: number, frozen: number): number {
  const smooth = 1 - Math.exp(-fps / 6);
  return 1 + 3.5 * smooth * Math.max(0, 1 - 3 * frozen);
}

/** Two, one or no bars out of a score: below 3.1 many are dissatisfied (R 60, G.107 Annex B), from 3.7 on few are. */
export function levelOf(score: number): 0 | 1 | 2 {
  return score < 3.1 ? 0 : score < 3.7 ? 1 : 2;
}
