/** Names of people: the server takes so many bytes of UTF-8, and no letter is cut in two. */

const MAX_BYTES = 64;

/** As much of a name as the server takes, in whole characters as a person counts them. */
export function clipName(text: string): string {
  const encoder = new TextEncoder();
  const clean = text.trim();
  if (encoder.encode(clean).length <= MAX_BYTES) return clean;
  let name = '';
  for (const {segment} of new Intl.Segmenter().segment(clean)) {
    if (encoder.encode(name + segment).length > MAX_BYTES) break;
    name += segment;
  }
  return name.trim();
}
