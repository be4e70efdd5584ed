/** Three bars and a sentence out of a link's numbers. */

import type {LinkStats} from '@parley-rtc/sdk';

/** 0 while nothing is known, then 1 (weak) to 3 (good). */
export type Grade = 0 | 1 | 2 | 3;

/** Above these a person hears it: the first value costs one bar, the second two. */
const LOSS_PERCENT = [2, 8] as const;
const RTT_MS = [250, 500] as const;
const JITTER_MS = [40, 100] as const;

export function grade(stats: LinkStats | null): Grade {
  if (stats === null || stats.path.kind === 'none' || stats.path.kind === 'connecting') return 0;
  if (stats.path.kind === 'lost') return 1;
  const worst = Math.max(
    step(Math.max(stats.audio.lostPercent, stats.video.lostPercent), LOSS_PERCENT),
    step(stats.path.rttMs ?? 0, RTT_MS),
    step(stats.audio.jitterMs, JITTER_MS),
  );
  return (3 - worst) as Grade;
}

function step(value: number, [first, second]: readonly [number, number]): 0 | 1 | 2 {
  return value > second ? 2 : value > first ? 1 : 0;
}
