/** What goes over the line sixty times a second, either way: 56 bytes. */

import type {Game} from './game';

const size = 56;

export interface Packet {
  /** Counts the sender's packets. */
  n: number;
  /** The sender's clock in ms. */
  at: number;
  /** The newest `at` the sender has seen of the other side, and for how many ms it had it. */
  echo: number;
  held: number;
  /** The sender's paddle. */
  paddle: number;
  /** The ball and the score, from the side that keeps them. */
  game: Pick<Game, 'x' | 'y' | 'vx' | 'vy' | 'score'> | null;
}

export function write({n, at, echo, held, paddle, game}: Packet): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, n);
  view.setUint32(4, game ? 1 : 0);
  view.setFloat64(8, at);
  view.setFloat64(16, echo);
  view.setFloat32(24, held);
  view.setFloat32(28, paddle);
  if (game) {
    for (const [i, v] of [game.x, game.y, game.vx, game.vy].entries()) view.setFloat32(32 + 4 * i, v);
    view.setUint32(48, game.score[0]);
    view.setUint32(52, game.score[1]);
  }
  return view.buffer as ArrayBuffer;
}

/** Returns null for anything that write did not make. */
export function read(data: unknown): Packet | null {
  if (!(data instanceof ArrayBuffer) || data.byteLength !== size) return null;
  const view = new DataView(data);
  const number = (at: number) => view.getFloat32(at);
  const game =
    view.getUint32(4) === 1
      ? {
          x: number(32),
          y: number(36),
          vx: number(40),
          vy: number(44),
          score: [view.getUint32(48), view.getUint32(52)] as [number, number],
        }
      : null;
  const packet = {
    n: view.getUint32(0),
    at: view.getFloat64(8),
    echo: view.getFloat64(16),
    held: number(24),
    paddle: number(28),
    game,
  };
  const numbers = [packet.at, packet.echo, packet.held, packet.paddle, game?.x ?? 0, game?.y ?? 0];
  return numbers.every(Number.isFinite) ? packet : null;
}
