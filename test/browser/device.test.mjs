/** A denied or missing device never blocks joining, and the page says what to do. */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {launchFirefox} from './firefox.mjs';
import {Person} from './person.mjs';
import {plugs, rememberPlugs} from './plugs.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

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

/** @param {import('puppeteer-core').Page} page */
const prepare = async (page) => {
  await page.evaluateOnNewDocument(rememberPlugs);
};

/**
 * A call of two in which Ann's devices can be unplugged.
 *
 * @param {import('puppeteer-core').Browser} browser
 * @param {string} room
 */
async function call(browser, room) {
  const ann = await Person.arrive(browser, server.room(room), {name: 'Ann', prepare});
  await ann.join();
  const bob = await Person.arrive(browser, server.room(room), {name: 'Bob'});
  await bob.join();
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  return {ann, bob, depart: () => Promise.all([ann.depart(), bob.depart()])};
}

/** The label of the device of a kind that runs. @param {Person} person @param {RegExp} kind */
async function running(person, kind) {
  return (await plugs(person, 'live')).find((/** @type {string} */ label) => kind.test(label)) ?? '';
}
const camera = /fake_device|video device/i;
const microphone = /audio/i;

/** @param {Person} ann @param {RegExp} kind @param {string} label */
function uses(ann, kind, label) {
  return until(`${ann.name} to use ${label}`, async () => (await running(ann, kind)) === label);
}

test('unplugged: the next one is taken and named; plugged in again, it is back', {skip}, async () => {
  const {ann, bob, depart} = await call(chromium, 'unplugged');
  const first = await running(ann, camera);
  const voice = await running(ann, microphone);
  await plugs(ann, 'unplug', first);
  await ann.reads(/fake_device_0 is gone\. Your camera is now fake_device_\d\./);
  assert.notEqual(await running(ann, camera), first);
  await plugs(ann, 'unplug', voice);
  await ann.reads(/Fake Default Audio Input is gone\. Your microphone is now/);
  await bob.receives('microphone');
  await ann.shows('Microphone', true);
  await ann.shows('Camera', true);
  await plugs(ann, 'plug', first);
  await ann.reads(/fake_device_0 is back and in use\./);
  await uses(ann, camera, first);
  await bob.receives('camera');
  await ann.press('Go back');
  await until('the other camera', async () => (await running(ann, camera)) !== first);
  await depart();
});

test('taken by another program: another one; all of them taken: said so, and few questions', {skip}, async () => {
  const {ann, bob, depart} = await call(chromium, 'taken');
  const [first, second] = [await running(ann, microphone), 'Fake Audio Input 1'];
  await plugs(ann, 'take', first);
  await ann.reads(/Your microphone is now/);
  await bob.receives('microphone');
  await plugs(ann, 'take', 'Fake Audio Input 2');
  await plugs(ann, 'take', second);
  await ann.reads(/Your microphone is taken by another program/);
  await bob.silence('microphone');
  await bob.reads(/muted/);
  assert.ok((await plugs(ann, 'questions')) < 12, 'no endless questions');
  await plugs(ann, 'free', second);
  await bob.receives('microphone'); // found by the search that goes on by itself
  await ann.readsNot(/taken by another program/);
  await depart();
});

test('a headset that is plugged in is offered, and taken by a press', {skip}, async () => {
  const ann = await Person.arrive(chromium, server.room('offered'), {name: 'Ann', prepare});
  await plugs(ann, 'unplug', 'Fake Audio Input 2');
  await ann.join();
  const before = await running(ann, microphone);
  await plugs(ann, 'plug', 'Fake Audio Input 2');
  await ann.reads(/Fake Audio Input 2 is plugged in\./);
  assert.equal(await running(ann, microphone), before);
  await ann.press('Use it');
  await uses(ann, microphone, 'Fake Audio Input 2');
  await ann.depart();
});

test('a speaker that vanishes: the system’s own, and back when it is there again', {skip}, async () => {
  const {ann, depart} = await call(chromium, 'speaker');
  await ann.open('Settings');
  const chosen = await ann.chooseLast('Speaker');
  const sinks = () =>
    ann.page.evaluate(() => [...document.querySelectorAll('audio')].map((a) => /** @type {any} */ (a).sinkId));
  await until('the chosen speaker', async () => (await sinks()).includes(chosen));
  await plugs(ann, 'unplug', 'Fake Audio Output 2');
  await ann.reads(/Fake Audio Output 2 is gone\. You now hear the call through your system’s speaker\./);
  await until('the system’s speaker', async () => (await sinks()).every((id) => id === ''));
  await plugs(ann, 'plug', 'Fake Audio Output 2');
  await ann.reads(/Fake Audio Output 2 is back and in use\./);
  await until('the chosen speaker again', async () => (await sinks()).includes(chosen));
  await depart();
});

test('permission taken back in the call: said with the way back, and back when it is given', {skip}, async () => {
  const browser = await launchChromium({capture: 'unasked', flags: ['--use-fake-device-for-media-stream=fps=30']});
  try {
    const address = server.room('revoked');
    const {origin} = new URL(address);
    const session = await browser.target().createCDPSession();
    /** @type {string | undefined} */
    let context;
    /** @param {'granted' | 'denied'} setting */
    const permit = async (setting) => {
      for (const name of ['camera', 'microphone']) {
        await session.send('Browser.setPermission', {
          permission: {name},
          setting,
          origin,
          ...(context && {browserContextId: context}),
        });
      }
    };
    const ann = await Person.arrive(browser, address, {
      name: 'Ann',
      prepare: async (page) => {
        context = page.browserContext().id;
        await permit('granted');
      },
    });
    await ann.shows('Camera', true);
    await ann.join();
    const bob = await Person.arrive(chromium, address, {name: 'Bob'});
    await bob.join();
    await bob.enjoysCall();
    await permit('denied');
    await ann.reads(/may not be used on this page[\s\S]*allow/i);
    await bob.silence('camera');
    assert.equal(await ann.status(), 'joined');
    await permit('granted');
    await bob.receives('camera');
    await bob.receives('microphone');
    await ann.readsNot(/may not be used/);
    await bob.depart();
  } finally {
    await browser.close();
  }
});

/** @type {[string, () => Promise<import('puppeteer-core').Browser>, string | false][]} */
const both = [
  ['Chromium', () => launchChromium(), skip],
  ['Firefox', () => launchFirefox(), lacks('parley', 'firefox')],
];
for (const [title, launch, without] of both) {
  test(`${title}: the last camera goes and comes, the system silences the microphone`, {skip: without}, async () => {
    const browser = await launch();
    try {
      const {ann, bob} = await call(browser, `last-${title.toLowerCase()}`);
      await ann.page.bringToFront(); // Firefox lists no devices to a page in the background
      for (const label of (await plugs(ann, 'labels', 'videoinput')).reverse()) await plugs(ann, 'unplug', label);
      await ann.reads(/No camera found/);
      await bob.silence('camera');
      await until('Bob to see that her camera is off', async () => (await bob.seatOfOther()) === '');
      const [label] = await plugs(ann, 'labels', 'videoinput');
      await plugs(ann, 'plug', label);
      await bob.receives('camera');
      await ann.readsNot(/No camera found/);

      const voice = await running(ann, microphone);
      await plugs(ann, 'silence', voice, true);
      await ann.reads(/Your microphone is turned off by your system/);
      await ann.shows('Microphone', true);
      await bob.reads(/muted/);
      await plugs(ann, 'silence', voice, false);
      await ann.readsNot(/turned off by your system/);
      await bob.receives('microphone');
    } finally {
      await browser.close();
    }
  });
}
