/** Names of rooms: what a person types becomes lower-case letters, digits, '-' and '_'. */

/** The longest name the server takes, in bytes; the clean alphabet has one byte a letter. */
const MAX = 64;

const SPELLED: Record<string, string> = {ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss', æ: 'ae', ø: 'o', å: 'a', ł: 'l'};

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

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone percent sign is just a character
  }
}
