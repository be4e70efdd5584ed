import {describe, expect, it} from 'vitest';
import {Floor, KEEP_MS, TAKE_MS} from '../src/conference/floor';
import {type Box, GAP, LEAST, pack, type Shape, stage} from '../src/conference/grid';

/** The areas that the pictures get on the screens of the design, beside the bar and the notch. */
const areas: Record<string, Box> = {
  '390×844': {x: 8, y: 64, width: 374, height: 688},
  '844×390': {x: 8, y: 8, width: 828, height: 298},
  '1440×900': {x: 12, y: 12, width: 1416, height: 804},
  '320×568': {x: 8, y: 64, width: 304, height: 412},
};

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** What is wrong with boxes in an area; empty when nothing is. */
function faults(boxes: readonly Box[], area: Box, shape: Shape): string[] {
  const out: string[] = [];
  for (const [i, b] of boxes.entries()) {
    if (b.x < area.x - 1 || b.y < area.y - 1) out.push(`${i} begins outside`);
    if (b.x + b.width > area.x + area.width + 1) out.push(`${i} is too far right`);
    if (b.y + b.height > area.y + area.height + 1) out.push(`${i} is too far down`);
    if (b.width < LEAST[shape].width || b.height < LEAST[shape].height) out.push(`${i} is ${b.width}×${b.height}`);
    for (const other of boxes.slice(i + 1)) if (overlap(b, other)) out.push(`${i} overlaps`);
  }
  return out;
}

describe('the grid', () => {
  for (const [size, area] of Object.entries(areas)) {
    for (const shape of ['landscape', 'portrait'] as Shape[]) {
      it(`holds 1 to 49 ${shape} pictures on ${size}: all inside, readable, apart, on some page, once`, () => {
        for (let count = 1; count <= 49; count++) {
          const {pages, perPage} = pack(count, area, shape);
          let all = 0;
          for (let page = 0; page < pages; page++) {
            const {boxes} = pack(count, area, shape, page);
            expect(faults(boxes, area, shape), `${count} on page ${page}`).toEqual([]);
            expect(boxes.length).toBeLessThanOrEqual(perPage);
            expect(boxes.length).toBeGreaterThan(0);
            all += boxes.length;
          }
          expect(all).toBe(count);
        }
      });
      it(`gives the stage to one and the rest to 1 to 48 others on ${size}, ${shape}`, () => {
        for (let count = 1; count <= 48; count++) {
          for (const whole of [false, true]) {
            const {big, boxes, pages} = stage(count, area, shape, 0, whole);
            expect(boxes.some((box) => overlap(big, box))).toBe(false);
            expect(faults(boxes, area, shape), `${count}`).toEqual([]);
            // A screen is as wide as it can be; on a tall area that may be less than a face below it.
            const beside = (boxes[0]?.width ?? 0) * (boxes[0]?.height ?? 0);
            if (!whole) expect(big.width * big.height, `${count}`).toBeGreaterThan(beside);
            expect(pages).toBeLessThanOrEqual(count);
          }
        }
      });
    }
  }

  const raster = (count: number, area: Box, shape: Shape = 'landscape'): string => {
    const {boxes, pages} = pack(count, area, shape);
    const columns = new Set(boxes.slice(0, boxes.filter((b) => b.y === boxes[0]?.y).length).map((b) => b.x)).size;
    const rows = new Set(boxes.map((b) => b.y)).size;
    return `${columns}×${rows}${pages > 1 ? ` of ${pages}` : ''}`;
  };
  it.each<[string, number, string]>([
    ['1440×900', 1, '1×1'],
    ['1440×900', 2, '2×1'],
    ['1440×900', 3, '2×2'],
    ['1440×900', 4, '2×2'],
    ['1440×900', 5, '3×2'],
    ['1440×900', 6, '3×2'],
    ['1440×900', 9, '3×3'],
    ['1440×900', 12, '4×3'],
    ['1440×900', 25, '5×5'],
    ['1440×900', 49, '7×7'],
    ['390×844', 1, '1×1'],
    ['390×844', 2, '1×2'],
    ['390×844', 3, '1×3'],
    ['390×844', 6, '2×3'],
    ['390×844', 12, '2×6'],
    ['390×844', 13, '2×7'],
    ['390×844', 49, '2×7 of 4'],
    ['844×390', 3, '3×1'],
    ['844×390', 4, '4×1'],
    ['844×390', 6, '3×2'],
    ['844×390', 49, '4×3 of 5'],
  ])('on %s, %i pictures make %s', (size, count, expected) => {
    expect(raster(count, areas[size] as Box)).toBe(expected);
  });
  it('stands portrait pictures side by side on a broad stage', () => {
    expect(raster(4, areas['1440×900'] as Box, 'portrait')).toBe('4×1');
  });
  it('puts a row that is not full in the middle, and keeps the size on every page', () => {
    const area = areas['1440×900'] as Box;
    const {boxes} = pack(3, area, 'landscape');
    const last = boxes[2] as Box;
    expect(Math.abs(last.x + last.width / 2 - (area.x + area.width / 2))).toBeLessThanOrEqual(1);
    const phone = areas['390×844'] as Box;
    const sizes = [0, 1].map((page) => pack(15, phone, 'landscape', page).boxes.map((b) => `${b.width}×${b.height}`));
    expect(new Set(sizes.flat()).size).toBe(1);
  });
  it('leaves the same gap everywhere, and stays on the last page when people leave', () => {
    const [a, b] = pack(4, areas['1440×900'] as Box, 'landscape').boxes as [Box, Box];
    expect(b.x - a.x - a.width).toBe(GAP);
    expect(pack(20, areas['390×844'] as Box, 'landscape', 7)).toMatchObject({pages: 2, page: 1});
    expect(pack(0, areas['390×844'] as Box, 'landscape')).toEqual({boxes: [], perPage: 0, pages: 1, page: 0});
  });
  it('gives something even where nothing fits', () => {
    const {boxes, pages} = pack(3, {x: 0, y: 0, width: 100, height: 40}, 'landscape', 2);
    expect([boxes.length, pages]).toEqual([1, 3]);
  });
});

