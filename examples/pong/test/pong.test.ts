import {describe, expect, test} from 'vitest';
import {court, newGame, step, within} from '../src/game';
import {Line} from '../src/line';
import {read, write} from '../src/packet';

describe('the rules', () => {
  test('a ball that meets a paddle comes back faster', () => {
    const game = {...newGame(), x: 0.96, y: 0.3, vx: 0.5, vy: 0};
    step(game, 0.04);
    expect(game.vx).toBeCloseTo(-0.52);
    expect(game.score).toEqual([0, 0]);
  });
  test('a ball that nobody meets is a point for the other side', () => {
    const game = {...newGame(), x: 0.02, y: 0.55, vx: -0.5, vy: 0};
    step(game, 0.02);
    step(game, 0.05);
    expect(game.score).toEqual([0, 1]);
    expect(game.x).toBe(0.5);
  });
  test('a paddle stays in the court', () => {
    expect(within(-1)).toBe(court.paddle / 2);
    expect(within(1)).toBe(court.height - court.paddle / 2);
  });
});

test('what is written is read, and nothing else', () => {
  const game = {x: 0.25, y: 0.5, vx: -0.5, vy: 0.125, score: [3, 4] as [number, number]};
  const packet = {n: 7, at: 1234.5, echo: 99.25, held: 2.5, paddle: 0.25, game};
  expect(read(write(packet))).toEqual(packet);
  expect(read(write({...packet, game: null}))?.game).toBeNull();
  for (const bad of ['', new ArrayBuffer(3), write({...packet, at: Number.NaN})]) expect(read(bad)).toBeNull();
});

test('the line is measured although the clocks differ', () => {
  const line = new Line();
  const offset = 5_000; // their clock is that far behind
  const way = (i: number) => 20 + (i % 10 === 0 ? 15 : 0);
  for (let i = 1; i <= 100; i++) {
    const now = 10_000 + i * 16;
    const at = now - way(i) - offset;
    // They echo what I sent 45 ms before, held for 5 ms, so the fastest round trip is 40 ms.
    line.take({n: i + (i > 50 ? 100 : 0), at, echo: now - 45, held: 5, paddle: 0, game: null}, now);
  }
  const latency = line.latency();
  expect(latency?.middle).toBeCloseTo(20);
  expect(latency?.worst).toBeCloseTo(35);
  expect(line.lost()).toBeCloseTo(0.5);
  expect(line.take({n: 3, at: 1, echo: 0, held: 0, paddle: 0, game: null}, 20_000)).toBe(false);
});
