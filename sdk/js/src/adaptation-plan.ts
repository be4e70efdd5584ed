/** What is sent on a link now. */
export interface Sending {
  camera: boolean;
  /** What the shared screen shows; null when none is shared. */
  screen: 'text' | 'motion' | null;
}

/** What one sender may do. Null leaves it to the browser. */
export interface SenderPlan {
  active: boolean;
  maxBitrate: number | null;
  maxFramerate: number | null;
  /** Each side of the picture is divided by this. */
  scale: number;
  keep: 'maintain-framerate' | 'maintain-resolution';
}

/** What a link may send. */
export interface Plan {
  /** The picture is held back; `trying` says that it flows again, to see whether it may. */
  paused: boolean;
  trying: boolean;
  camera: SenderPlan;
  screen: SenderPlan;
  microphone: Pick<SenderPlan, 'active' | 'maxBitrate'>;
  screenAudio: Pick<SenderPlan, 'active' | 'maxBitrate'>;
}

interface Step {
  /** Less room than this, beside the sound, is too little for the step. */
  needBps: number;
  maxBps: number;
  /** A moving picture gets smaller and keeps its frames. */
  motion: {scale: number; fps: number | null};
  /** Text keeps its size and gets fewer frames. */
  text: {fps: number | null};
  /** Speech stays clear at 16 kbit/s; what it gives up is the picture's. Null is the browser's own, about 32. */
  soundBps: number | null;
}

/**
 * The steps from everything to the least. A cap lies above the need of the step before, so that congestion control,
 * which finds out about half as much again as is sent, can see that there is room for it.
 */
export const steps: readonly Step[] = [
  {needBps: 500_000, maxBps: 2_500_000, motion: {scale: 1, fps: null}, text: {fps: null}, soundBps: null},
  {needBps: 300_000, maxBps: 900_000, motion: {scale: 1.5, fps: null}, text: {fps: 8}, soundBps: null},
  {needBps: 170_000, maxBps: 450_000, motion: {scale: 2, fps: null}, text: {fps: 5}, soundBps: null},
  {needBps: 100_000, maxBps: 240_000, motion: {scale: 3, fps: 24}, text: {fps: 2}, soundBps: 24_000},
  {needBps: 60_000, maxBps: 120_000, motion: {scale: 4, fps: 15}, text: {fps: 1}, soundBps: 16_000},
];

/**
 * `open`: the picture flows. `fading`: it is about to pause. `paused`: nothing flows. `trying`: it flows again, to see
 * whether it may.
 */
export type PictureState = 'open' | 'fading' | 'paused' | 'trying';

/**
 * The last of a picture that pauses. What was lost when the path became narrow is asked for again and again, for ten
 * seconds in Chromium, and drowns the sound; a whole new frame, however small, ends that.
 */
const farewell: SenderPlan = {active: true, maxBitrate: 30_000, maxFramerate: 4, scale: 8, keep: 'maintain-framerate'};

/** The plan of a step for what is sent. A shared screen is what people look at: the camera beside it gives way first. */
export function plan(step: number, state: PictureState, {screen}: Sending): Plan {
  const last = steps.length - 1;
  const paused = state !== 'open';
  const flows = state !== 'paused';
  const own = steps[step] as Step;
  const shared = screen !== null;
  const beside = steps[Math.min(last, shared ? step + 2 : step)] as Step;
  const {soundBps} = own;
  return {
    paused,
    trying: state === 'trying',
    camera:
      state === 'fading'
        ? farewell
        : {
            active: flows && !(shared && step >= 3),
            maxBitrate: beside.maxBps,
            maxFramerate: beside.motion.fps,
            scale: beside.motion.scale,
            keep: 'maintain-framerate',
          },
    screen:
      state === 'fading'
        ? farewell
        : {
            active: flows,
            maxBitrate: own.maxBps,
            maxFramerate: screen === 'motion' ? own.motion.fps : own.text.fps,
            scale: screen === 'motion' ? own.motion.scale : 1,
            keep: screen === 'motion' ? 'maintain-framerate' : 'maintain-resolution',
          },
    microphone: {active: true, maxBitrate: soundBps},
    // The sound of a screen goes with its picture: what is said comes first.
    screenAudio: {active: !paused, maxBitrate: soundBps && 32_000},
  };
}
