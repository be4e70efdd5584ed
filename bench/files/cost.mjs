/** Processor time of a browser, thread by thread, as the kernel counts it (/proc/PID/task, Linux only). */
import {readdirSync, readFileSync} from 'node:fs';

/** Milliseconds of a tick of the kernel's clock, as /proc shows them: USER_HZ is 100 wherever Linux runs. */
const tick = 10;

/**
 * What a process and all that it started have used, in milliseconds by process type and thread name: what threads of
 * one name in processes of one type used is added up.
 *
 * @param {number} root
 * @param {Map<string, number>} [before] what they had used at an earlier call; that is taken off
 * @returns {Map<string, number>}
 */
export function spent(root, before) {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const pid of family(root)) {
    try {
      const type = /--type=([\w-]+)/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1] ?? 'browser';
      const sub = /--utility-sub-type=([\w.]+)/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1];
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
        // Numbered threads of a pool count as one.
        const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')).replace(/[0-9/]+$/, '');
        const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
        const key = `${sub ?? type}: ${thread === pid ? 'main' : name}`;
        found.set(key, (found.get(key) ?? 0) + (Number(fields[11]) + Number(fields[12])) * tick);
      }
    } catch {
      // it ended while it was looked at
    }
  }
  if (before) for (const [key, value] of found) found.set(key, value - (before.get(key) ?? 0));
  return found;
}

/** @param {Map<string, number>} used */
export function sum(used) {
  return [...used.values()].reduce((all, one) => all + one, 0);
}

/** The process and everything below it. @param {number} root */
function family(root) {
  /** @type {Map<string, string[]>} */
  const children = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const parent = text.slice(text.lastIndexOf(')') + 2).split(' ')[1] ?? '';
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    } catch {
      // gone
    }
  }
  const all = [String(root)];
  for (let i = 0; i < all.length; i++) all.push(...(children.get(all[i] ?? '') ?? []));
  return all;
}
