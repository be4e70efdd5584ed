/** Finds the web links in a chat text. Nothing but http and https ever becomes a link. */

export interface Piece {
  text: string;
  /** Absent on plain text. */
  href?: string;
}

// Marks that turn the direction of writing would let an address look like another one.
const CANDIDATE = /\bhttps?:\/\/[^\s<>"'`\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;
/** Closing marks that end a sentence rather than an address. */
const TRAILING = /[.,;:!?…]+$/;

export function findLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const link = trim(match[0]);
    const href = safe(link);
    if (href === null) continue;
    if (match.index > from) pieces.push({text: text.slice(from, match.index)});
    pieces.push({text: link, href});
    from = match.index + link.length;
  }
  if (from < text.length) pieces.push({text: text.slice(from)});
  return pieces;
}

/** Drops the sentence's own marks, and a closing bracket that was not opened inside the address. */
function trim(link: string): string {
  let out = link.replace(TRAILING, '');
  for (const [open, close] of [
    ['(', ')'],
    ['[', ']'],
  ] as const) {
    while (out.endsWith(close) && count(out, close) > count(out, open)) out = out.slice(0, -1).replace(TRAILING, '');
  }
  return out;
}

function count(text: string, letter: string): number {
  return text.split(letter).length - 1;
}

function safe(link: string): string | null {
  try {
    const url = new URL(link);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}
