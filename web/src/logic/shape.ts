/** A picture may lose a little more than half before its box is narrowed: thin bars would look like a fault. */
const LEAST_SEEN = 0.42;

/**
 * The shape of the box in which a camera picture is shown, as width / height: the whole box, unless that would cut away
 * far too much of the picture (a phone held upright on a wide screen, or the reverse). Then the box is narrowed until
 * half of the picture is seen.
 */
export function shapeOf(picture: number, box: number): number {
  if (!(picture > 0) || !(box > 0)) return box;
  if (Math.min(picture / box, box / picture) >= LEAST_SEEN) return box;
  return picture < box ? picture * 2 : picture / 2;
}
