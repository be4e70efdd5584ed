import {describe, expect, it} from 'vitest';
import {seeded} from './random.fake.js';
import {Ranges, readRanges} from './ranges.js';

describe('ranges', () => {
  it.each(Array.from({length: 30}, (_, seed) => [seed]))('say what a set says (seed %i)', (seed) => {
    const random = seeded(seed);
    const ranges = new Ranges();
    const set = new Set<number>();
    const count = 5 + random(60);
    for (let i = 0; i < 80; i++) {
      const chunk = random(count);
      ranges.add(chunk);
      set.add(chunk);
      const all = Array.from({length: count + 1}, (_, c) => c);
      expect(all.filter((c) => ranges.has(c)).join()).toBe(all.filter((c) => set.has(c)).join());
      expect([...ranges].join()).toBe(all.filter((c) => set.has(c)).join());
      expect(ranges.count).toBe(set.size);
      const from = random(count);
      let gap = from;
      while (set.has(gap)) gap++;
      expect(ranges.gap(from)).toBe(gap);
      expect(readRanges(JSON.parse(JSON.stringify(ranges.list)), count)?.list).toEqual(ranges.list);
    }
  });

  it('joins what touches', () => {
    const ranges = new Ranges([[0, 2]]);
    ranges.add(3);
    expect(ranges.list).toEqual([
      [0, 2],
      [3, 4],
    ]);
    ranges.add(2);
    expect(ranges.list).toEqual([[0, 4]]);
  });

  it.each<[string, unknown]>([
    ['no list', {}],
    ['not pairs', [[1]]],
    ['empty', [[3, 3]]],
    ['backwards', [[3, 1]]],
    [
      'out of order',
      [
        [5, 6],
        [1, 2],
      ],
    ],
    [
      'overlapping',
      [
        [1, 4],
        [3, 6],
      ],
    ],
    [
      'touching',
      [
        [1, 4],
        [4, 6],
      ],
    ],
    ['beyond the end', [[0, 11]]],
    ['negative', [[-1, 2]]],
    ['fractions', [[0.5, 2]]],
    ['words', [['0', '2']]],
  ])('are none: %s', (_, value) => expect(readRanges(value, 10)).toBeNull());
});
