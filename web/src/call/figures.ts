/** Rates and shares as a person reads them. */

import type {Words} from './words/words';

export function bitrate(bps: number, w: Words, language: string): string {
  const kbit = Math.round(bps / 1000);
  if (kbit < 1000) return w.quality.kbps(kbit);
  return w.quality.mbps((bps / 1e6).toLocaleString(language, {minimumFractionDigits: 1, maximumFractionDigits: 1}));
}

export function percent(value: number, w: Words, language: string): string {
  return w.quality.percent(value.toLocaleString(language, {maximumFractionDigits: value < 10 ? 1 : 0}));
}
