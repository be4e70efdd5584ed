/** Names of rooms: what a person types becomes lower-case letters, digits, '-' and '_'. */

/** The longest name the server takes, in bytes; the clean alphabet has one byte a letter. */
const MAX = 64;

const SPELLED: Record<string, string> = {ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss', æ: 'ae', ø: 'o', å: 'a', ł: 'l'};

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

/** The room that a text names: a name, or a link to a room pasted whole. Empty when nothing usable is left. */
export function cleanRoomName(text: string): string {
  const path = /\/r\/([^/?#\s]+)/.exec(text)?.[1];
  return decode(path ?? text)
    .trim()
    .toLowerCase()
    .replace(/[äöüßæøåł]/g, (letter) => SPELLED[letter] ?? '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9_]+/g, '-')
    .slice(0, MAX)
    .replace(/^-+|-+$/g, '');
}

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

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone percent sign is just a character
  }
}