describe('the floor', () => {
  const here = new Set(['ann', 'bob', 'cyd']);

  it('goes at once to the first who speaks, and stays while nobody does', () => {
    const floor = new Floor();
    expect(floor.look([], here, 0)).toBe('');
    expect(floor.look(['bob'], here, 100)).toBe('bob');
    expect(floor.look([], here, 60_000)).toBe('bob');
  });
  it('does not flap when two talk over each other', () => {
    const floor = new Floor();
    floor.look(['ann'], here, 0);
    const holders = new Set<string>();
    for (let now = 0; now < 60_000; now += 400) {
      const loud = Math.floor(now / 800) % 2 ? ['ann', 'bob'] : ['bob', 'ann'];
      holders.add(floor.look(loud, here, now));
    }
    expect([...holders]).toEqual(['ann']);
  });
  it('does not go to a cough, and goes to who goes on', () => {
    const floor = new Floor();
    floor.look(['ann'], here, 0);
    expect(floor.look(['bob', 'ann'], here, 10_000)).toBe('ann');
    expect(floor.next(10_000)).toBe(TAKE_MS);
    expect(floor.look(['ann'], here, 10_500)).toBe('ann');
    expect(floor.next(10_500)).toBeNull();
    floor.look(['bob'], here, 11_000);
    expect(floor.look(['bob'], here, 11_000 + TAKE_MS - 1)).toBe('ann');
    expect(floor.look(['bob'], here, 11_000 + TAKE_MS)).toBe('bob');
  });
  it('stays for a while with whoever has just got it', () => {
    const floor = new Floor();
    floor.look(['ann'], here, 0);
    floor.look(['bob'], here, 100);
    expect(floor.look(['bob'], here, 100 + TAKE_MS)).toBe('ann');
    expect(floor.next(100 + TAKE_MS)).toBe(KEEP_MS - 100 - TAKE_MS);
    expect(floor.look(['bob'], here, KEEP_MS)).toBe('bob');
  });
  it('is free again when its holder leaves, and never goes to who is not here', () => {
    const floor = new Floor();
    floor.look(['ann'], here, 0);
    expect(floor.look(['me', 'bob'], new Set(['bob']), 10)).toBe('bob');
    expect(floor.look(['me'], new Set(['cyd']), 20)).toBe('');
    expect(floor.next(20)).toBeNull();
  });
});
