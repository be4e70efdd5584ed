/** Sizes and times of files as a person reads them. */

import type {FileWords} from './en';

/** By language and digits: making one takes longer than all else that is drawn while a transfer runs. */
const formats = new Map<string, Intl.NumberFormat>();

function format(value: number, language: string, maximumFractionDigits: number): string {
  const key = `${language} ${maximumFractionDigits}`;
  const one = formats.get(key) ?? new Intl.NumberFormat(language, {maximumFractionDigits});
  formats.set(key, one);
  return one.format(value);
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes with a unit of 1000s, as file managers show them. */
export function size(bytes: number, language: string): string {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  return `${format(value, language, digits)} ${UNITS[unit]}`;
}

/** How long it will take, in words that do not jump about. */
export function timeLeft(ms: number | null, w: FileWords): string {
  if (ms === null) return '';
  const seconds = Math.ceil(ms / 1000);
  if (seconds <= 3) return w.soon;
  if (seconds < 60) return w.left(w.seconds(seconds < 10 ? seconds : Math.ceil(seconds / 5) * 5));
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return w.left(w.minutes(minutes));
  return w.left(w.hours(Math.floor(minutes / 60), minutes % 60));
}

/** Whole percents; 100 only when it is all there. */
export function percent(part: number, all: number): number {
  if (all === 0) return 100;
  return part >= all ? 100 : Math.min(99, Math.floor((part / all) * 100));
}
