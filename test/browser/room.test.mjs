/** Who gets in and who rules: seats, locks, the waiting room, and what a host may do. */
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {after, afterEach, before, test} from 'node:test';
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
/** @type {Person[]} */
let people = [];

before(async () => {
  if (skip) return;
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

/** @param {string} name @param {string} url */
async function arrive(name, url) {
  const person = await Person.arrive(chromium, url, {name});
  people.push(person);
  return person;
}

test('a third person is told that the room is full, and may come when there is room', {skip}, async (t) => {
  const env = {...process.env, PARLEY_ROOMS_SEATS: '2'};
  const small = await Server.start({run: (program, args) => spawn(program, args, {env})});
  t.after(() => small.stop());
  const url = small.room('three');
  const ann = await arrive('Ann', url);
  await ann.join();
  const bob = await arrive('Bob', url);
  await bob.join();
  const carl = await arrive('Carl', url);
  await carl.knock();
  await carl.reads(/Every seat is taken/);
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  await bob.press('Leave');
  await carl.readsNot(/Every seat is taken/);
  await carl.press('Join');
  await carl.reaches('joined');
  await Promise.all([ann.enjoysCall(), carl.enjoysCall()]);
});

test('the waiting room: nothing before the host admits, everything after', {skip}, async () => {
  const url = server.room('waiting');
  const ann = await arrive('Ann', url);
  await ann.join();
  await ann.open('People');
  await ann.flip('Waiting room');
  const bob = await arrive('Bob', url);
  await bob.knock();
  await bob.reaches('waiting');
  await bob.reads(/Waiting for a host to let you in/);
  assert.deepEqual(await bob.links(), [], 'no path before the host admits');
  await ann.press('Admit Bob');
  await bob.reaches('joined');
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
});

test('the waiting room: a host may refuse', {skip}, async () => {
  const url = server.room('refuse');
  const ann = await arrive('Ann', url);
  await ann.join();
  await ann.open('People');
  await ann.flip('Waiting room');
  const bob = await arrive('Bob', url);
  await bob.knock();
  await bob.reaches('waiting');
  await ann.press('Refuse Bob');
  await bob.reads(/did not let you in/);
});

test('a name that is too long for the server is cut between letters, in any script', {skip}, async () => {
  const url = server.room('names');
  const ann = await arrive('Ann', url);
  await ann.join();
  const bob = await arrive('Александра Константиновна Вознесенская-Преображенская 👨‍👩‍👧‍👦', url);
  await bob.join();
  await ann.open('People');
  await until('Ann to read the name', async () => /Александра Константиновна/.test(await ann.panel('People')));
});

test('a locked room lets nobody in and does not tell who is inside', {skip}, async () => {
  const url = server.room('locked');
  const ann = await arrive('Ann', url);
  await ann.join();
  await ann.open('People');
  await ann.flip('Lock the room');
  const bob = await arrive('Bob', url);
  await bob.knock();
  await bob.reads(/locked this room/);
  assert.doesNotMatch(await bob.text(), /Ann/);
  await ann.flip('Lock the room');
  await bob.readsNot(/locked this room/);
  await bob.press('Join');
  await bob.reaches('joined');
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
});

test('a host mutes a guest, who is told and may speak again', {skip}, async () => {
  const url = server.room('hush');
  const ann = await arrive('Ann', url);
  await ann.join();
  const bob = await arrive('Bob', url);
  await bob.join();
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  assert.equal(await bob.has('Mute Ann'), false, 'a guest has no such power');
  await ann.open('People');
  await ann.press('Mute Bob');
  await bob.reads(/muted you/);
  await bob.shows('Microphone', false);
  await ann.silence('microphone');
  await bob.press('Microphone');
  await ann.receives('microphone');
});

test('a host removes a guest, who is told so', {skip}, async () => {
  const url = server.room('remove');
  const ann = await arrive('Ann', url);
  await ann.join();
  const bob = await arrive('Bob', url);
  await bob.join();
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  await ann.open('People');
  await ann.press('Remove Bob');
  await ann.press('Remove');
  await bob.reads(/A host removed you/);
  await until('Ann to have no link', async () => (await ann.links()).length === 0);
});

test('a second tab is a second person, and the first keeps its seat', {skip}, async () => {
  const url = server.room('tabs');
  const ann = await arrive('Ann', url);
  await ann.join();
  const page = await ann.context.newPage();
  await page.goto(url, {waitUntil: 'domcontentloaded'});
  await until('the second tab to see the room', () =>
    page.evaluate(() => document.documentElement.dataset.status === 'lobby'),
  );
  assert.equal(await ann.status(), 'joined');
});
