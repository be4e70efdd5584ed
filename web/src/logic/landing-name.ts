/** What only the page without a room asks for: a name that nobody has, and the secret in a pasted link. */

const MANNERS =
  'amber brave bright calm clear copper early fair fond gentle glad golden green honest keen kind late light lucky mellow merry mild open plain proud quick quiet silver soft steady sunny warm'.split(
    ' ',
  );
const THINGS =
  'anchor apple badger beacon birch bridge brook candle cedar comet fern finch garden harbor heron island kettle lantern linen maple meadow orchard otter pebble pine raven river robin sparrow table valley willow'.split(
    ' ',
  );
/** Without letters and digits that look alike. */
const TAIL = 'abcdefghjkmnpqrstuvwxyz23456789';

/** The host secret in a pasted host link, if there is one. */
export function pastedFragment(text: string): string {
  return /\/r\/[^/?#\s]+(#\S+)/.exec(text)?.[1] ?? '';
}

/** A name that is easy to say and hard to guess: about 35 bits from the browser's random numbers. */
export function randomRoomName(
  fill: (bytes: Uint8Array<ArrayBuffer>) => void = (b) => crypto.getRandomValues(b),
): string {
  const bytes = new Uint8Array(7);
  fill(bytes);
  const pick = (list: ArrayLike<string>, i: number): string => list[(bytes[i] ?? 0) % list.length] ?? '';
  return `${pick(MANNERS, 0)}-${pick(THINGS, 1)}-${[2, 3, 4, 5, 6].map((i) => pick(TAIL, i)).join('')}`;
}
