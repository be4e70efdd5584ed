import {describe, expect, it} from 'vitest';
import {Adaptation, type Plan, type Sample, type Sending} from './adaptation.js';
import {steps} from './adaptation-plan.js';

const camera: Sending = {camera: true, screen: null};
const nothing: Sending = {camera: false, screen: null};

/** Some seconds of the same weather: how many, and what is known in each. */
type Stretch = [seconds: number, Omit<Sample, 'at'>, Sending?];

const wide = {availableBps: 2_500_000, soundLost: 0, pictureLost: 0, rttMs: 40, limited: false};
const narrow = {availableBps: 80_000, soundLost: 12, pictureLost: 30, rttMs: 500, limited: true};
const quiet = {availableBps: 80_000, soundLost: 0, rttMs: 60};
/** Firefox: no estimate, no limitation. */
const fox = {soundLost: 0, pictureLost: 0, rttMs: 40};

/** Runs through the stretches, one look a second; returns the plan of each second. */
function run(adaptation: Adaptation, stretches: readonly Stretch[], from = 0): Plan[] {
  let at = from;
  return stretches.flatMap(([seconds, sample, sending = camera]) =>
    Array.from({length: seconds}, () => {
      at += 1_000;
      return adaptation.next({at, ...sample}, sending);
    }),
  );
}

const last = (plans: Plan[]): Plan => plans.at(-1) as Plan;
const second = (plans: Plan[], is: (plan: Plan) => boolean): number => plans.findIndex(is) + 1;

describe('nothing is held back', () => {
  it.each<[string, Stretch[]]>([
    ['on a wide path', [[60, wide]]],
    ['while congestion control still learns', [[5, {...wide, availableBps: 300_000, limited: true}]]],
    [
      'by one bad second',
      [
        [20, wide],
        [1, narrow],
        [10, wide],
      ],
    ],
    ['when the estimate is low because a still picture needs no more', [[60, {...wide, availableBps: 200_000}]]],
    ['by a long round trip alone', [[60, {...wide, rttMs: 600}]]],
    [
      'by a busy machine',
      [
        [20, wide],
        [3, {...wide, rttMs: 400}],
        [20, wide],
      ],
    ],
    ['where the browser gives no estimate', [[60, fox]]],
  ])('%s', (_, stretches) => {
    const plans = run(new Adaptation(), stretches);
    expect(plans.every((p) => !p.paused && p.camera.scale === 1 && p.microphone.maxBitrate === null)).toBe(true);
  });
});

describe('a way that was cut', () => {
  // A report about sound that covers the cut is repeated until the next one, five seconds later.
  const after = {availableBps: 90_000, soundLost: 60, pictureLost: 80, rttMs: 45, limited: true};
  it('costs no picture when it carries again', () => {
    const adaptation = new Adaptation();
    run(adaptation, [[20, wide]]);
    adaptation.recovered(20_500);
    const plans = run(
      adaptation,
      [
        [2, after],
        [4, {...after, pictureLost: 0, availableBps: 700_000}],
        [10, wide],
      ],
      20_000,
    );
    expect(plans.every((p) => !p.paused && p.camera.scale === 1)).toBe(true);
  });

  it('that carries worse than before costs what it has to, soon enough', () => {
    const adaptation = new Adaptation();
    run(adaptation, [[20, wide]]);
    adaptation.recovered(20_500);
    const plans = run(adaptation, [[12, narrow]], 20_000);
    expect(second(plans, (p) => p.paused || p.camera.scale > 1)).toBeGreaterThan(6);
    expect(last(plans).paused).toBe(true);
  });

  it('without that, the same figures do', () => {
    const adaptation = new Adaptation();
    run(adaptation, [[20, wide]]);
    expect(run(adaptation, [[3, after]], 20_000).some((p) => p.paused)).toBe(true);
  });
});

describe('steps', () => {
  it('down to what the estimate carries at once, and up again one by one', () => {
    const adaptation = new Adaptation();
    const tight = {...wide, availableBps: 250_000, limited: true};
    const down = run(adaptation, [
      [20, wide],
      [4, tight],
    ]);
    expect(last(down).camera).toMatchObject({active: true, scale: 2, maxFramerate: null});
    const up = run(adaptation, [[40, wide]], 24_000);
    const scales = up.map((p) => p.camera.scale);
    expect([...new Set(scales)]).toEqual([2, 1.5, 1]);
  });

  it('one by one where there is no estimate, by loss', () => {
    const adaptation = new Adaptation();
    const lossy = {...fox, soundLost: 4, pictureLost: 12};
    const plans = run(adaptation, [
      [10, fox],
      [9, lossy],
    ]);
    const scales = [...new Set(plans.map((p) => p.camera.scale))];
    expect(scales).toEqual([1, 1.5, 2, 3, 4]);
    expect(last(plans).microphone.maxBitrate).toBe(16_000);
  });

  it('wait longer after each step up that was too early', () => {
    const adaptation = new Adaptation();
    const ups: number[] = [];
    let before = 0;
    // Losses come back whenever the picture is larger than the fourth step.
    for (let s = 1; s <= 120; s++) {
      const lossy = adaptation.step < 3;
      adaptation.next({at: s * 1_000, ...fox, pictureLost: lossy ? 15 : 0}, camera);
      if (adaptation.step < before) ups.push(s);
      before = adaptation.step;
    }
    const pauses = ups.slice(1).map((s, i) => s - (ups[i] as number));
    expect(pauses.length).toBeGreaterThan(1);
    expect(pauses.at(-1)).toBeGreaterThan(2 * (pauses[0] as number));
    expect(pauses.every((p) => p <= 70)).toBe(true);
  });

  it('of text cost frames, of motion size; the camera gives way to the screen', () => {
    const tight = {...wide, availableBps: 180_000, limited: true};
    const text = last(
      run(new Adaptation(), [
        [10, wide, {camera: true, screen: 'text'}],
        [4, tight, {camera: true, screen: 'text'}],
      ]),
    );
    expect(text.screen).toMatchObject({active: true, scale: 1, maxFramerate: 2, keep: 'maintain-resolution'});
    expect(text.camera.active).toBe(false);
    const motion = last(
      run(new Adaptation(), [
        [10, wide, {camera: false, screen: 'motion'}],
        [4, tight, {camera: false, screen: 'motion'}],
      ]),
    );
    expect(motion.screen).toMatchObject({active: true, scale: 3, keep: 'maintain-framerate'});
    expect(motion.screen.maxFramerate).toBeGreaterThanOrEqual(24);
  });
});

