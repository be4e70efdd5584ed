/** The four corners the small tile snaps to. */

export type Corner = 'tl' | 'tr' | 'bl' | 'br';

/** The corner nearest to a point in a box, all in the same unit. */
export function nearestCorner(x: number, y: number, width: number, height: number): Corner {
  return `${y < height / 2 ? 't' : 'b'}${x < width / 2 ? 'l' : 'r'}` as Corner;
}

/** Where an arrow key moves the tile; null when the key moves nothing. */
export function moveCorner(corner: Corner, key: string): Corner | null {
  const [v, h] = [corner[0], corner[1]];
  switch (key) {
    case 'ArrowUp':
      return `t${h}` as Corner;
    case 'ArrowDown':
      return `b${h}` as Corner;
    case 'ArrowLeft':
      return `${v}l` as Corner;
    case 'ArrowRight':
      return `${v}r` as Corner;
    default:
      return null;
  }
}
