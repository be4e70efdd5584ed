/**
 * People on bare pages with nothing but a room (group/page.ts): chords and pictures that never pause, and a measure of how
 * they are heard and seen.
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {root} from './requirement.mjs';
import {until} from './until.mjs';

/** Everything takes longer with four people on two processors. */
export const timeout = 60_000;

/** On a machine that cannot encode the pictures of three people: the sound alone. */
const soundOnly = process.env.PARLEY_GROUP === 'sound';

/** The site with the page, before a server. */
export class Site {
  /**
   * @param {import('vite').PreviewServer} preview
   * @param {string} dir
   */
  constructor(preview, dir) {
    this.preview = preview;
    this.dir = dir;
  }

  /**
   * Builds the page and serves it.
   *
   * @param {import('./server.mjs').Server} server whose rooms they meet in
   */
  static async open(server) {
    const dir = mkdtempSync(join(tmpdir(), 'parley-group-test-'));
    const {build, preview} = await import('vite');
    const proxy = {'/ws': {target: server.url, ws: true, changeOrigin: true, rewriteWsOrigin: true, secure: false}};
    const config = {
      root: `${root}test/browser/group`,
      configFile: /** @type {const} */ (false),
      logLevel: /** @type {const} */ ('error'),
      build: {outDir: join(dir, 'page'), target: 'es2022'},
    };
    await build(config);
    return new Site(await preview({...config, preview: {port: 0, proxy}}), dir);
  }

  get url() {
    return this.preview.resolvedUrls?.local[0] ?? '';
  }

  async close() {
    await this.preview.close();
    rmSync(this.dir, {recursive: true});
  }
}

/** Somebody in a group, on a page of their own. */
export class Member {
  /**
   * @param {import('puppeteer-core').Page} page
   * @param {string} name
   */
  constructor(page, name) {
    this.page = page;
    this.name = name;
    /** @type {string[]} */
    this.faults = [];
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && this.faults.push(message.text()));
  }

  /**
   * @param {import('puppeteer-core').Browser} browser
   * @param {Site} site
   * @param {string} room
   * @param {string} name
   * @param {number} hz
   * @param {{query?: string, key?: string, prepare?: (page: import('puppeteer-core').Page) => Promise<unknown>}} [options] more of the
   *   page's query, the key of an encrypted room, and what is done before the page opens
   */
  static async join(browser, site, room, name, hz, {query = soundOnly ? '&sound' : '', key = '', prepare} = {}) {
    const page = await (await browser.createBrowserContext()).newPage();
    const member = new Member(page, name);
    await prepare?.(page);
    await page.goto(`${site.url}?room=${room}&hz=${hz}${query}${key && `&key=${key}`}`);
    await page.mouse.click(5, 5); // lets sound out
    await member.call('join', name);
    return member;
  }

  /** @param {string} name @param {unknown[]} args @returns {Promise<any>} */
  call(name, ...args) {
    return this.page.evaluate(`window.group.${name}(...${JSON.stringify(args)})`);
  }

  look() {
    return this.call('look');
  }

  /** Waits until this one hears and sees so many others. @param {number} others */
  async senses(others) {
    await until(
      `${this.name} to hear and see ${others}`,
      async () => {
        const {people} = await this.look();
        return (
          people.length === others &&
          people.every(
            (/** @type {any} */ p) => (soundOnly || p.frames > 5) && p.sound?.blocks > 20 && p.sound.silent < 200,
          )
        );
      },
      {timeout, detail: () => this.look()},
    );
  }

  /** Waits until the media go this way, and no switch is under way. @param {'direct' | 'hub'} kind */
  async goes(kind) {
    await until(
      `${this.name} to be on ${kind}`,
      async () => {
        const {topology} = await this.look();
        return topology?.kind === kind && !topology.next;
      },
      {timeout, detail: () => this.look()},
    );
  }

  /** The longest silence and the longest standstill of each of the others since this was asked last. */
  async gaps() {
    const {people} = await this.look();
    return people.map((/** @type {any} */ p) => ({
      name: p.name,
      silences: p.sound.runs
        .filter((/** @type {any} */ r) => r.ms > 20)
        .map((/** @type {any} */ r) => Math.round(r.ms)),
      frozen: p.longest,
      turns: p.turns,
    }));
  }
}
