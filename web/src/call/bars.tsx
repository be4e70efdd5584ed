import type {Participant, Quality} from '@parley-rtc/sdk';
import {useWatch} from '../hooks';
import {useVisit} from '../visit/visit';
import {words} from './words/words';

/** Three bars: how many and their colour say the same, and so does the text for those who see neither. */
export function Bars({level, label}: {level: Quality['level']; label?: string | undefined}) {
  return (
    <span class="bars" data-level={level ?? 'none'} {...(label ? {role: 'img', 'aria-label': label} : {})}>
      <i />
      <i />
      <i />
    </span>
  );
}

/** The worse of two levels; what is not known yet is not worse. */
export function worse(a: Quality['level'], b: Quality['level']): Quality['level'] {
  return a === null ? b : b === null ? a : a < b ? a : b;
}

/** The bars on a tile. They open the panel; on small tiles and on my own they come only when something is wrong. */
export function TileBars({person, small}: {person: Participant; small: boolean}) {
  const visit = useVisit();
  useWatch(person, 'quality');
  const {level} = person.quality;
  if (level === null || (level === 2 && (small || person.isMe))) return null;
  const {bars, you} = words().quality;
  return (
    <button
      type="button"
      class="tile-bars"
      aria-label={`${person.isMe ? you : person.name}: ${bars[level]}`}
      onClick={() => visit.show('quality')}
    >
      <Bars level={level} />
    </button>
  );
}
