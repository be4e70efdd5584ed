/** What this device remembers of how its person likes conferences. A browser that keeps nothing is fine. */

import {deviceShelf, type Shelf} from '../logic/memory';

export interface Prefs {
  view: 'grid' | 'speaker';
  captions: boolean;
  /** Wishes for what the device does to picture and sound; absent: as it is by itself. */
  blur: boolean;
  noise: boolean;
  voice: boolean;
}

const KEY = 'parley.conference';
const usual: Prefs = {view: 'grid', captions: false, blur: false, noise: true, voice: false};

export function readPrefs(shelf: Shelf | null = deviceShelf()): Prefs {
  try {
    const kept = JSON.parse(shelf?.getItem(KEY) ?? '{}') as Partial<Record<keyof Prefs, unknown>>;
    const flag = (key: 'captions' | 'blur' | 'noise' | 'voice'): boolean =>
      typeof kept[key] === 'boolean' ? (kept[key] as boolean) : usual[key];
    return {
      view: kept.view === 'speaker' ? 'speaker' : 'grid',
      captions: flag('captions'),
      blur: flag('blur'),
      noise: flag('noise'),
      voice: flag('voice'),
    };
  } catch {
    return usual;
  }
}

export function keepPrefs(change: Partial<Prefs>, shelf: Shelf | null = deviceShelf()): void {
  try {
    shelf?.setItem(KEY, JSON.stringify({...readPrefs(shelf), ...change}));
  } catch {
    // a full or forbidden store only means that nothing is remembered
  }
}
