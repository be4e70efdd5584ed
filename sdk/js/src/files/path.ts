/** The rules for names of files. A name from somebody else is data: it never escapes, overwrites or becomes markup. */

const maxParts = 32;
const maxPartBytes = 255;
/** C0 and C1 control characters, and what separates or names drives somewhere. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to keep out
const illegal = /[\u0000-\u001f\u007f-\u009f\\:]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const control = /[\u0000-\u001f\u007f-\u009f]/;
/** Names that are devices on Windows, with any extension. */
const device = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;
/** Characters that turn the direction of text, so that "exe.gpj" reads as "jpg.exe", or that cannot be seen. */
const turning = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g;

/** Whether a path of an offer may be taken: relative, with `/`, and nothing in it that means more than its letters. */
export function fits(path: string): boolean {
  const parts = path.split('/');
  return parts.length <= maxParts && parts.every(fitsPart);
}

function fitsPart(part: string): boolean {
  if (part === '' || part === '.' || part === '..') return false;
  if (illegal.test(part) || device.test(part)) return false;
  return part.length <= maxPartBytes && new TextEncoder().encode(part).length <= maxPartBytes;
}

/** Whether this may be what several files are called together. */
export function isName(name: string): boolean {
  return name !== '' && !control.test(name) && new TextEncoder().encode(name).length <= maxPartBytes;
}

/** Makes a name for several files one that the other side takes. */
export function cleanName(name: string): string {
  const letters = [...name.replace(new RegExp(control, 'g'), ' ')];
  while (new TextEncoder().encode(letters.join('')).length > maxPartBytes) letters.pop();
  return letters.join('');
}

/** Makes a path of this machine one that the other side takes. */
export function cleanPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  const clean = parts.slice(-maxParts).map(cleanPart);
  return clean.length > 0 ? clean.join('/') : 'file';
}

function cleanPart(part: string): string {
  let clean = part.replace(new RegExp(illegal, 'g'), '_');
  if (device.test(clean)) clean = `_${clean}`;
  const {stem, extension} = split(clean);
  const letters = [...stem];
  while (new TextEncoder().encode(letters.join('') + extension).length > maxPartBytes) {
    if (letters.length === 0) return [...clean].slice(0, maxPartBytes >> 2).join('');
    letters.pop();
  }
  return letters.join('') + extension;
}

/** A name as it is shown and saved: what turns its direction is left out, and dots or spaces at its end. */
export function plainName(part: string): string {
  const plain = part.replace(turning, '').replace(/[. ]+$/, '');
  if (plain === '') return 'file';
  return device.test(plain) ? `_${plain}` : plain; // which what was left out had hidden
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The name to try when a name is taken already: `name (2).ext`, and so on. */
export function otherName(name: string, attempt: number): string {
  const {stem, extension} = split(name);
  return `${stem} (${attempt})${extension}`;
}

function split(name: string): {stem: string; extension: string} {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? {stem: name.slice(0, dot), extension: name.slice(dot)} : {stem: name, extension: ''};
}
