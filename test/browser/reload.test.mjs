/**
 * A tab that is loaded again, or crashes, comes back to its seat by itself: same name, devices, panel and pictures, and
 * the others see a picture that stands still for a moment, never somebody who leaves and joins.
 */
import assert from 'node:assert/strict';
import {after, afterEach, before, describe, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {launchFirefox} from './firefox.mjs';
import {Person} from './person.mjs';
import {gapSince, median, rememberMoves} from './picture.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

/** @type {Server} */
let server;
/** @type {Person[]} */
let people = [];
let rooms = 0;

const noServer = lacks('parley');
before(async () => {
  if (!noServer) server = await Server.start();
});
after(() => server?.stop());
afterEach(async () => {
  await Promise.all(people.map((person) => person.depart().catch(() => {})));
  people = [];
});

/** Runs in the page: keeps whatever is announced, and counts how often a remote picture was taken away. */
function rememberNews() {
  /** @type {string[]} */
  const said = [];
  const news = {said, removed: 0};
  Object.defineProperty(window, '__news', {value: news});
  new MutationObserver((changes) => {
    for (const {target, addedNodes, removedNodes} of changes) {
      const element = /** @type {Element} */ (target);
      if (element.getAttribute('aria-live')) for (const node of addedNodes) said.push(node.textContent ?? '');
      for (const node of removedNodes) {
        if (node instanceof Element && (node.matches('video[data-seat]') || node.querySelector('video[data-seat]'))) {
          news.removed++;
        }
      }
    }
  }).observe(document, {subtree: true, childList: true});
}

/** @param {import('puppeteer-core').Browser} browser @param {string} name @param {string} room */
async function arrive(browser, name, room) {
  const person = await Person.arrive(browser, server.room(room), {
    name,
    prepare: async (page) => {
      await page.evaluateOnNewDocument(rememberMoves);
      await page.evaluateOnNewDocument(rememberNews);
    },
  });
  people.push(person);
  await person.join();
  return person;
}

/** A call of two. @param {import('puppeteer-core').Browser} browser */
async function call(browser) {
  const room = `reload-${++rooms}`;
  const ann = await arrive(browser, 'Ann', room);
  const bob = await arrive(browser, 'Bob', room);
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  return {ann, bob};
}

/** What was announced since the page was loaded. @param {Person} person @returns {Promise<string[]>} */
function said(person) {
  return person.page.evaluate(() => /** @type {any} */ (window).__news.said);
}

/**
 * What was said from a place on, but for a word about a line that was broken: on a slow machine, a reload may last so
 * long that it is worth one.
 *
 * @param {string[]} words
 * @param {number} from
 */
function others(words, from) {
  return words.slice(from).filter((text) => !/ is (reconnecting|back)$/.test(text));
}

/** @param {Person} person */
function removed(person) {
  return person.page.evaluate(() => /** @type {any} */ (window).__news.removed);
}

/**
 * Reloads, and waits until pictures move on both sides again.
 *
 * @param {Person} who
 * @param {Person} other
 * @param {() => Promise<unknown>} reload
 * @returns {Promise<{own: number, others: number}>} from the reload to the first new frame, in milliseconds
 */
async function back(who, other, reload) {
  const from = Date.now();
  await reload();
  await until(`${who.name} to see again`, () => gapSince(who, from), {detail: () => who.look()});
  await who.receives('camera');
  await other.receives('camera');
  const again = await until(`${other.name} to see again`, () => gapSince(other, from));
  const first = await who.page.evaluate(() => /** @type {any} */ (window).__moves[0]);
  return {own: first - from, others: again.back - from};
}

/** @type {[string, () => Promise<import('puppeteer-core').Browser>, number, string | false][]} */
const browsers = [
  ['Chromium', () => launchChromium({capture: 'small'}), 5, lacks('parley', 'chromium')],
  ['Firefox', () => launchFirefox(), 5, lacks('parley', 'firefox')],
];
for (const [title, launch, times, skip] of browsers) {
  describe(title, {skip}, () => {
    /** @type {import('puppeteer-core').Browser} */
    let browser;
    before(async () => {
      browser = await launch();
    });
    after(() => browser?.close());

    test('the same seat, at once, and nobody is told', async (t) => {
      const {ann, bob} = await call(browser);
      const seat = await ann.seatOfOther();
      const before = await said(ann);
      /** @type {{own: number, others: number}[]} */
      const figures = [];
      for (let i = 0; i < times; i++) {
        figures.push(await back(bob, ann, () => bob.page.reload({waitUntil: 'domcontentloaded'})));
        await bob.reaches('joined');
      }
      assert.equal(await ann.seatOfOther(), seat);
      assert.deepEqual(others(await said(ann), before.length), [], 'nobody came, left or fell silent');
      assert.equal(await removed(ann), 0, 'his picture was never taken away');
      await bob.shows('Microphone', true);
      await bob.shows('Camera', true);
      const ms = (/** @type {'own' | 'others'} */ side) => Math.round(median(figures.map((f) => f[side])));
      t.diagnostic(
        `reload → first frame, median of ${times}: ${ms('own')} ms where it was loaded again, ${ms('others')} ms at the other side`,
      );
    });

    test('what was off stays off, what was open is open', async () => {
      const {ann, bob} = await call(browser);
      await bob.press('Microphone');
      await bob.press('Camera');
      await bob.shows('Camera', false);
      await ann.silence('camera');
      await bob.open('Chat');
      await bob.page.reload({waitUntil: 'domcontentloaded'});
      await bob.reaches('joined');
      await bob.receives('camera');
      await bob.shows('Microphone', false);
      await bob.shows('Camera', false);
      assert.equal(await bob.state('Chat', 'aria-expanded'), 'true');
      await ann.silence('microphone');
      assert.equal(await ann.received('camera'), 0);
      await bob.press('Microphone');
      await ann.receives('microphone');
    });

    test('who has left does not come back by reloading', async () => {
      const {ann, bob} = await call(browser);
      await bob.press('Leave');
      await bob.reads(/You left/);
      await bob.page.reload({waitUntil: 'domcontentloaded'});
      await bob.reaches('lobby');
      assert.ok(await bob.has('Join'));
      await ann.reads(/Bob has left/);
    });
  });
}

describe('Chromium, besides', {skip: lacks('parley', 'chromium')}, () => {
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  before(async () => {
    browser = await launchChromium({capture: 'small'});
  });
  after(() => browser?.close());

  test('a renderer that dies: the tab that is loaded again has its seat', async (t) => {
    const {ann, bob} = await call(browser);
    const seat = await ann.seatOfOther();
    const before = (await said(ann)).length;
    const session = await bob.page.createCDPSession();
    const died = new Promise((resolve) => bob.page.once('error', resolve));
    session.send('Page.crash').catch(() => {}); // never answered
    await died;
    await ann.reads(/Reconnecting…/);
    const figures = await back(bob, ann, () => bob.page.reload({waitUntil: 'domcontentloaded'}));
    await bob.reaches('joined');
    assert.equal(await ann.seatOfOther(), seat);
    assert.equal(await removed(ann), 0);
    assert.deepEqual(others(await said(ann), before), []);
    t.diagnostic(`crash, then reload → first frame: ${Math.round(figures.own)} ms`);
  });

  test('the picture stands still and dim while its tab is away', async () => {
    const {ann, bob} = await call(browser);
    const before = (await said(ann)).length;
    await bob.page.goto('about:blank'); // gone, but not given up
    await ann.reads(/Reconnecting…/);
    const still = await ann.page.evaluate(() => {
      const tile = document.querySelector('.tile[data-lost="true"]');
      const picture = tile?.querySelector('canvas:not([hidden]), video');
      return {picture: picture !== null, avatar: tile?.querySelector('.avatar') !== null};
    });
    assert.deepEqual(still, {picture: true, avatar: false});
    await until('the news that he is away', async () => (await said(ann)).includes('Bob is reconnecting'));
    await bob.page.goBack({waitUntil: 'domcontentloaded'});
    await bob.reaches('joined');
    await ann.receives('camera');
    await ann.readsNot(/Reconnecting…/);
    await until('the news that he is back', async () => (await said(ann)).at(-1) === 'Bob is back');
    const words = (await said(ann)).slice(before);
    assert.deepEqual(others(words, 0), []);
    for (const [i, word] of words.entries()) {
      assert.equal(word, i % 2 === 0 ? 'Bob is reconnecting' : 'Bob is back', 'each once, in turn');
    }
  });

  test('a shared screen is offered again, for only a hand may share it', async () => {
    const {ann, bob} = await call(browser);
    await bob.share('Text and slides');
    await ann.receives('screen');
    await bob.page.reload({waitUntil: 'domcontentloaded'});
    await bob.reaches('joined');
    await bob.reads(/You were sharing your screen/);
    await bob.press('Share again');
    await bob.shows('Share screen', true);
    await ann.receives('screen');
    await bob.readsNot(/You were sharing your screen/);
  });
});