describe('the picture pauses', () => {
  it.each<[string, Omit<Sample, 'at'>, number]>([
    ['when the estimate has no room for it beside the sound', narrow, 4],
    ['when the sound drowns, without an estimate', {...fox, soundLost: 25, pictureLost: 40, rttMs: 300}, 8],
    ['when the sound keeps suffering at the last step', {...fox, soundLost: 9, pictureLost: 12}, 20],
    ['when packets take seconds', {...fox, rttMs: 3_000}, 8],
  ])('%s', (_, sample, within) => {
    const plans = run(new Adaptation(), [
      [10, wide],
      [within, sample],
    ]);
    const {paused, camera: picture, microphone, screenAudio} = last(plans);
    expect(paused).toBe(true);
    // Its last small frames end the retransmissions of what was lost; then nothing flows.
    expect(picture.active ? picture.scale : 8).toBe(8);
    expect(microphone).toEqual({active: true, maxBitrate: 16_000});
    expect(screenAudio.active).toBe(false);
  });

  it('says goodbye in small, then is silent, and tries again after a while', () => {
    const plans = run(new Adaptation(), [
      [10, wide],
      [4, narrow],
      [18, quiet],
    ]);
    const words = plans.map((p) => (p.trying ? 'tries' : !p.paused ? 'flows' : p.camera.active ? 'fades' : 'rests'));
    expect(words.filter((w, i) => w !== words[i - 1])).toEqual(['flows', 'fades', 'rests', 'tries', 'fades', 'rests']);
  });

  it('not while there is none, and what was learned is not held against the next', () => {
    const adaptation = new Adaptation();
    expect(last(run(adaptation, [[60, narrow, nothing]])).paused).toBe(false);
    expect(last(run(adaptation, [[5, wide]], 60_000)).paused).toBe(false);
  });
});

describe('the picture comes back', () => {
  it('small first, when a try shows that there is room, and up in steps', () => {
    const adaptation = new Adaptation();
    run(adaptation, [
      [10, wide],
      [4, narrow],
    ]);
    const plans = run(adaptation, [[90, {...wide, limited: true}]], 14_000);
    const back = second(plans, (p) => !p.paused);
    expect(back).toBeGreaterThan(3);
    expect(back).toBeLessThan(20);
    expect(plans[back - 1]?.camera).toMatchObject({active: true, scale: 4});
    expect(last(plans).camera.scale).toBe(1);
  });

  it('without an estimate as well', () => {
    const adaptation = new Adaptation();
    run(adaptation, [
      [10, fox],
      [12, {...fox, soundLost: 30}],
    ]);
    expect(adaptation.paused).toBe(true);
    const plans = run(adaptation, [[60, fox]], 22_000);
    expect(last(plans)).toMatchObject({paused: false, camera: {scale: 1}});
  });

  it('tries less and less often while the path stays narrow', () => {
    const adaptation = new Adaptation();
    const starts: number[] = [];
    let before = false;
    for (let s = 1; s <= 400; s++) {
      const {trying} = adaptation.next({at: s * 1_000, ...(s < 10 ? wide : s < 14 ? narrow : quiet)}, camera);
      if (trying && !before) starts.push(s);
      before = trying;
    }
    const gaps = starts.slice(1).map((s, i) => s - (starts[i] as number));
    expect(gaps.length).toBeGreaterThan(3);
    expect(gaps[0]).toBeLessThan(30);
    expect(gaps.at(-1)).toBeGreaterThanOrEqual(60);
    expect(gaps.every((g) => g <= 80)).toBe(true);
  });

  it('a try that hurts the sound ends at once', () => {
    const adaptation = new Adaptation();
    run(adaptation, [
      [10, wide],
      [4, narrow],
    ]);
    let at = 15_000;
    while (at < 60_000 && !adaptation.next({at, ...quiet}, camera).trying) at += 1_000;
    const hurt = run(adaptation, [[2, {...quiet, soundLost: 10}]], at);
    expect(last(hurt)).toMatchObject({paused: true, trying: false});
  });

  it('another path is tried soon, however long the old one was narrow', () => {
    const adaptation = new Adaptation();
    run(adaptation, [
      [10, wide],
      [4, narrow],
      [200, quiet],
    ]);
    adaptation.moved();
    const plans = run(adaptation, [[20, wide]], 214_000);
    expect(last(plans).paused).toBe(false);
  });
});

it('every step fits under the cap of the one before, so that there is a way up', () => {
  for (const [i, {needBps}] of steps.entries()) {
    const below = steps[i + 1];
    if (!below) continue;
    expect(below.maxBps * 1.5).toBeGreaterThan(needBps);
    expect(below.needBps).toBeLessThan(needBps);
  }
});
