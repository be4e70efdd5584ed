/**
 * The controls of a call at every width: each of them lies on the stage, wide enough for a thumb, whatever stands beside
 * the stage; and what a narrow bar has no room for is found in the conversation.
 */
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {violations} from './axe.mjs';
import {launchChromium} from './chromium.mjs';
import {offerFiles} from './exchange.mjs';
import {Parcel} from './parcel.mjs';
import {Person, sizes} from './person.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';

const skip = lacks('parley', 'chromium');

/** How wide each control is at least. */
const thumb = 44;

/** @type {[string, import('puppeteer-core').Viewport, number][]} */
const windows = [
  ['a phone', /** @type {import('puppeteer-core').Viewport} */ (sizes.phone), thumb],
  ['a small phone', {...sizes.phone, width: 360, height: 640}, 40],
  ['a phone on its side', {...sizes.phone, width: 844, height: 390}, thumb],
  ['a small window', {width: 800, height: 600}, thumb],
  ['a tablet', {width: 1024, height: 768}, thumb],
];

/** Runs in the page: the controls that can be seen, and where the stage is. */
function measure() {
  const box = (/** @type {Element | null} */ element) => {
    const {left, right, top, bottom} = /** @type {Element} */ (element).getBoundingClientRect();
    return {left, right, top, bottom};
  };
  const seen = [...document.querySelectorAll('.bar button')].filter((button) => button.checkVisibility());
  return {
    stage: box(document.querySelector('.stage')),
    tools: seen.map((button) => ({name: button.getAttribute('aria-label') ?? '', ...box(button)})),
  };
}

describe('the controls', {skip}, () => {
  /** @type {Server} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let chromium;
  /** @type {Person} */
  let ann;
  const parcel = new Parcel();
  before(async () => {
    [server, chromium] = await Promise.all([Server.start(), launchChromium()]);
    ann = await Person.arrive(chromium, server.room('narrow'), {name: 'Ann'});
    await ann.join();
    const bob = await Person.arrive(chromium, server.room('narrow'), {name: 'Bob'});
    await bob.join();
    await ann.enjoysCall();
    await offerFiles(ann, [parcel.write('out/letter.txt', 10)]);
    await ann.shut('Files'); // it came with the file
  });
  after(async () => {
    await chromium?.close();
    await server?.stop();
    parcel.drop();
  });

  for (const [title, viewport, least] of windows) {
    // A bar without room for the button of the files leaves them to the conversation.
    for (const panel of viewport.isMobile ? ['', 'Chat'] : ['', 'Chat', 'Files']) {
      test(`${title}${panel && `, beside ${panel}`}`, async () => {
        await ann.page.setViewport(viewport);
        // To become a phone's, the page is loaded anew, and comes back into the call.
        await ann.page.waitForSelector('.stage');
        await ann.page.waitForSelector('.bar button');
        if (panel) await ann.open(panel);
        await ann.stir();
        await ann.still();
        const {stage, tools} = await ann.page.evaluate(measure);
        for (const {name, left, right, top, bottom} of tools) {
          const where = `${name}: ${[left, right, top, bottom].map(Math.round)} on ${JSON.stringify(stage)}`;
          assert.ok(left >= stage.left && right <= stage.right && bottom <= stage.bottom, where);
          assert.ok(Math.round(right - left) >= least && Math.round(bottom - top) >= thumb, where);
        }
        for (const name of ['Microphone', 'Camera', 'Chat', 'People', 'More', 'Leave']) {
          assert.ok(
            tools.some((tool) => tool.name === name),
            `${name} is missing`,
          );
        }
        if (panel) {
          assert.ok(await ann.has(panel === 'Chat' ? 'Send file' : 'Choose files'), 'files can be sent');
          assert.deepEqual(await violations(ann.page), []);
          await ann.shut(panel);
        }
      });
    }
  }
});
