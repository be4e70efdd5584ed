/** Which browser this is, only to name the right button when a permission has to be given back by hand. */

export type Browser = 'chrome' | 'firefox' | 'safari' | 'ios' | 'android' | 'other';

export function browserOf(agent: string, touchPoints = 0): Browser {
  // An iPad says that it is a Mac; a Mac has no touch screen.
  if (/iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1)) return 'ios';
  if (/Firefox\//.test(agent)) return 'firefox';
  if (/Android/.test(agent)) return 'android';
  if (/Chrome\//.test(agent)) return 'chrome';
  if (/Safari\//.test(agent)) return 'safari';
  return 'other';
}
