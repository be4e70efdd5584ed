/** Tells the room what is on the screen, and how large: nothing else is to be sent here. */

import type {Room, Shown} from '@parley-rtc/sdk';

/** A picture that is shown outside of the page, such as in a window above the others. */
export interface Mini {
  seat: string;
  source: 'camera' | 'screen';
  width: number;
  height: number;
}

const TILES = '.tile[data-person][data-source]';

export class Eyes {
  #mini: Mini | null = null;
  #last = '';
  #due = 0;
  readonly #seen = new Map<Element, boolean>();
  readonly #sizes = new ResizeObserver(() => this.#soon());
  readonly #sights = new IntersectionObserver((entries) => {
    for (const {target, isIntersecting} of entries) this.#seen.set(target, isIntersecting);
    this.#soon();
  });
  readonly #tiles = new MutationObserver(() => this.#meet());
  readonly #hidden = (): void => this.tell();

  constructor(
    readonly room: Room,
    /** Whether somebody's source is sent at all, and not by me. */
    readonly sent: (seat: string, source: string) => boolean,
    readonly stage: HTMLElement,
  ) {
    this.#tiles.observe(stage, {childList: true});
    document.addEventListener('visibilitychange', this.#hidden);
    this.#meet();
  }

  set mini(mini: Mini | null) {
    this.#mini = mini;
    this.#soon();
  }

  /** People or their sources changed. */
  look(): void {
    this.#soon();
  }

  stop(): void {
    cancelAnimationFrame(this.#due);
    this.#sizes.disconnect();
    this.#sights.disconnect();
    this.#tiles.disconnect();
    document.removeEventListener('visibilitychange', this.#hidden);
  }

  /** Says it now: a page that goes out of sight draws no more frames. */
  tell(): void {
    this.#due = 0;
    const shown = this.#shown();
    const text = JSON.stringify(shown);
    if (text === this.#last) return;
    this.#last = text;
    this.room.show(shown);
  }

  #soon(): void {
    if (document.hidden) this.tell();
    else this.#due ||= requestAnimationFrame(() => this.tell());
  }

  #meet(): void {
    for (const tile of this.#seen.keys()) {
      if (tile.isConnected) continue;
      this.#seen.delete(tile);
      this.#sizes.unobserve(tile);
      this.#sights.unobserve(tile);
    }
    for (const tile of this.stage.querySelectorAll(TILES)) {
      if (this.#seen.has(tile)) continue;
      this.#seen.set(tile, true); // until the browser says otherwise: a picture that comes late is worse than one too many
      this.#sizes.observe(tile);
      this.#sights.observe(tile);
    }
    this.#soon();
  }

  #shown(): Shown[] {
    const out = new Map<string, Shown>();
    const put = (one: Shown): void => {
      const key = `${one.seat} ${one.source}`;
      const before = out.get(key);
      if (!this.sent(one.seat, one.source) || (before && before.width >= one.width)) return;
      out.set(key, one);
    };
    const scale = window.devicePixelRatio || 1;
    if (!document.hidden) {
      for (const [tile, seen] of this.#seen) {
        if (!seen || !(tile instanceof HTMLElement)) continue;
        const {person = '', source} = tile.dataset;
        const {clientWidth, clientHeight} = tile;
        if (clientWidth === 0 || (source !== 'camera' && source !== 'screen')) continue;
        put({
          seat: person,
          source,
          width: Math.round(clientWidth * scale),
          height: Math.round(clientHeight * scale),
        });
      }
    }
    if (this.#mini) put(this.#mini);
    return [...out.values()];
  }
}
