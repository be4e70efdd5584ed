import type {LandingWords} from '../screens/landing-words';
import {clock} from './numbers';

/** When a room was last entered: the time today, then words. */
export function visitedAt(at: number, now: number, w: LandingWords, language: string): string {
  const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (days <= 0) return `${w.today}, ${clock(at, language)}`;
  return days === 1 ? w.yesterday : w.days(days);
}

function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}
