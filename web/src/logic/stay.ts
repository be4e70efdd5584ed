/**
 * How a call looked in this tab, kept over a reload or a crash of it: what was on, which panel was open, where the small
 * picture stood. It lives in sessionStorage, as the seat does, and is forgotten with it.
 */

import type {Corner} from '../call/corner';
import type {Shelf} from './memory';

export interface Stay {
  microphone: 'on' | 'muted' | 'off';
  camera: boolean;
  /** What kind of screen was shared; a browser gives no screen without being asked by hand. */
  screen: 'text' | 'motion' | null;
  panel: string | null;
  swapped: boolean;
  corner: Corner;
}

const PANELS = ['chat', 'people', 'files', 'settings'];

export class StayMemory {
  private readonly key: string;
  private last = '';

  constructor(
    private readonly shelf: Shelf | null,
    room: string,
  ) {
    this.key = `parley.stay.${room}`;
  }

  /** How it was, or null when nothing that makes sense is kept. */
  read(): Stay | null {
    try {
      return parse(JSON.parse(this.shelf?.getItem(this.key) ?? 'null'));
    } catch {
      return null;
    }
  }

  keep(stay: Stay): void {
    const text = JSON.stringify(stay);
    if (text === this.last) return;
    this.last = text;
    try {
      this.shelf?.setItem(this.key, text);
    } catch {
      // a reload then comes back with what the device remembers
    }
  }

  forget(): void {
    this.last = '';
    try {
      this.shelf?.removeItem(this.key);
    } catch {
      // nothing kept, nothing to forget
    }
  }
}

function parse(value: unknown): Stay | null {
  const v = value as Partial<Stay> | null;
  if (v === null || typeof v !== 'object') return null;
  const {microphone, screen, corner, panel} = v;
  if (microphone !== 'on' && microphone !== 'muted' && microphone !== 'off') return null;
  return {
    microphone,
    camera: v.camera === true,
    screen: screen === 'text' || screen === 'motion' ? screen : null,
    panel: PANELS.includes(panel ?? '') ? (panel as string) : null,
    swapped: v.swapped === true,
    corner: corner === 'tl' || corner === 'tr' || corner === 'bl' ? corner : 'br',
  };
}

/** This tab's own store, or null where it is forbidden. */
export function tabShelf(): Shelf | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}
