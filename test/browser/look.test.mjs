/**
 * Every page at desktop and phone size, light and dark: axe finds nothing, nothing spills over the side, and a picture
 * is left in shots/ for human eyes.
 */
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {after, before, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {violations} from './axe.mjs';
import {launchChromium} from './chromium.mjs';
import {Person, sizes} from './person.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';

const skip = lacks('parley', 'chromium');
const shots = fileURLToPath(new URL('shots/', import.meta.url));

/** @type {Server} */
let server;
/** @type {import('puppeteer-core').Browser} */
let chromium;
/** @type {import('puppeteer-core').Browser} */
let denying;

before(async () => {
  if (skip) return;
  mkdirSync(shots, {recursive: true});
  [server, chromium, denying] = await Promise.all([
    Server.start(),
    launchChromium(),
    launchChromium({capture: 'denied'}),
  ]);
});
after(async () => {
  await Promise.all([chromium?.close(), denying?.close()]);
  await server?.stop();
});

/**
 * Takes the picture, then looks closely.
 *
 * @param {Person} person
 * @param {string} name
 */
async function inspect(person, name) {
  await person.stir(); // controls in sight, and the pointer over none of them
  await person.still();
  await person.page.screenshot({path: `${shots}${name}.png`});
  assert.deepEqual(await violations(person.page), [], name);
  const wide = await person.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px too wide`);
}

for (const [size, viewport] of Object.entries(sizes)) {
  for (const scheme of /** @type {('light' | 'dark')[]} */ (['light', 'dark'])) {
    describe(`${size}, ${scheme}`, {skip}, () => {
      const tag = `${viewport.width}x${viewport.height}-${scheme}`;
      const look = {size: viewport, scheme};
      /** @type {Person} */
      let ann;
      /** @type {Person | undefined} */
      let bob;
      after(async () => {
        await ann?.depart();
        await bob?.depart();
      });

      test('landing', async () => {
        ann = await Person.arrive(chromium, `${server.url}/`, {name: 'Ann', ...look});
        await ann.reads(/Start a call/);
        await inspect(ann, `landing-${tag}`);
      });

      test('before joining', async () => {
        await ann.page.goto(server.room(`look-${size}-${scheme}`), {waitUntil: 'domcontentloaded'});
        await ann.reaches('lobby');
        await ann.reads(/Direct connection likely|Your network/);
        await ann.shows('Camera', true);
        await inspect(ann, `prejoin-${tag}`);
      });

      test('alone', async () => {
        await ann.join();
        await ann.reads(/You are the first one here/);
        assert.ok(await ann.has('Copy link'));
        await inspect(ann, `alone-${tag}`);
      });

      test('in a call', async () => {
        bob = await Person.arrive(chromium, server.room(`look-${size}-${scheme}`), {name: 'Bob'});
        await bob.join();
        await ann.enjoysCall();
        await ann.stir();
        await inspect(ann, `call-${tag}`);
      });

      test('chat', async () => {
        await bob?.open('Chat');
        await bob?.say('Do you see me?');
        await ann.open('Chat');
        await ann.say('I see you well.');
        await ann.reads(/Do you see me\?/);
        await inspect(ann, `chat-${tag}`);
        await ann.shut('Chat');
      });

      test('people', async () => {
        await ann.open('People');
        await ann.reads(/in the room/);
        await inspect(ann, `people-${tag}`);
        await ann.shut('People');
      });

      test('devices denied', async () => {
        const carl = await Person.arrive(denying, server.room(`denied-${size}-${scheme}`), {name: 'Carl', ...look});
        await carl.reads(/may not be used on this page/);
        await inspect(carl, `denied-${tag}`);
        await carl.depart();
      });
    });
  }
}
