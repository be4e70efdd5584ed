/**
 * Captions: what a recogniser, which is somebody in the room such as a bot, posts about what is said. See
 * docs/captions.md for the message.
 */

/** The label of the data that captions come by. */
export const CAPTIONS = 'captions';

/** The longest message and the longest text, in UTF-16 units. */
export const MAX_MESSAGE = 4096;
export const MAX_TEXT = 500;
/** How many messages of one sender are taken in a second; the rest are dropped. */
export const MAX_RATE = 20;
/** How many lines are shown, and how long a line stays after its last change, in milliseconds. */
export const LINES = 3;
export const STAY_MS = 8000;

export interface Caption {
  /** Whose words they are. */
  seat: string;
  /** Who posted them. */
  from: string;
  /** Names the sentence among those of its sender about this seat: a later message with the same id replaces it. */
  id: string;
  text: string;
  /** The language, as a BCP 47 tag; empty when not told. */
  lang: string;
  /** Nothing of it will change any more. */
  final: boolean;
}

/** Reads a message; null when it is none. Unknown fields are ignored, so that recognisers may say more. */
export function readCaption(from: string, data: unknown): Caption | null {
  if (typeof data !== 'string' || data.length > MAX_MESSAGE) return null;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  const v = value as Record<string, unknown> | null;
  if (typeof v !== 'object' || v === null || v.type !== 'caption') return null;
  const text = typeof v.text === 'string' ? plain(v.text) : null;
  if (text === null || text.length > MAX_TEXT) return null;
  const word = (field: unknown, most: number): string =>
    typeof field === 'string' && field.length <= most ? field : '';
  const lang = word(v.lang, 35);
  return {
    seat: word(v.seat, 64) || from,
    from,
    id: word(v.id, 64),
    text,
    lang: /^[A-Za-z0-9-]*$/.test(lang) ? lang : '',
    final: v.final === true,
  };
}

/** One line of text: what would break it, or turn the direction of what follows, becomes a space. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\s]+/gu, ' ').trim();
}

export interface Line extends Caption {
  /** When it goes, by the clock that `take` is given. */
  until: number;
}

/** The lines on the screen, the oldest first. */
export class CaptionLines {
  #lines: readonly Line[] = [];
  readonly #spent = new Map<string, {second: number; count: number}>();

  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** Takes a message at a time in milliseconds; returns whether anything changed. Empty text takes its line away. */
  take(from: string, data: unknown, now: number): boolean {
    if (!this.#may(from, now)) return false;
    const caption = readCaption(from, data);
    if (caption === null) return false;
    const same = (line: Line): boolean =>
      line.from === from && line.seat === caption.seat && (caption.id === '' ? !line.final : line.id === caption.id);
    const at = this.#lines.findIndex(same);
    const line = {...caption, until: now + STAY_MS};
    const lines = this.#lines.filter((l) => l.until > now);
    if (caption.text === '') this.#lines = lines.filter((l) => !same(l));
    else if (at >= 0) this.#lines = this.#lines.map((l, i) => (i === at ? line : l)).filter((l) => l.until > now);
    else this.#lines = [...lines, line].slice(-LINES);
    return true;
  }

  /** Forgets what is old; returns whether anything changed. */
  expire(now: number): boolean {
    return this.#leave((l) => l.until > now);
  }

  /** Whoever left posts nothing more; returns whether anything changed. */
  retain(seats: ReadonlySet<string>): boolean {
    for (const seat of this.#spent.keys()) if (!seats.has(seat)) this.#spent.delete(seat);
    return this.#leave((l) => seats.has(l.from));
  }

  #leave(stays: (line: Line) => boolean): boolean {
    const left = this.#lines.filter(stays);
    const changed = left.length !== this.#lines.length;
    this.#lines = left;
    return changed;
  }

  #may(from: string, now: number): boolean {
    const second = Math.floor(now / 1000);
    const spent = this.#spent.get(from);
    const count = spent?.second === second ? spent.count + 1 : 1;
    this.#spent.set(from, {second, count});
    return count <= MAX_RATE;
  }
}
