/** A machine that sleeps: every process of a browser is stopped, and goes on later as if nothing had been. */
import {readdirSync, readFileSync} from 'node:fs';

/** A process and all that came of it. @param {number} pid @returns {number[]} */
function family(pid) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // it ended meanwhile
    }
  }
  const all = [pid];
  for (let i = 0; i < all.length; i++) all.push(...(children.get(/** @type {number} */ (all[i])) ?? []));
  return all;
}

/**
 * Puts a browser to sleep; returns what wakes it up.
 *
 * @param {import('puppeteer-core').Browser} browser
 */
export function sleep(browser) {
  const pids = family(browser.process()?.pid ?? 0).filter((pid) => pid > 0);
  const tell = (/** @type {NodeJS.Signals} */ signal) => {
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // it ended meanwhile
      }
    }
  };
  tell('SIGSTOP');
  return () => tell('SIGCONT');
}
