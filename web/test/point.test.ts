import {expect, test} from 'vitest';
import {Board, INK_MS, readInk, readSpot, SPOT_MS} from '../src/call/point/board';

test('a pointer goes when it leaves, or after a while without moving', () => {
  const board = new Board();
  board.point('s2', {screen: 's1', x: 0.5, y: 0.25}, 1_000);
  expect(board.seen('s1', 1_000).spots).toEqual([{seat: 's2', screen: 's1', x: 0.5, y: 0.25, at: 1_000}]);
  expect(board.seen('s2', 1_000).spots).toEqual([]);
  expect(board.seen('s1', 1_001 + SPOT_MS).spots).toEqual([]);
  board.point('s2', {screen: 's1', x: 0, y: 0}, 9_000);
  board.point('s2', null, 9_001);
  expect(board.empty).toBe(true);
});

test('a line grows, fades and dries up; nobody fills the board', () => {
  const board = new Board();
  board.draw('s2', {screen: 's1', id: 1, points: [0, 0]}, 0);
  board.draw('s2', {screen: 's1', id: 1, points: [1, 1]}, 100);
  expect(board.seen('s1', 100).lines).toMatchObject([{points: [0, 0, 1, 1], strength: 1}]);
  expect(board.seen('s1', 100 + INK_MS - 500).lines[0]?.strength).toBeCloseTo(0.5);
  expect(board.seen('s1', 101 + INK_MS).lines).toEqual([]);
  for (let id = 0; id < 100; id++) board.draw('s2', {screen: 's1', id, points: [0, 0]}, 0);
  expect(board.seen('s1', 0).lines).toHaveLength(40);
  for (let i = 0; i < 10; i++) board.draw('s2', {screen: 's1', id: 0, points: new Array(400).fill(0)}, 0);
  expect(board.seen('s1', 0).lines[0]?.points).toHaveLength(2_000);
  board.leave('s2');
  expect(board.empty).toBe(true);
});

test('only sense is read', () => {
  expect(readSpot('{"s":"s1","x":0.5,"y":1}')).toEqual({screen: 's1', x: 0.5, y: 1});
  expect(readSpot('{"s":"s1"}')).toBeNull();
  for (const bad of [
    '',
    '3',
    'null',
    '{"x":0,"y":0}',
    '{"s":"s1","x":2,"y":0}',
    '{"s":"s1","x":"0","y":0}',
    new ArrayBuffer(2),
  ])
    expect(readSpot(bad)).toBeUndefined();
  expect(readInk('{"s":"s1","id":1,"p":[0,0.5]}')).toEqual({screen: 's1', id: 1, points: [0, 0.5]});
  for (const bad of [
    '{"s":"s1","id":1,"p":[0]}',
    '{"s":"s1","id":1.5,"p":[0,0]}',
    '{"s":"s1","id":1,"p":[0,-1]}',
    '{"s":"s1","id":1,"p":"x"}',
    `{"s":"s1","id":1,"p":[${new Array(2_002).fill(0)}]}`,
  ])
    expect(readInk(bad)).toBeUndefined();
});
