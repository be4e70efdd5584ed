import {describe, expect, it} from 'vitest';
import {
  bestRating,
  delayImpairment,
  lossImpairment,
  opinionScore,
  opusImpairment,
  opusRobustness,
  speechRating,
} from './quality-emodel.js';

/**
 * The whole of G.107 (06/2015) §7, with the defaults of its table of parameters: what the reduced model leaves out has
 * to be what stays the same. The numbers of the formulas are those of the Recommendation.
 */
function wholeRating({Ta = 0, Ie = 0, Bpl = 4.3, Ppl = 0} = {}): number {
  const [SLR, RLR, STMR, Ds, Dr, TELR, WEPL, T, Tr, Nc, Nfor, Ps, Pr, qdu, A] = [
    8, 2, 15, 3, 3, 65, 110, 0, 0, -70, -64, 35, 35, 1, 0,
  ] as const;
  const dB = (...powers: number[]) => 10 * Math.log10(powers.reduce((sum, p) => sum + 10 ** (p / 10), 0));
  const OLR = SLR + RLR;
  const Pre = Pr + 10 * Math.log10(1 + 10 ** ((10 - (STMR + Dr)) / 10)); // (7-7)
  const Nos = Ps - SLR - Ds - 100 + 0.004 * (Ps - OLR - Ds - 14) ** 2; // (7-5)
  const Nor = RLR - 121 + Pre + 0.008 * (Pre - 35) ** 2; // (7-6)
  const No = dB(Nc, Nos, Nor, Nfor + RLR); // (7-4), (7-8)
  const Ro = 15 - 1.5 * (SLR + No); // (7-3)

  const Xolr = OLR + 0.2 * (64 + No - RLR); // (7-11)
  const Iolr = 20 * ((1 + (Xolr / 8) ** 8) ** (1 / 8) - Xolr / 8); // (7-10)
  const STMRo = -10 * Math.log10(10 ** (-STMR / 10) + Math.exp(-T / 4) * 10 ** (-TELR / 10)); // (7-13)
  const Ist =
    12 * (1 + ((STMRo - 13) / 6) ** 8) ** (1 / 8) -
    28 * (1 + ((STMRo + 1) / 19.4) ** 35) ** (1 / 35) -
    13 * (1 + ((STMRo - 3) / 33) ** 13) ** (1 / 13) +
    29; // (7-12)
  const Q = 37 - 15 * Math.log10(qdu); // (7-18)
  const G = 1.07 + 0.258 * Q + 0.0602 * Q ** 2; // (7-17)
  const Y = (Ro - 100) / 15 + 46 / 8.4 - G / 9; // (7-15)
  const Z = 46 / 30 - G / 40; // (7-16)
  const Iq = 15 * Math.log10(1 + 10 ** Y + 10 ** Z); // (7-14)

  const Roe = -1.5 * (No - RLR); // (7-22)
  const TERV = TELR - 40 * Math.log10((1 + T / 10) / (1 + T / 150)) + 6 * Math.exp(-0.3 * T ** 2); // (7-24)
  const Re = 80 + 2.5 * (TERV - 14); // (7-23)
  const Idte = ((Roe - Re) / 2 + Math.sqrt((Roe - Re) ** 2 / 4 + 100) - 1) * (1 - Math.exp(-T)); // (7-21)
  const Rle = 10.5 * (WEPL + 7) * (Tr + 1) ** -0.25; // (7-26)
  const Idle = (Ro - Rle) / 2 + Math.sqrt((Ro - Rle) ** 2 / 4 + 169); // (7-25)
  const X = Ta > 100 ? Math.log10(Ta / 100) / Math.log10(2) : 0; // (7-28)
  const Idd = Ta > 100 ? 25 * ((1 + X ** 6) ** (1 / 6) - 3 * (1 + (X / 3) ** 6) ** (1 / 6) + 2) : 0; // (7-27)
  const IeEff = Ie + (95 - Ie) * (Ppl / (Ppl + Bpl)); // (7-29), BurstR = 1
  return Ro - (Iolr + Ist + Iq) - (Idte + Idle + Idd) - IeEff + A; // (7-1)
}

describe('G.107', () => {
  it('rates the defaults as published: R 93.2, MOS 4.41', () => {
    expect(wholeRating()).toBeCloseTo(93.2, 1);
    expect(bestRating - delayImpairment(0) - lossImpairment(0, 4.3, 0)).toBe(93.2);
    expect(opinionScore(bestRating)).toBeCloseTo(4.41, 2);
  });

  // G.107 Annex B, table B.1: the lower limits of the categories of user satisfaction.
  it.each([
    [90, 4.34],
    [80, 4.03],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
    [0, 1],
    [-5, 1],
    [100, 4.5],
    [120, 4.5],
  ])('R %f is a MOS of %f', (r, mos) => {
    // The table is rounded, and not always to the nearest: 4.024 is printed as 4.03.
    expect(Math.abs(opinionScore(r) - mos)).toBeLessThan(0.01);
  });

  // Codecs with the parameters of G.113 Appendix I, through the whole model and the reduced one.
  it.each([
    ['G.711 with concealment', 0, 25.1, 1],
    ['G.711 with concealment', 0, 25.1, 5],
    ['G.711 without', 0, 4.3, 2],
    ['G.729A', 11, 19, 0],
    ['G.729A', 11, 19, 3],
    ['G.723.1 at 6.3', 15, 16.1, 2],
  ])('%s: Ie %f, Bpl %f, %f %% lost', (_, Ie, Bpl, Ppl) => {
    expect(bestRating - lossImpairment(Ie, Bpl, Ppl)).toBeCloseTo(wholeRating({Ie, Bpl, Ppl}), 1);
  });

  it('G.729A without loss is the well-known 82.2', () => {
    expect(bestRating - lossImpairment(11, 19, 0)).toBeCloseTo(82.2, 5);
  });

  it.each([0, 100, 101, 150, 200, 300, 400, 600, 1_000])('a way of %i ms costs what the whole model says', (Ta) => {
    expect(bestRating - delayImpairment(Ta)).toBeCloseTo(wholeRating({Ta}), 1);
  });
});

describe('Opus', () => {
  it.each([
    [undefined, 7.28],
    [0, 7.28], // silence says nothing about the codec
    [32_000, 7.28],
    [16_000, 10.47],
    [64_000, 4.09],
    [510_000, 0],
  ])('at %s bit/s has an Ie of %f', (bps, ie) => {
    expect(opusImpairment(bps)).toBeCloseTo(ie, 2);
  });

  it('gets worse with every loss and every delay, and never leaves the scale', () => {
    let before = Number.POSITIVE_INFINITY;
    for (const lost of [0, 1, 2, 5, 10, 20, 50, 100]) {
      const r = speechRating(80, lost);
      expect(r).toBeLessThan(before);
      before = r;
    }
    expect(speechRating(80, 5)).toBeCloseTo(93.2 - lossImpairment(opusImpairment(undefined), opusRobustness, 5), 6);
    expect(speechRating(400, 0)).toBeLessThan(speechRating(200, 0));
    expect(speechRating(5_000, 100)).toBe(0);
  });
});
