/** Rates, shares and times as a person reads them. */

import type {QualityWords} from './words/en';

export function bitrate(bps: number, w: QualityWords, language: string): string {
  const kbit = Math.round(bps / 1000);
  if (kbit < 1000) return w.kbps(kbit);
  return w.mbps((bps / 1e6).toLocaleString(language, {minimumFractionDigits: 1, maximumFractionDigits: 1}));
}

export function percent(value: number, w: QualityWords, language: string): string {
  return w.percent(value.toLocaleString(language, {maximumFractionDigits: value < 10 ? 1 : 0}));
}

export function milliseconds(value: number, w: QualityWords): string {
  return w.ms(Math.round(value));
}
