/** The quality panel in both browsers: live figures, words for those who do not see the charts, nothing that axe minds. */
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {violations} from './axe.mjs';
import {launchChromium} from './chromium.mjs';
import {launchFirefox} from './firefox.mjs';
import {Person, sizes} from './person.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');
const skipFirefox = skip || lacks('firefox');

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

/** The charts' texts on a page. @param {Person} person @returns {Promise<string[]>} */
function charts(person) {
  return person.page.$$eval('.multiple svg', (all) => all.map((svg) => svg.getAttribute('aria-label') ?? ''));
}

/** How many seconds of a chart's first line are drawn. @param {Person} person @param {number} chart */
function drawn(person, chart) {
  return person.page.$$eval(
    '.multiple svg',
    (all, i) => (all[i]?.querySelector('[data-line="0"]')?.getAttribute('d') ?? '').split(/[ML]/).length - 1,
    chart,
  );
}

/**
 * What a person reads in the panel while the call goes on.
 *
 * @param {Person} person
 * @param {string} other the name of who they talk to
 */
async function looks(person, other) {
  await person.stir();
  await person.pick('Direct');
  // A busy machine makes bad calls: what matters here is that there is a verdict.
  await until(
    `${person.name} to read a verdict`,
    async () => !/Measuring|^Connection$/.test(await person.panel('Connection')),
  );
  const before = await drawn(person, 0);
  await until(`${person.name}'s chart to move on`, async () => (await drawn(person, 0)) > before + 2);
  const [rate, lost, trip] = await charts(person);
  assert.match(String(rate), /Rate, Received: now [\d.]+ [kM]bit\/s, between .* Rate, Sent: now [\d.]+ [kM]bit\/s/);
  assert.match(String(lost), /Lost, Received: now [\d.]+ %/);
  if (person.browser === 'chromium') assert.match(String(trip), /Round trip: now \d+ ms/);
  await person.page.click('.numbers summary');
  const figures = await until(`${person.name} to read figures`, async () => {
    const text = await person.panel('Connection');
    return /Picture from[\s\S]*Frames[\s\S]*Size|Picture from[\s\S]*Size[\s\S]*Frames/.test(text) ? text : null;
  });
  assert.match(figures, new RegExp(`Sound from ${other}`));
  assert.match(figures, new RegExp(`Picture to ${other}`));
  assert.doesNotMatch(figures, /NaN|undefined|null|Infinity/);
  assert.deepEqual(await violations(person.page), []);
  return figures;
}

describe('Chromium and Chromium', {skip}, () => {
  test('live figures, at both sizes', async () => {
    const ann = await Person.arrive(chromium, server.room('figures'), {name: 'Ann', size: sizes.desktop});
    await ann.join();
    const bob = await Person.arrive(chromium, server.room('figures'), {name: 'Bob', size: sizes.phone});
    await bob.join();
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
    await looks(ann, 'Bob');
    await looks(bob, 'Ann');
    // The panel gives the focus back to what opened it.
    await ann.press('Close');
    await until('the focus to be back on the line', () =>
      ann.page.evaluate(() => document.activeElement?.id === 'open-quality'),
    );
    for (const person of [ann, bob]) {
      assert.deepEqual(person.faults, [], person.name);
      await person.depart();
    }
  });
});

describe('Chromium and Firefox', {skip: skipFirefox}, () => {
  /** @type {import('puppeteer-core').Browser} */
  let firefox;
  before(async () => {
    firefox = await launchFirefox();
  });
  after(async () => {
    await firefox?.close();
  });

  test('live figures in both', async (t) => {
    const ann = await Person.arrive(chromium, server.room('foxes'), {name: 'Ann'});
    await ann.join();
    const bob = await Person.arrive(firefox, server.room('foxes'), {name: 'Bob'});
    await bob.join();
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
    await looks(ann, 'Bob');
    t.diagnostic((await looks(bob, 'Ann')).replace(/\s+/g, ' '));
    for (const person of [ann, bob]) {
      assert.deepEqual(person.faults, [], person.name);
      await person.depart();
    }
  });
});
