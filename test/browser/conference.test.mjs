/** Three and more in real pages: who is where, hands, signs, roles, the waiting room, and what it looks like. */
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {after, afterEach, before, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {violations} from './axe.mjs';
import {launchChromium} from './chromium.mjs';
import {Person, sizes} from './person.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');
const shots = fileURLToPath(new URL('shots/', import.meta.url));

/** @type {Server} */
let server;
/** @type {import('puppeteer-core').Browser} */
let chromium;
/** @type {Person[]} */
let people = [];

before(async () => {
  if (skip) return;
  mkdirSync(shots, {recursive: true});
  [server, chromium] = await Promise.all([Server.start(), launchChromium({capture: 'small'})]);
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});
afterEach(async () => {
  await Promise.all(people.map((person) => person.depart()));
  people = [];
});

/** Small pictures: the machine that runs this has to draw and encode all of them. */
const small = {width: 640, height: 480};

/**
 * @param {string} name
 * @param {string} url
 * @param {{size?: import('puppeteer-core').Viewport, scheme?: 'light' | 'dark'}} [look]
 */
async function arrive(name, url, look = {size: small}) {
  const person = await Person.arrive(chromium, url, {name, ...look});
  people.push(person);
  return person;
}

/** Three in one room, the first of them its host. @param {string} room */
async function three(room) {
  const url = server.room(room);
  const ann = await arrive('Ann', url);
  await ann.join();
  const bob = await arrive('Bob', url);
  await bob.join();
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  const cyd = await arrive('Cyd', url);
  await cyd.join();
  await Promise.all([ann, bob, cyd].map((person) => tiles(person, 3)));
  return {url, ann, bob, cyd};
}

/**
 * Waits until a page shows so many people, each in a box of their own, on the screen and apart.
 *
 * @param {Person} person
 * @param {number} count
 */
