/** Everything by keyboard: the shortcuts, and the way through the page. */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {Person} from './person.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');

/** @type {Server} */
let server;
/** @type {import('puppeteer-core').Browser} */
let chromium;
/** @type {Person} */
let ann;
/** @type {Person} */
let bob;

before(async () => {
  if (skip) return;
  [server, chromium] = await Promise.all([Server.start(), launchChromium({capture: 'small'})]);
  ann = await Person.arrive(chromium, server.room('keys'), {name: 'Ann'});
  await ann.join();
  bob = await Person.arrive(chromium, server.room('keys'), {name: 'Bob'});
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});

test('join without a mouse', {skip}, async () => {
  await bob.write('Your name', 'Bob');
  await bob.page.keyboard.press('Enter');
  await bob.reaches('joined');
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
});

test('M mutes and unmutes', {skip}, async () => {
  await bob.page.keyboard.press('m');
  await bob.shows('Microphone', false);
  await ann.silence('microphone');
  await bob.page.keyboard.press('m');
  await bob.shows('Microphone', true);
  await ann.receives('microphone');
});

test('V turns the camera off and on', {skip}, async () => {
  await bob.page.keyboard.press('v');
  await bob.shows('Camera', false);
  await ann.silence('camera');
  await bob.page.keyboard.press('v');
  await bob.shows('Camera', true);
  await ann.receives('camera');
});

test('Space, held, speaks while muted', {skip}, async () => {
  await bob.page.keyboard.press('m');
  await bob.shows('Microphone', false);
  await ann.silence('microphone');
  await bob.page.bringToFront();
  await bob.blur();
  await bob.page.keyboard.down('Space');
  await ann.receives('microphone');
  await bob.page.keyboard.up('Space');
  await bob.shows('Microphone', false);
  await ann.silence('microphone');
  await bob.page.keyboard.press('m');
  await bob.shows('Microphone', true);
});

test('? shows the shortcuts, Escape hides them', {skip}, async () => {
  await bob.page.keyboard.press('?');
  await bob.reads(/Microphone on or off/);
  await bob.page.keyboard.press('Escape');
  await bob.readsNot(/Microphone on or off/);
});

test('keys typed into a field are letters', {skip}, async () => {
  await bob.open('Chat');
  await bob.page.locator(bob.selector('Message', 'textbox')).click();
  await bob.page.keyboard.type('move m v ?');
  assert.equal(await bob.state('Microphone', 'aria-pressed'), 'true');
  assert.equal(await bob.state('Camera', 'aria-pressed'), 'true');
  await bob.page.keyboard.press('Enter');
  await bob.reads(/move m v \?/);
});

test('the menu of sharing gives the focus back', {skip}, async () => {
  await bob.shut('Chat');
  await bob.open('What you share');
  await bob.page.keyboard.press('Enter');
  await bob.shows('Share screen', true);
  assert.equal((await bob.focus()).name, 'What you share');
  await bob.unshare();
});

test('a burst of messages leaves the newest in sight', {skip}, async () => {
  await ann.page.bringToFront();
  await ann.open('Chat');
  for (let i = 0; i < 15; i++) await ann.say(`${i}: ${'one long line after the other '.repeat(5)}`);
  await ann.say('the last word');
  await until('the newest message in sight', () =>
    ann.page.evaluate(() => {
      const log = document.querySelector('[role="log"]');
      const last = [...(log?.querySelectorAll('p') ?? [])].at(-1);
      if (!log || !last?.textContent?.startsWith('the last word')) return false;
      return last.getBoundingClientRect().bottom <= log.getBoundingClientRect().bottom;
    }),
  );
  await ann.shut('Chat');
  await bob.page.bringToFront();
});

test('from the landing page into a room without a mouse', {skip}, async () => {
  const eve = await Person.arrive(chromium, server.url, {name: 'Eve'});
  try {
    await eve.page.waitForSelector(eve.selector('', 'textbox'));
    await eve.page.keyboard.press('Tab');
    await eve.page.keyboard.type('keys only');
    await eve.page.keyboard.press('Enter');
    await until('the focus on the name', () => eve.page.evaluate(() => document.activeElement?.id === 'name'));
    await eve.page.keyboard.type('Eve');
    await eve.page.keyboard.press('Enter');
    await eve.reaches('joined');
    await until('her to be told', async () =>
      /You are in keys-only/.test(await eve.page.evaluate(() => document.body.textContent ?? '')),
    );
  } finally {
    await eve.depart();
  }
});

test('every control of the call is reached with Tab, and the focus shows', {skip}, async () => {
  const want = new Set(['Microphone', 'Camera', 'Share screen', 'Chat', 'People', 'Leave']);
  await bob.blur();
  for (let i = 0; i < 60 && want.size > 0; i++) {
    await bob.page.keyboard.press('Tab');
    const focus = await bob.focus();
    if (want.delete(focus.name)) assert.ok(focus.visible, `${focus.name} shows its focus`);
  }
  assert.deepEqual([...want], []);
});
