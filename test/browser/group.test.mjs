/**
 * Three and more in real browsers: everybody hears and sees everybody through the hub, and nobody hears the switch to it
 * and back. Each person sends a chord that never pauses; a worklet in each page measures how it is heard. Gaps are
 * reported, never asserted: this machine is busy.
 */
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {lacks, root} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');
/** Everything takes longer with four people on two processors. */
const timeout = 60_000;

/** On a machine that cannot encode the pictures of three people: the sound alone. */
const soundOnly = process.env.PARLEY_GROUP === 'sound';

/** @type {Server} */
let server;
/** @type {import('vite').PreviewServer} */
let site;
let dir = '';

before(async () => {
  if (skip) return;
  dir = mkdtempSync(join(tmpdir(), 'parley-group-test-'));
  server = await Server.start();
  const {build, preview} = await import('vite');
  const proxy = {'/ws': {target: server.url, ws: true, changeOrigin: true, rewriteWsOrigin: true, secure: false}};
  const config = {
    root: `${root}test/browser/group`,
    configFile: /** @type {const} */ (false),
    logLevel: /** @type {const} */ ('error'),
    build: {outDir: join(dir, 'page'), target: 'es2022'},
  };
  await build(config);
  site = await preview({...config, preview: {port: 0, proxy}});
});
after(async () => {
  await site?.close();
  await server?.stop();
  if (dir) rmSync(dir, {recursive: true});
});

/** Somebody in a group, on a page of their own. */
class Member {
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
   * @param {string} room
   * @param {string} name
   * @param {number} hz
   */
  static async join(browser, room, name, hz) {
    const page = await (await browser.createBrowserContext()).newPage();
    const member = new Member(page, name);
    await page.goto(`${site.resolvedUrls?.local[0]}?room=${room}&hz=${hz}${soundOnly ? '&sound' : ''}`);
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

test('three talk through the hub, and two go there and back without a gap', {skip}, async (t) => {
  const browser = await launchChromium();
  try {
    const ann = await Member.join(browser, 'tea', 'Ann', 400);
    const bob = await Member.join(browser, 'tea', 'Bob', 900);
    for (const member of [ann, bob]) await member.senses(1);
    assert.equal((await ann.look()).people[0].path.kind, 'direct');
    await until(
      'both to reach the hub',
      async () => (await ann.look()).people[0].hub === 'yes' && (await ann.look()).me.hub === 'yes',
      {
        timeout,
        detail: () => ann.look(),
      },
    );
    await ann.gaps();
    await bob.gaps();

    const cat = await Member.join(browser, 'tea', 'Cat', 1500);
    for (const member of [ann, bob, cat]) await member.goes('hub');
    for (const member of [ann, bob, cat]) await member.senses(2);
    for (const member of [ann, bob]) t.diagnostic(`${member.name}, to the hub: ${JSON.stringify(await member.gaps())}`);
    const {people} = await ann.look();
    assert.deepEqual(
      people.map((/** @type {any} */ p) => p.path.kind),
      ['hub', 'hub'],
    );

    await cat.call('leave');
    for (const member of [ann, bob]) await member.goes('direct');
    for (const member of [ann, bob]) await member.senses(1);
    for (const member of [ann, bob]) t.diagnostic(`${member.name}, back: ${JSON.stringify(await member.gaps())}`);
    for (const member of [ann, bob, cat]) assert.deepEqual(member.faults, []);
  } finally {
    await browser.close();
  }
});
