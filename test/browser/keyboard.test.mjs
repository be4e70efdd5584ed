/** Everything by keyboard: the shortcuts, and the way through the page. */
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
/** @type {Person} */
let ann;
/** @type {Person} */
let bob;

before(async () => {
  if (skip) return;
  [server, chromium] = await Promise.all([Server.start(), launchChromium()]);
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
