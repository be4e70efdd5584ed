/** The icons that only a call needs, beside those of the first load. */

import {Icon as FrontIcon, type IconName as FrontName, Strokes} from '../parts/icon';

const SHAPES = {
  screen: 'M13 3H4a2 2 0 0 0-2 2v10a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2v-3M8 21h8M12 17v4M17 8l5-5M17 3h5v5',
  chat: 'M22 17a2 2 0 0 1-2 2H6.83a2 2 0 0 0-1.42.59L3.2 21.79A.71.71 0 0 1 2 21.29V5a2 2 0 0 1 2-2h16a2 2 0 0 1 2 2z',
  people:
    'M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2M5 7a4 4 0 1 0 8 0a4 4 0 1 0-8 0M22 21v-2a4 4 0 0 0-3-3.87M16 3.13a4 4 0 0 1 0 7.74',
  settings: 'M10 5H3M12 19H3M14 3v4M16 17v4M21 12h-9M21 19h-5M21 5h-7M8 10v4M8 12H3',
  leave:
    'M2.8 14.6a1 1 0 0 0 .3 1l2.1 2a2 2 0 0 0 2.6.2l2-1.4a2 2 0 0 0 .8-1.9l-.2-.7a1 1 0 0 1 .6-1.1 13 13 0 0 1 2 0a1 1 0 0 1 .6 1.1l-.2.7a2 2 0 0 0 .8 1.9l2 1.4a2 2 0 0 0 2.6-.2l2.1-2a1 1 0 0 0 .3-1 12 12 0 0 0-18.4 0',
  copy: 'M10 8h10a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H10a2 2 0 0 1-2-2V10a2 2 0 0 1 2-2zM4 16a2 2 0 0 1-2-2V4c0-1.1.9-2 2-2h10a2 2 0 0 1 2 2',
  check: 'M20 6 9 17l-5-5',
  attach: 'm16 6-8.41 8.59a2 2 0 0 0 2.83 2.83l8.41-8.59a4 4 0 1 0-5.65-5.65l-8.38 8.54a6 6 0 1 0 8.48 8.48l8.38-8.54',
  files:
    'M20 7h-3a2 2 0 0 1-2-2V2M9 18a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2h7l4 4v10a2 2 0 0 1-2 2zM3 7.6v12.8A1.6 1.6 0 0 0 4.6 22h9.8',
  share: 'M12 2v13M16 6l-4-4-4 4M4 12v8a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-8',
  send: 'M14.54 21.69a.5.5 0 0 0 .93-.03l6.5-19a.5.5 0 0 0-.63-.63l-19 6.5a.5.5 0 0 0-.03.93l7.93 3.18a2 2 0 0 1 1.12 1.11zM21.85 2.15 10.91 13.09',
  up: 'm18 15-6-6-6 6',
  more: 'M4 12a1 1 0 1 0 2 0a1 1 0 1 0-2 0M11 12a1 1 0 1 0 2 0a1 1 0 1 0-2 0M18 12a1 1 0 1 0 2 0a1 1 0 1 0-2 0',
  keyboard:
    'M10 8h.01M12 12h.01M14 8h.01M16 12h.01M18 8h.01M6 8h.01M7 16h10M8 12h.01M4 4h16a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z',
  offline:
    'M12 20h.01M8.5 16.43a5 5 0 0 1 7 0M5 12.86a10 10 0 0 1 5.17-2.69M19 12.86a10 10 0 0 0-2.01-1.52M2 8.82a15 15 0 0 1 4.18-2.64M22 8.82a15 15 0 0 0-11.29-3.76M2 2l20 20',
} as const;

export type IconName = FrontName | keyof typeof SHAPES;

export function Icon({name}: {name: IconName}) {
  return name in SHAPES ? (
    <Strokes path={SHAPES[name as keyof typeof SHAPES]} />
  ) : (
    <FrontIcon name={name as FrontName} />
  );
}
