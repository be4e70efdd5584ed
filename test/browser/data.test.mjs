/** Data between a Go program and Chromium: `room.data(label)` at both ends, in order and not, text and bytes. */
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {lacks, root} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium', 'go');

/** Texts and bytes of many sizes, no two of them equal. */
function messages() {
  /** @type {(string | number[])[]} */
  const list = [];
  for (let i = 0; i < 200; i++) list.push(i % 2 ? `${i} äöü 😀 ${'x'.repeat(i * 7)}` : [i, ...Array(i * 11).fill(i)]);
  const long = Array.from({length: 65_536}, (_, i) => i % 251);
  return [...list, long, 'y'.repeat(65_536)];
}

const key = (/** @type {unknown} */ item) => JSON.stringify(item);

test('Go and Chromium exchange data', {skip}, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-data-test-'));
  const program = join(dir, 'echo');
  execFileSync('go', ['build', '-o', program, './test/browser/echo'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const server = await Server.start();
  const {build, preview} = await import('vite');
  const proxy = {'/ws': {target: server.url, ws: true, changeOrigin: true, rewriteWsOrigin: true, secure: false}};
  const config = {
    root: `${root}test/browser/echo`,
    configFile: /** @type {const} */ (false),
    logLevel: /** @type {const} */ ('error'),
    build: {outDir: join(dir, 'page'), target: 'es2022'},
  };
  await build(config);
  const site = await preview({...config, preview: {port: 0, proxy}});
  const labels = {ordered: {}, unordered: {ordered: false}, once: {ordered: false, maxRetransmits: 0}};
  const child = spawn(program, [server.room('echo'), 'ordered', 'unordered:unordered', 'once:unordered:once'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const browser = await launchChromium({capture: 'small'});
  try {
    const {value} = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
    assert.equal(value, 'ready');
    const page = await browser.newPage();
    await page.goto(`${site.resolvedUrls?.local[0]}?room=echo`);
    /** @param {string} name @param {unknown[]} args @returns {Promise<any>} */
    const call = (name, ...args) => page.evaluate(`window.echo.${name}(...${JSON.stringify(args)})`);
    await call('join');
    for (const [label, delivery] of Object.entries(labels)) await call('open', label, delivery);
    const sent = messages();
    for (const label of Object.keys(labels)) {
      await until(`${label} to reach the program`, () => call('reaches', label));
      await call('send', label, sent);
      // What may be lost is not lost on a loopback, but a busy machine may be late with it.
      const enough = label === 'once' ? sent.length * 0.9 : sent.length;
      await until(`${label} to come back`, async () => (await call('got', label)).length >= enough, {
        detail: async () => `${(await call('got', label)).length} of ${sent.length}`,
      });
      const got = (await call('got', label)).map(key);
      if (label === 'ordered') assert.deepEqual(got, sent.map(key));
      const known = new Set(sent.map(key));
      assert.equal(new Set(got).size, got.length, `${label}: something came twice`);
      for (const item of got) assert.ok(known.has(item), `${label}: nobody sent ${item.slice(0, 80)}`);
      t.diagnostic(`${label}: ${got.length} of ${sent.length} came back`);
    }
  } finally {
    child.stdin.end();
    await browser.close();
    await site.close();
    await server.stop();
    rmSync(dir, {recursive: true});
  }
});
