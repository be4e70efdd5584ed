/**
 * The shape of the box in which a camera picture is shown, as width / height: the whole box, unless that would cut away
 * more than half of the picture (a phone held upright on a wide screen, or the reverse). Then the box is narrowed until
 * half of it is seen.
 */
export function shapeOf(picture: number, box: number): number {
  if (!(picture > 0) || !(box > 0)) return box;
  return Math.min(Math.max(box, picture / 2), picture * 2);
}
