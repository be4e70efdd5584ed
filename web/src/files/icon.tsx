/** The icons of files; shapes follow Lucide (ISC licence). */

import {Strokes} from '../parts/icon';

const SHAPES = {
  file: 'M15 2H6a2 2 0 0 0-2 2v16a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V7zM14 2v4a2 2 0 0 0 2 2h4',
  files:
    'M20 7h-3a2 2 0 0 1-2-2V2M9 18a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2h7l4 4v10a2 2 0 0 1-2 2zM3 7.6v12.8A1.6 1.6 0 0 0 4.6 22h9.8',
  up: 'M12 19V5M5 12l7-7 7 7',
  down: 'M12 5v14M19 12l-7 7-7-7',
  pause: 'M9 5v14M15 5v14',
  play: 'M7 4.5v15l12-7.5z',
  check: 'M20 6 9 17l-5-5',
} as const;

export function FileIcon({name}: {name: keyof typeof SHAPES}) {
  return <Strokes path={SHAPES[name]} />;
}
