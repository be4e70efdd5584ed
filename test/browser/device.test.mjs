/** A denied or missing device never blocks joining, and the page says what to do. */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {Person} from './person.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';

const skip = lacks('parley', 'chromium');

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

/** @type {{title: string, capture: import('./chromium.mjs').Capture, words: RegExp}[]} */
const cases = [
  {title: 'denied devices', capture: 'denied', words: /may not be used on this page[\s\S]*allow/i},
  {title: 'no devices', capture: 'missing', words: /No microphone or camera found[\s\S]*join without/i},
];
for (const {title, capture, words} of cases) {
  test(`${title}: said in words, joins all the same, sees and hears`, {skip}, async () => {
    const browser = await launchChromium({capture});
    try {
      const bob = await Person.arrive(browser, server.room(capture), {name: 'Bob'});
      await bob.reads(words);
      await bob.join();
      const ann = await Person.arrive(chromium, server.room(capture), {name: 'Ann'});
      await ann.join();
      await bob.enjoysCall();
      assert.equal(await ann.received('camera'), 0);
      await bob.shows('Microphone', false);
      await bob.shows('Camera', false);
      await bob.open('Chat');
      await bob.say('I only listen');
      await ann.open('Chat');
      await ann.reads(/I only listen/);
      await ann.depart();
    } finally {
      await browser.close();
    }
  });
}

test('the sound is held back by the browser: one tap, and it plays', {skip}, async () => {
  // A page that captures nothing and was reloaded has no gesture behind it: Chromium keeps it silent.
  const browser = await launchChromium({
    capture: 'denied',
    flags: ['--autoplay-policy=document-user-activation-required'],
  });
  try {
    const bob = await Person.arrive(browser, server.room('tap'), {name: 'Bob'});
    await bob.join();
    const ann = await Person.arrive(chromium, server.room('tap'), {name: 'Ann'});
    await ann.join();
    await bob.enjoysCall();
    await bob.page.reload({waitUntil: 'domcontentloaded'});
    await bob.peeks(/Tap to hear the others/);
    await bob.pick('Tap to hear the others');
    await bob.hears();
    await bob.readsNot(/Tap to hear the others/);
    await ann.depart();
  } finally {
    await browser.close();
  }
});

test('another camera during the call', {skip}, async () => {
  const ann = await Person.arrive(chromium, server.room('switch'), {name: 'Ann'});
  await ann.join();
  const bob = await Person.arrive(chromium, server.room('switch'), {name: 'Bob'});
  await bob.join();
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  await ann.open('Settings');
  const first = await ann.chosen('Camera');
  const other = await ann.chooseLast('Camera');
  assert.notEqual(other, first);
  await Promise.all([bob.receives('camera', {by: 30}), bob.receives('microphone'), bob.watches('camera')]);
  assert.equal(await ann.chosen('Camera'), other);
  await ann.depart();
  await bob.depart();
});
