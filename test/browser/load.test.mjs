/** What the first visit costs, and whom it asks. */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {Person} from './person.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';

const skip = lacks('parley', 'chromium');
/** JS and CSS of the first load on the wire, in bytes; the promise of the design. */
const limit = 45_000;

/** @type {Server} */
let server;
/** @type {import('puppeteer-core').Browser} */
let chromium;

before(async () => {
  if (skip) return;
  [server, chromium] = await Promise.all([Server.start(), launchChromium()]);
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});

test('the first load is small and asks no other host', {skip}, async (t) => {
  const ann = await Person.arrive(chromium, server.room('load'), {name: 'Ann'});
  await ann.reaches('lobby');
  await ann.page.waitForNetworkIdle();
  // The page names what it cannot start without; what it fetches for later, once it stands, is not part of the wait.
  const html = await (await fetch(server.room('load'))).text();
  const named = [...html.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map(([, path]) => `${server.url}${path}`);
  const code = named.reduce((sum, url) => sum + (ann.traffic.bytes.get(url)?.bytes ?? Number.NaN), 0);
  t.diagnostic(`first load, JS and CSS on the wire with headers: ${code} bytes of ${named.length} files`);
  t.diagnostic(`with what is fetched for later: ${JSON.stringify(ann.traffic.totals())}`);
  assert.ok(code > 0 && code <= limit, `JS and CSS are ${code} bytes, more than ${limit}`);
  assert.deepEqual(ann.traffic.foreign(new URL(server.url).host), []);
  assert.deepEqual(ann.faults, []);
  await ann.depart();
});

test('the page is under a policy that allows no other host and no inline script', {skip}, async () => {
  const response = await fetch(server.room('policy'));
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'self'|default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe-eval|https?:|\*/);
  assert.doesNotMatch(policy.match(/script-src[^;]*/)?.[0] ?? '', /unsafe-inline/);
});

test('from the landing page to a call of one, by the one button', {skip}, async () => {
  const ann = await Person.arrive(chromium, `${server.url}/`, {name: 'Ann'});
  await ann.press('Start a call');
  await ann.reaches('lobby');
  assert.match(ann.page.url(), /\/r\/[a-z0-9_-]+$/);
  await ann.join();
  await ann.reads(/You are the first one here/);
  await ann.depart();
});
