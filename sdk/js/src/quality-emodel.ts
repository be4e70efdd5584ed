/**
 * The E-model of ITU-T Rec. G.107 (06/2015), as far as a call between browsers can vary it:
 *
 *     R = (Ro − Is) − Idd − Ie,eff
 *
 * Ro − Is, and the echo terms Idte and Idle, stay at the defaults of G.107 §7.7, where the whole model gives R = 93.2.
 * What varies is the one-way delay, the codec and the loss. docs/adr/0013 tells where the figures for Opus come from and
 * what this number is not.
 */

/** The rating of a path with nothing wrong, G.107 §7.7. */
export const bestRating = 93.2;

/** The delay in milliseconds that nobody notices (mT), G.107 §7.4, default delay sensitivity. */
const unnoticedMs = 100;

/** Idd: what too long a one-way delay from mouth to ear takes off the rating; G.107 §7.4, (7-27) with sT = 1. */
export function delayImpairment(ms: number): number {
  if (ms <= unnoticedMs) return 0;
  const x = Math.log2(ms / unnoticedMs);
  const bend = (y: number) => (1 + y ** 6) ** (1 / 6);
  return 25 * (bend(x) - 3 * bend(x / 3) + 2);
}

/** Ie,eff: what a codec takes off, with independent losses in percent; G.107 §7.5, (7-29) with BurstR = 1. */
export function lossImpairment(ie: number, bpl: number, lostPercent: number): number {
  return ie + (95 - ie) * (lostPercent / (lostPercent + bpl));
}

/**
 * Ie of Opus for speech at a bitrate in bits per second. G.113 has no values for Opus; this is the fit that rtcscore
 * publishes (G. Garcia, github.com/ggarber/rtcscore). Silence is coded in next to nothing and says nothing about the
 * codec, so a rate below what Opus uses for speech counts as the browsers' default of 32 kbit/s.
 */
export function opusImpairment(bps: number | undefined): number {
  const speech = bps === undefined || bps < 10_000 ? 32_000 : bps;
  return Math.min(30, Math.max(0, 55 - 4.6 * Math.log(speech)));
}

/** Bpl of Opus with in-band error correction, which both browsers negotiate; from the same fit. */
export const opusRobustness = 20;

/** The rating R, 0…93.2, of speech through Opus. */
export function speechRating(delayMs: number, lostPercent: number, bps?: number): number {
  const r = bestRating - delayImpairment(delayMs) - lossImpairment(opusImpairment(bps), opusRobustness, lostPercent);
  return Math.max(0, r);
}

/** The mean opinion score, 1…4.5, that a rating means; G.107 Annex B, (B-4). */
export function opinionScore(r: number): number {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
