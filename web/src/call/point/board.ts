/** What people point at and draw on shared screens. Places are fractions of the picture, so every window agrees. */

/** How long a pointer stays after it moved last. */
export const SPOT_MS = 3_000;
/** How long a line stays after it was drawn, the last second of it fading. */
export const INK_MS = 7_000;
const FADE_MS = 1_000;
/** What one person may have on the board: more is dropped. */
const MAX_LINES = 40;
const MAX_POINTS = 1_000;

export interface Spot {
  /** Who points. */
  seat: string;
  /** Whose screen it is. */
  screen: string;
  x: number;
  y: number;
  at: number;
}

export interface Line {
  seat: string;
  screen: string;
  id: number;
  /** x, y, x, y… */
  points: number[];
  at: number;
}

export class Board {
  readonly #spots = new Map<string, Spot>();
  #lines: Line[] = [];

  /** Takes somebody's pointer; null takes it away. */
  point(seat: string, spot: {screen: string; x: number; y: number} | null, now: number): void {
    if (spot) this.#spots.set(seat, {seat, ...spot, at: now});
    else this.#spots.delete(seat);
  }

  /** Takes more points of somebody's line. */
  draw(seat: string, {screen, id, points}: {screen: string; id: number; points: readonly number[]}, now: number): void {
    let line = this.#lines.find((l) => l.seat === seat && l.id === id && l.screen === screen);
    if (!line) {
      if (this.#lines.filter((l) => l.seat === seat).length >= MAX_LINES) return;
      line = {seat, screen, id, points: [], at: now};
      this.#lines.push(line);
    }
    line.points.push(...points.slice(0, 2 * MAX_POINTS - line.points.length));
    line.at = now;
  }

  /** Forgets what a person left behind. */
  leave(seat: string): void {
    this.#spots.delete(seat);
    this.#lines = this.#lines.filter((l) => l.seat !== seat);
  }

  /** What is to be seen on a screen at a moment. Lines carry how strong they are still, 0…1. */
  seen(screen: string, now: number): {spots: Spot[]; lines: (Line & {strength: number})[]} {
    for (const [seat, {at}] of this.#spots) if (now - at > SPOT_MS) this.#spots.delete(seat);
    this.#lines = this.#lines.filter((l) => now - l.at < INK_MS);
    return {
      spots: [...this.#spots.values()].filter((s) => s.screen === screen),
      lines: this.#lines
        .filter((l) => l.screen === screen)
        .map((l) => ({...l, strength: Math.min(1, (INK_MS - (now - l.at)) / FADE_MS)})),
    };
  }

  get empty(): boolean {
    return this.#spots.size === 0 && this.#lines.length === 0;
  }
}

/** Reads somebody's pointer: null when it left, undefined when it is nonsense. */
export function readSpot(text: unknown): {screen: string; x: number; y: number} | null | undefined {
  const m = parse(text);
  if (!m || typeof m.s !== 'string') return undefined;
  if (m.x === undefined) return null;
  return inside(m.x) && inside(m.y) ? {screen: m.s, x: m.x, y: m.y} : undefined;
}

/** Reads a piece of somebody's line; undefined when it is nonsense. */
export function readInk(text: unknown): {screen: string; id: number; points: number[]} | undefined {
  const m = parse(text);
  if (!m || typeof m.s !== 'string' || !Number.isSafeInteger(m.id) || !Array.isArray(m.p)) return undefined;
  const points: unknown[] = m.p;
  if (points.length % 2 || points.length > 2 * MAX_POINTS || !points.every(inside)) return undefined;
  return {screen: m.s, id: m.id as number, points: points as number[]};
}

function inside(v: unknown): v is number {
  return typeof v === 'number' && v >= 0 && v <= 1;
}

function parse(text: unknown): Record<string, unknown> | null {
  if (typeof text !== 'string') return null;
  try {
    const m: unknown = JSON.parse(text);
    return typeof m === 'object' && m !== null ? (m as Record<string, unknown>) : null;
  } catch {
    return null; // another program's words
  }
}
