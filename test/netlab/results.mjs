/** Figures for people: printed by the tests, and kept as Markdown where RESULTS names a file. */
import {appendFileSync} from 'node:fs';

/** @param {number[]} values @returns median/95th percentile (count) */
export function summary(values) {
  if (values.length === 0) return '–';
  const sorted = [...values].sort((x, y) => x - y);
  const at = (/** @type {number} */ share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  return `${at(0.5)}/${at(0.95)} (${values.length})`;
}

/**
 * Keeps a line of figures.
 *
 * @param {string} name
 * @param {Record<string, string>} columns
 */
export function record(name, columns) {
  const file = process.env.RESULTS;
  if (!file) return;
  const words = Object.entries(columns).map(([column, value]) => `${column} ${value}`);
  appendFileSync(file, `- **${name}**: ${words.join('; ')}\n`);
}
