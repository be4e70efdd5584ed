/** Names of people, and their words for the door: the server takes so many bytes of UTF-8, and no letter is cut in two. */

const MAX_BYTES = 64;
/** What somebody at the door says of themselves, and what they are told. */
export const MAX_NOTE = 200;

/** As much of a text as the server takes, in whole characters as a person counts them; a name unless said otherwise. */
export function clipName(text: string, most = MAX_BYTES): string {
  const encoder = new TextEncoder();
  const clean = text.trim();
  if (encoder.encode(clean).length <= most) return clean;
  let name = '';
  for (const {segment} of new Intl.Segmenter().segment(clean)) {
    if (encoder.encode(name + segment).length > most) break;
    name += segment;
  }
  return name.trim();
}
