/**
 * A person in front of a browser: finds controls by their accessible names and roles, presses them, looks and listens.
 *
 * A person never reaches into the app. What they see is the accessibility tree; what they hear and see of others is
 * proved by what the browser itself decoded (links.mjs).
 */
import {Controls} from './controls.mjs';
import {carrier, readLinks, rememberLinks} from './links.mjs';
import {Traffic} from './traffic.mjs';
import {patience, until} from './until.mjs';

/**
 * The sizes at which the app is looked at.
 * @type {Record<string, import('puppeteer-core').Viewport>}
 */
export const sizes = {
  desktop: {width: 1440, height: 900},
  phone: {width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 2},
};

export class Person extends Controls {
  /**
   * @param {import('puppeteer-core').BrowserContext} context
   * @param {import('puppeteer-core').Page} page
   * @param {string} name
   * @param {'chromium' | 'firefox'} browser
   */
  constructor(context, page, name, browser) {
    super(page, name, browser);
    this.context = context;
    this.traffic = new Traffic();
    /** What the page said on its console as an error, and what it threw. @type {string[]} */
    this.faults = [];
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(message.text());
    });
  }

  /**
   * Opens a page in a profile of their own, a private one unless `context` is another.
   *
   * @param {import('puppeteer-core').Browser} browser
   * @param {string} url
   * @param {{name?: string, size?: import('puppeteer-core').Viewport, scheme?: 'light' | 'dark',
   *   context?: import('puppeteer-core').BrowserContext,
   *   prepare?: (page: import('puppeteer-core').Page) => Promise<void>}} [options] `prepare` runs before the page opens
   */
  static async arrive(browser, url, {name = 'Ann', size, scheme, context: own, prepare} = {}) {
    const context = own ?? (await browser.createBrowserContext());
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    const kind = /firefox/i.test(await browser.version()) ? 'firefox' : 'chromium';
    const person = new Person(context, page, name, kind);
    await person.traffic.watch(page, kind === 'chromium');
    await page.evaluateOnNewDocument(rememberLinks);
    if (size) await page.setViewport(size);
    if (scheme) await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
    await prepare?.(page);
    await page.goto(url, {waitUntil: 'domcontentloaded'});
    return person;
  }

  /** Closes the page and forgets its profile. */
  async depart() {
    await this.context.close();
  }

  /** Where the room session stands. */
  status() {
    return this.page.evaluate(() => document.documentElement.dataset.status ?? '');
  }

  /** @param {string} status */
  async reaches(status) {
    await until(`${this.name} to be ${status}`, async () => (await this.status()) === status, {
      detail: () => this.look(),
    });
  }

  /** Says their name and presses Join; does not wait for the outcome. */
  async knock() {
    await this.write('Your name', this.name);
    await this.press('Join');
  }

  /** Joins and waits for a seat. */
  async join() {
    await this.knock();
    await this.reaches('joined');
  }

  /**
   * Shares the screen.
   *
   * @param {string} kind the words in the menu
   */
  async share(kind) {
    await this.open('What you share');
    await this.pick(kind, 'menuitemradio');
    await this.shows('Share screen', true);
  }

  /** Ends sharing. */
  async unshare() {
    await this.press('Share screen');
    await this.shows('Share screen', false);
  }

  /**
   * Writes into the chat that is open.
   *
   * @param {string} text
   */
  async say(text) {
    await this.write('Message', text);
    await this.press('Send');
  }

  /** What the chat that is open says. */
  async log() {
    const handle = await until(`${this.name}'s chat`, () => this.page.$(this.selector('Chat', 'log')));
    try {
      return await handle.evaluate((element) => element.textContent ?? '');
    } finally {
      await handle.dispose();
    }
  }

  /** Looks back in the chat that is open, as far as it goes: a long one is drawn in parts. */
  async looksBack() {
    while (await this.has('Show earlier messages')) {
      const drawn = (await this.log()).length;
      await this.press('Show earlier messages');
      await until(`${this.name} to read more`, async () => (await this.log()).length > drawn);
    }
  }

  /** The seat of the other person, by the picture on the stage. */
  seatOfOther() {
    return this.page.evaluate(() => {
      const video = document.querySelector('video[data-seat][data-source="camera"]');
      return video instanceof HTMLElement ? (video.dataset.seat ?? '') : '';
    });
  }

  /**
   * Waits until the page says something, without touching it: what is asked in the usual way counts as a gesture, which
   * lets sound out. Chromium only.
   *
   * @param {RegExp} words
   */
  async peeks(words) {
    const session = await this.page.createCDPSession();
    await until(`${this.name} to see ${words}`, async () => {
      const {result} = await session.send('Runtime.evaluate', {
        expression: 'document.body.textContent',
        userGesture: false,
      });
      return words.test(String(result.value));
    });
    await session.detach();
  }

  /** Waits until sound of another person comes out of the page. */
  async hears() {
    await until(`${this.name} to hear`, () =>
      this.page.evaluate(() =>
        [...document.querySelectorAll('audio[data-seat], video[data-seat]')].some(
          (element) =>
            element instanceof HTMLMediaElement && !element.muted && !element.paused && element.currentTime > 0,
        ),
      ),
    );
  }

  /** The links that are up now. */
  links() {
    return readLinks(this.page);
  }

  /** The one link of a two-person call. */
  async link() {
    return until(
      `${this.name} to have one link`,
      async () => {
        const links = await this.links();
        return links.length === 1 ? links[0] : null;
      },
      {detail: () => this.look()},
    );
  }

  /** What carries the call, by the browser's own account. */
  async carrier() {
    return carrier(await this.link());
  }

  /**
   * What was received of a source so far: frames for pictures, energy for sound; 0 without a link.
   *
   * @param {'microphone' | 'camera' | 'screen' | 'screen-audio'} source
   */
  async received(source) {
    const links = await this.links();
    const streams = links.flatMap((link) => link.received).filter((stream) => stream.source === source);
    const picture = source === 'camera' || source === 'screen';
    return streams.reduce((sum, stream) => sum + (picture ? stream.frames : stream.energy), 0);
  }

  /**
   * Waits until more of a source has been decoded than was when asked.
   *
   * @param {'microphone' | 'camera' | 'screen' | 'screen-audio'} source
   * @param {{by?: number, timeout?: number}} [options] how much more: frames, or any energy at all
   */
  async receives(source, {by, timeout} = {}) {
    const before = await this.received(source);
    const more = by ?? (source === 'camera' || source === 'screen' ? 5 : 1e-9);
    await until(`${this.name} to receive ${source}`, async () => (await this.received(source)) >= before + more, {
      timeout,
      detail: () => this.look(),
    });
  }

  /**
   * Waits until nothing more of a source arrives: two looks, `apart` milliseconds from each other, are the same.
   *
   * @param {'microphone' | 'camera' | 'screen' | 'screen-audio'} source
   * @param {number} [apart]
   */
  async silence(source, apart = 700) {
    let last = Number.NaN;
    await until(
      `${this.name} to stop receiving ${source}`,
      async () => {
        const now = await this.received(source);
        const same = now - last <= silent(source);
        last = now;
        return same;
      },
      {every: apart, detail: () => this.look()},
    );
  }

  /**
   * Waits until a remote picture moves on the page: the element itself presents new frames.
   *
   * @param {'camera' | 'screen'} source
   * @param {number} [frames] how many new ones
   */
  async watches(source, frames = 5) {
    /** @type {number | null} */
    let first = null;
    await until(
      `${this.name} to watch ${source}`,
      async () => {
        const shown = await this.page.evaluate(presented, source);
        if (shown === null) return false;
        if (first !== null && shown < first) first = null; // another stream in the same element
        first ??= shown;
        return shown >= first + frames;
      },
      {detail: () => this.look()},
    );
  }

  /** Media in both senses, received and shown: the proof of a call from this side. */
  async enjoysCall() {
    await Promise.all([this.receives('camera'), this.receives('microphone'), this.watches('camera')]);
  }

  /** Everything that helps to understand a failure. */
  async look() {
    return {
      who: this.name,
      status: await this.status().catch(String),
      text: await this.text().catch(String),
      links: await this.links().catch(String),
      faults: this.faults,
    };
  }
}

/**
 * Runs in the page: how many frames of a remote picture were put on the screen; null when it is not there, or stands.
 * Asked with requestVideoFrameCallback, which both browsers have; Firefox counts nothing in getVideoPlaybackQuality for
 * live streams.
 *
 * @param {string} source
 * @returns {Promise<number | null>}
 */
function presented(source) {
  const video = document.querySelector(`video[data-seat][data-source="${source}"]`);
  if (!(video instanceof HTMLVideoElement)) return Promise.resolve(null);
  return new Promise((resolve) => {
    video.requestVideoFrameCallback((_, frame) => resolve(frame.presentedFrames));
    setTimeout(resolve, 1000, null);
  });
}

/**
 * How much may still trickle in of a source that is off. A muted microphone sends comfort frames whose energy is not
 * exactly nothing.
 *
 * @param {string} source
 */
function silent(source) {
  return source === 'camera' || source === 'screen' ? 0 : 1e-7;
}
