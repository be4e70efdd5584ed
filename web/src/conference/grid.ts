/** How pictures share an area: as large as it allows, none too small to read, and pages for what does not fit. */

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What most of the pictures are. */
export type Shape = 'landscape' | 'portrait';

export interface Packing {
  /** One box for each picture of the page, in reading order. */
  boxes: readonly Box[];
  /** How many pictures a page holds. */
  perPage: number;
  pages: number;
  /** The page that is shown, from 0: the last one when there are fewer than asked for. */
  page: number;
}

/** Between two pictures, in pixels. */
export const GAP = 8;
/** Nobody's face can be read in less, in pixels. */
export const LEAST: Record<Shape, {width: number; height: number}> = {
  landscape: {width: 160, height: 90},
  portrait: {width: 112, height: 160},
};

/** How far the shape of a box may be from that of its picture, as width / height. */
const RANGE: Record<Shape, {least: number; most: number}> = {
  landscape: {least: 3 / 4, most: 16 / 9},
  portrait: {least: 9 / 16, most: 1},
};
const NATURAL: Record<Shape, number> = {landscape: 16 / 9, portrait: 9 / 16};

interface Raster {
  columns: number;
  rows: number;
  width: number;
  height: number;
}

/**
 * Packs `count` pictures into an area and gives the boxes of one page. All boxes are of one size, whichever page they
 * are on, and every page holds about as many; a row that is not full stands in the middle.
 */
export function pack(count: number, area: Box, shape: Shape, page = 0): Packing {
  if (count === 0) return {boxes: [], perPage: 0, pages: 1, page: 0};
  const fits = capacity(area, LEAST[shape]);
  const pages = Math.ceil(count / fits);
  const perPage = Math.ceil(count / pages);
  const shown = Math.min(Math.max(0, page), pages - 1);
  const raster = best(perPage, area, shape);
  const boxes = place(Math.min(perPage, count - shown * perPage), area, raster);
  return {boxes, perPage, pages, page: shown};
}

/** How many boxes of the least size an area holds; one at least, however small it is. */
function capacity({width, height}: Box, least: {width: number; height: number}): number {
  const along = (whole: number, part: number): number => Math.max(1, Math.floor((whole + GAP) / (part + GAP)));
  return along(width, least.width) * along(height, least.height);
}

/** The raster that shows most of the pictures. Cutting off their edges costs, but less than making them smaller. */
function best(count: number, area: Box, shape: Shape): Raster {
  let chosen: Raster | null = null;
  let most = -1;
  for (let columns = 1; columns <= count; columns++) {
    const raster = rasterOf(columns, Math.ceil(count / columns), area, shape);
    const worth = raster.width * raster.height * seen(raster, shape) ** (1 / 4);
    const readable = raster.width >= LEAST[shape].width && raster.height >= LEAST[shape].height;
    const value = readable ? worth : worth / 1e6;
    if (value > most) {
      most = value;
      chosen = raster;
    }
  }
  return chosen as Raster; // count is at least 1
}

function rasterOf(columns: number, rows: number, area: Box, shape: Shape): Raster {
  const {least, most} = RANGE[shape];
  const width = Math.max(1, (area.width - GAP * (columns - 1)) / columns);
  const height = Math.max(1, (area.height - GAP * (rows - 1)) / rows);
  return {
    columns,
    rows,
    width: Math.floor(Math.min(width, height * most)),
    height: Math.floor(Math.min(height, width / least)),
  };
}

/** Which part of a picture is seen when it covers its box, 0…1. */
function seen({width, height}: Raster, shape: Shape): number {
  const ratio = width / height / NATURAL[shape];
  return Math.min(ratio, 1 / ratio);
}

function place(count: number, area: Box, {columns, width, height}: Raster): Box[] {
  const rows = Math.ceil(count / columns);
  const top = area.y + (area.height - rows * height - (rows - 1) * GAP) / 2;
  return Array.from({length: count}, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = area.x + (area.width - inRow * width - (inRow - 1) * GAP) / 2;
    return {
      x: Math.round(left + (index - row * columns) * (width + GAP)),
      y: Math.round(top + row * (height + GAP)),
      width,
      height,
    };
  });
}

export interface Staging extends Packing {
  /** Where the one on the stage stands. */
  big: Box;
}

/** How much of the longer side the pictures beside the stage get. */
const BESIDE = {share: 0.22, least: 168, most: 320};

/**
 * One picture takes the stage and the others stand beside it: in a column on a broad area, below it on a tall one.
 * `whole` says that the picture on the stage is a screen, which is shown whole: what it leaves free is the others'.
 */
export function stage(count: number, area: Box, shape: Shape, page = 0, whole = false): Staging {
  if (count === 0) return {...pack(0, area, shape), big: area};
  if (area.width > area.height) {
    const wide = Math.min(BESIDE.most, Math.max(BESIDE.least, area.width * BESIDE.share));
    const beside = (width: number): Staging => {
      const big = {...area, width: area.width - width - GAP};
      return {...pack(count, {...area, x: big.x + big.width + GAP, width}, shape, page), big};
    };
    const width = Math.round(Math.min(wide, area.width * 0.4));
    const roomy = beside(width);
    // Low pictures leave the column half empty: what they do not need is the stage's.
    const right = Math.max(...roomy.boxes.map((box) => box.x + box.width));
    const left = Math.min(...roomy.boxes.map((box) => box.x));
    return right - left < width - GAP ? beside(right - left) : roomy;
  }
  const ratio = whole ? 16 / 10 : 1;
  const left = area.height - GAP - LEAST[shape].height;
  const height = Math.round(Math.min(area.width / ratio, Math.max(left, area.height * 0.4), area.height * 0.6));
  const big = {...area, height};
  const rest = {...area, y: area.y + height + GAP, height: area.height - height - GAP};
  return {...pack(count, rest, shape, page), big};
}
