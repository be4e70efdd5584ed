import {describe, expect, it} from 'vitest';
import {loudness, rms, SpeechDetector} from './level.js';

describe('loudness', () => {
  it.each([
    [0, 0],
    [-1, 0],
    [Number.NaN, 0],
    [0.0001, 0],
    [0.001, 0],
    [0.0316, 0.5],
    [0.1, 0.667],
    [1, 1],
    [2, 1],
  ])('of amplitude %f is %f', (amplitude, expected) => {
    expect(loudness(amplitude)).toBeCloseTo(expected, 2);
  });

  it('of a full sine is 3 dB below full scale', () => {
    const sine = Float32Array.from({length: 480}, (_, i) => Math.sin((2 * Math.PI * i) / 48));
    expect(rms(sine)).toBeCloseTo(Math.SQRT1_2, 3);
    expect(loudness(rms(sine))).toBeCloseTo(1 - 3.01 / 60, 3);
    expect(rms(new Float32Array(0))).toBe(0);
  });
});

describe('SpeechDetector', () => {
  const run = (levels: number[], start = 0, detector = new SpeechDetector()) =>
    levels.map((level, i) => detector.look(level, start + i * 100)).filter(Boolean).length;

  it.each([
    ['silence', Array(50).fill(0), 0],
    ['a knock', [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0], 0],
    ['speech with pauses', [0.6, 0.7, 0.2, 0.6, 0.6, 0.1, 0.7, 0.6], 1],
    ['nine seconds of speech', Array(90).fill(0.7), 1],
    ['twenty-one seconds of speech', Array(210).fill(0.7), 3],
  ])('hears %s', (_, levels, times) => {
    expect(run(levels)).toBe(times);
  });

  it('forgets what it heard before a reset', () => {
    const detector = new SpeechDetector();
    run(Array(5).fill(1), 0, detector);
    detector.reset();
    expect(run([1, 1, 1], 500, detector)).toBe(0);
  });
});
