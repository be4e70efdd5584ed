/** The rules of the game, without a clock, a screen or a network. The court is 1 wide and 0.6 high. */

export const court = {width: 1, height: 0.6, paddle: 0.12, edge: 0.03, ball: 0.012};
const serve = 0.45;
const faster = 1.04;

export interface Game {
  x: number;
  y: number;
  vx: number;
  vy: number;
  /** The middles of the two paddles, left and right. */
  paddles: [number, number];
  score: [number, number];
}

export function newGame(): Game {
  return {x: 0.5, y: 0.3, vx: serve, vy: 0.11, paddles: [0.3, 0.3], score: [0, 0]};
}

/** A paddle's place, kept inside the court. */
export function within(y: number): number {
  return Math.min(court.height - court.paddle / 2, Math.max(court.paddle / 2, y));
}

/** Lets `seconds` pass. */
export function step(game: Game, seconds: number): void {
  game.x += game.vx * seconds;
  game.y += game.vy * seconds;
  if ((game.y < court.ball && game.vy < 0) || (game.y > court.height - court.ball && game.vy > 0)) game.vy = -game.vy;
  const side = game.vx < 0 ? 0 : 1;
  const line = side === 0 ? court.edge : court.width - court.edge;
  const beyond = side === 0 ? game.x <= line : game.x >= line;
  if (!beyond) return;
  const off = game.y - game.paddles[side];
  if (Math.abs(off) <= court.paddle / 2 + court.ball && Math.abs(game.x - line) < 0.05) {
    game.x = line;
    game.vx = -game.vx * faster;
    game.vy += off * 2;
  } else if (game.x < 0 || game.x > court.width) {
    game.score[1 - side] = (game.score[1 - side] ?? 0) + 1;
    Object.assign(game, {x: 0.5, y: 0.3, vx: side === 0 ? serve : -serve, vy: 0.11});
  }
}
