/** Quality in plain words: what is wrong, with whom, and what to do next. */

import type {Quality} from '@parley-rtc/sdk';
import type {QualityWords} from './words/en';

export interface Sentence {
  title: string;
  /** The next step; empty when there is none. */
  fix: string;
}

/** How my own side does. */
export function mySentence({level, reason, paused}: Quality, w: QualityWords): Sentence {
  if (level === null) return {title: w.unknown, fix: ''};
  if (paused) return {title: w.paused, fix: w.pausedFix};
  if (level === 2) return {title: w.good, fix: ''};
  return w.mine[reason in w.mine ? (reason as keyof typeof w.mine) : 'loss'];
}

/** How somebody else comes through. */
export function theirSentence({level, reason, paused}: Quality, name: string, w: QualityWords): Sentence {
  if (level === null) return {title: w.unknown, fix: ''};
  if (paused) return {title: w.pausedOther(name), fix: w.pausedOtherFix};
  if (level === 2) return {title: w.good, fix: ''};
  return w.others[reason in w.others ? (reason as keyof typeof w.others) : 'other'](name);
}

/** The one sentence on top: the worst that is known, mine before that of others, since I can do something about it. */
export function headline(
  mine: Quality | null,
  others: readonly {name: string; quality: Quality}[],
  w: QualityWords,
): Sentence & {level: Quality['level']} {
  const worst = [...others].sort((a, b) => (a.quality.level ?? 2) - (b.quality.level ?? 2))[0];
  const own = mine?.level ?? null;
  const theirs = worst?.quality.level ?? null;
  if (mine && own !== null && (theirs === null || own <= theirs)) return {...mySentence(mine, w), level: own};
  if (worst) return {...theirSentence(worst.quality, worst.name, w), level: theirs};
  return {title: w.unknown, fix: '', level: null};
}
