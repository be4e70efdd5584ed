/** My own line: what is said about it, and how loudly. A state machine over time that is given from outside. */

/**
 * - `fine`: nothing to say;
 * - `quiet`: the server is out of reach, the call is not disturbed;
 * - `lost`: neither the server nor anybody else is in reach;
 * - `long`: the same for so long that the person had better do something;
 * - `healed`: it was worth a word, and is over.
 */
export type Word = 'fine' | 'quiet' | 'lost' | 'long' | 'healed';

export interface Line {
  word: Word;
  /** When the server went out of reach, or the trouble ended; in milliseconds. */
  since: number;
  /** Whether the server could be reached at the last look. */
  online: boolean;
}

export interface Look {
  online: boolean;
  /** How many other people there are, and to how many of them media flows. */
  others: number;
  linked: number;
}

/** Short interruptions heal before anybody reads about them. */
export const patienceMs = 1_200;
/** From here on waiting alone is no good advice. */
export const longMs = 20_000;
/** How long the good news stays. */
export const healedMs = 3_000;
/** With the server back, the media has this long before the trouble is not mine but that of the tile it is on. */
export const mediaMs = 10_000;

export const quietLine: Line = {word: 'fine', since: 0, online: true};

/** The line after a look at `now`; unchanged when there is no news. */
export function lineAfter(line: Line, {online, others, linked}: Look, now: number): Line {
  const severed = others > 0 && linked === 0;
  const since = online === line.online ? line.since : now;
  const waited = now - since;
  const become = (word: Word, from = since): Line =>
    word === line.word && from === line.since && online === line.online ? line : {word, since: from, online};
  if (!online) {
    if (line.word === 'lost' || line.word === 'long' || waited >= patienceMs) {
      if (!severed) return become('quiet');
      return become(waited >= longMs || line.word === 'long' ? 'long' : 'lost');
    }
    return become(line.word === 'healed' ? 'fine' : line.word);
  }
  if (line.word === 'fine') return become('fine');
  if (line.word === 'healed') return waited >= healedMs ? become('fine') : become('healed');
  if (severed && line.word !== 'quiet' && waited < mediaMs) return become(line.word);
  return become('healed', now);
}

/** When to look again although nothing happens, in milliseconds from `now`; null when only an event brings news. */
export function nextLook({word, since, online}: Line, now: number): number | null {
  const at = (ms: number): number => Math.max(0, since + ms - now);
  if (!online) return word === 'fine' ? at(patienceMs) : word === 'lost' ? at(longMs) : null;
  if (word === 'healed') return at(healedMs);
  return word === 'fine' ? null : at(mediaMs);
}
