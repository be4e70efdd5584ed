/** The example game: two pages play over a data channel that sends nothing twice, and say how long one way takes. */
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {lacks, root} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');

/** @param {import('puppeteer-core').Page} page @param {string} id */
const reads = (page, id) => page.$eval(`#${id}`, (element) => element.textContent ?? '');

test('two pages play', {skip}, async (t) => {
  const server = await Server.start();
  process.env.PARLEY_URL = server.url;
  const {build, preview} = await import('vite');
  const outDir = mkdtempSync(join(tmpdir(), 'parley-pong-'));
  const config = {root: `${root}examples/pong`, logLevel: /** @type {const} */ ('error'), build: {outDir}};
  await build(config);
  const site = await preview({...config, preview: {port: 0}});
  const browser = await launchChromium();
  try {
    const url = `${site.resolvedUrls?.local[0]}?room=court`;
    const pages = [];
    for (let i = 0; i < 2; i++) {
      const page = await browser.newPage();
      await page.goto(url);
      await page.bringToFront();
      await until('the page to have a seat', async () => !/Reaching/.test(await reads(page, 'line')));
      pages.push(page);
    }
    const [left, right] = /** @type {[import('puppeteer-core').Page, import('puppeteer-core').Page]} */ (pages);
    await until('the left side', async () => /on the left/.test(await reads(left, 'line')));
    await until('the right side', async () => /on the right/.test(await reads(right, 'line')));
    for (const page of pages) {
      await until('a steady stream', async () => Number.parseInt(await reads(page, 'rate'), 10) >= 20);
    }
    // Nobody moves, so somebody misses: the score is kept on the left and told to the right.
    await until('a point', async () => (await reads(left, 'score')) !== '0 : 0');
    await until('the same score', async () => (await reads(right, 'score')) === (await reads(left, 'score')));
    for (const [side, page] of [
      ['left', left],
      ['right', right],
    ]) {
      const p = /** @type {import('puppeteer-core').Page} */ (page);
      const figures = await Promise.all(['latency', 'worst', 'rate', 'lost'].map((id) => reads(p, id)));
      assert.match(figures[0] ?? '', /^\d+\.\d ms$/);
      t.diagnostic(`${side}: one way ${figures[0]}, worst of 100 ${figures[1]}, ${figures[2]}, lost ${figures[3]}`);
    }
  } finally {
    await browser.close();
    await site.close();
    await server.stop();
    rmSync(outDir, {recursive: true});
  }
});
