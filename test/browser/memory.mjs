/** What a process of ours has in its memory, as its core dump would show it. Linux only. */
import {closeSync, openSync, readFileSync, readSync} from 'node:fs';

/** How much is read at once, in bytes. */
const step = 4 << 20;

/**
 * Looks for bytes in all the memory of a process that it can write to or that is its own.
 *
 * @param {number} pid a child of ours, or of somebody whose rights we have
 * @param {Map<string, Buffer>} needles by name
 * @returns {{found: Set<string>, bytes: number}} the names of those that are there, and how much was looked at
 */
export function searchMemory(pid, needles) {
  const regions = readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .map((line) => /^([0-9a-f]+)-([0-9a-f]+) r\S* \S+ \S+ (\d+)/.exec(line))
    .filter((match) => match !== null)
    .map(([, from, to, inode]) => ({from: BigInt(`0x${from}`), to: BigInt(`0x${to}`), own: inode === '0'}));
  const longest = Math.max(...[...needles.values()].map((needle) => needle.length));
  const found = new Set();
  let bytes = 0;
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const {from, to, own} of regions) {
      if (!own) continue; // what is mapped from files is not what the process was told
      for (let at = from; at < to; at += BigInt(step)) {
        const length = Number(to - at < BigInt(step + longest) ? to - at : BigInt(step + longest));
        const buffer = Buffer.alloc(length);
        let read = 0;
        try {
          read = readSync(memory, buffer, 0, length, at);
        } catch {
          break; // reserved, and nothing there
        }
        bytes += Math.min(read, step);
        for (const [name, needle] of needles) if (buffer.subarray(0, read).includes(needle)) found.add(name);
      }
    }
  } finally {
    closeSync(memory);
  }
  return {found, bytes};
}