async function tiles(person, count) {
  await until(
    `${person.name} to see ${count}`,
    () =>
      person.page.evaluate((wanted) => {
        const boxes = [...document.querySelectorAll('.tile[data-place="cell"]')].map((t) => t.getBoundingClientRect());
        const apart = boxes.every((a, i) =>
          boxes
            .slice(i + 1)
            .every((b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top),
        );
        const inside = boxes.every(
          (b) => b.left >= 0 && b.top >= 0 && b.right <= innerWidth && b.bottom <= innerHeight,
        );
        return boxes.length === wanted && apart && inside;
      }, count),
    {detail: () => person.look()},
  );
}

/**
 * Waits until pictures of so many others move in a page.
 *
 * @param {Person} person
 * @param {number} count
 */
async function sees(person, count) {
  await until(
    `${person.name} to see ${count} moving pictures`,
    () =>
      person.page.evaluate(
        (wanted) =>
          [...document.querySelectorAll('.tile video[data-seat]')].filter(
            (v) => v instanceof HTMLVideoElement && v.videoWidth > 0 && v.currentTime > 0,
          ).length >= wanted,
        count,
      ),
    {detail: () => person.look()},
  );
}

test('a third person comes: everybody sees and hears everybody, each in a box of their own', {skip}, async () => {
  const {ann, bob, cyd} = await three('third');
  await Promise.all([ann, bob, cyd].map((person) => sees(person, 2)));
  await Promise.all([ann, bob, cyd].map((person) => person.hears()));
  await ann.reads(/Through the server/);
});

test('hands have an order that is the same for all, and a host lowers them', {skip}, async () => {
  const {ann, bob, cyd} = await three('hands');
  await bob.page.keyboard.press('h');
  await until('Ann to see the first hand', () => ann.has('hand raised, number 1', 'image'));
  await cyd.page.keyboard.press('h');
  await until('Ann to see the second hand', () => ann.has('hand raised, number 2', 'image'));
  await ann.open('People');
  await ann.press('Lower hand: Bob');
  await ann.reads(/Raised hands/);
  await until('Cyd to be first', async () => !(await ann.has('Lower hand: Bob')) && ann.has('Lower hand: Cyd'));
});

test('a sign is seen by the others for a moment', {skip}, async () => {
  const {ann, bob} = await three('signs');
  await bob.open('More');
  await bob.press('Applause', 'menuitem');
  await until('Ann to see applause', () =>
    ann.page.evaluate(() => document.querySelector('.sign[data-kind="applause"]') !== null),
  );
  await until('it to go', () => ann.page.evaluate(() => document.querySelector('.sign') === null));
});

test('a host mutes everybody, makes somebody a listener, and invites them to speak', {skip}, async () => {
  const {ann, bob, cyd} = await three('roles');
  await ann.open('People');
  await ann.press('Mute everybody');
  await bob.shows('Microphone', false);
  await cyd.shows('Microphone', false);
  await ann.press('What you can do about Bob');
  await ann.press('Only listen: Bob');
  await bob.reads(/You are listening/);
  assert.equal(await bob.has('Microphone'), false, 'a listener has nothing to turn on');
  await ann.press('Invite to speak: Bob');
  await bob.reads(/invites you to speak/);
  await bob.press('Speak');
  await until('Bob to have a microphone again', () => bob.has('Microphone'));
  await ann.press('What you can do about Cyd');
  await ann.press('Make host: Cyd');
  await cyd.reads(/You are a host now/);
});

test('who waits says why, reads what the host says, and the host hears of it', {skip}, async () => {
  const url = server.room('reasons');
  const ann = await arrive('Ann', url);
  await ann.join();
  await ann.open('People');
  await ann.flip('Waiting room');
  const bob = await arrive('Bob', url);
  await bob.write('Who you are, and why (optional)', 'the plumber');
  await bob.knock();
  await bob.reaches('waiting');
  await ann.reads(/the plumber/);
  await ann.write('What those who wait are told', 'Five minutes, please.');
  await ann.press('Tell them');
  await bob.reads(/Five minutes, please/);
  await ann.press('Admit Bob');
  await bob.reaches('joined');
});

test('only what is seen is received: a page that shows one picture gets one', {skip}, async () => {
  const {ann} = await three('shown');
  await sees(ann, 2);
  await ann.open('More');
  await ann.pick('Whoever speaks', 'menuitemradio');
  await until('somebody to take the stage', () =>
    ann.page.evaluate(() => document.querySelectorAll('.tile[data-main="true"]').length === 1),
  );
  await tiles(ann, 3);
});

for (const [size, viewport] of Object.entries(sizes)) {
  for (const scheme of /** @type {('light' | 'dark')[]} */ (['light', 'dark'])) {
    describe(`${size}, ${scheme}`, {skip}, () => {
      const tag = `${viewport.width}x${viewport.height}-${scheme}`;

      test('three', async () => {
        const url = server.room(`look-${size}-${scheme}`);
        const ann = await arrive('Ann', url, {size: viewport, scheme});
        await ann.join();
        for (const name of ['Bob', 'Cyd']) await (await arrive(name, url)).join();
        await tiles(ann, 3);
        await sees(ann, 2);
        await inspect(ann, `conference-${tag}`);
        await ann.open('More');
        await inspect(ann, `conference-more-${tag}`);
        await ann.page.keyboard.press('Escape');
        await ann.open('People');
        await ann.reads(/3 in the room/);
        await inspect(ann, `conference-people-${tag}`);
        await ann.shut('People');
        await people[1]?.share('Text and slides');
        await until('the screen to take the stage', () =>
          ann.page.evaluate(() => document.querySelector('.tile[data-main="true"][data-source="screen"]') !== null),
        );
        await inspect(ann, `conference-screen-${tag}`);
      });
    });
  }
}

/**
 * Takes a picture, and lets axe and the width of the page say what is wrong.
 *
 * @param {Person} person
 * @param {string} name
 */
async function inspect(person, name) {
  await person.stir();
  await person.still();
  await person.page.screenshot({path: `${shots}${name}.png`});
  assert.deepEqual(await violations(person.page), [], name);
  const wide = await person.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px too wide`);
}
