/**
 * A machine that sleeps in the middle of a call, a page that its browser freezes, and a line that is tried again by hand:
 * the call is there again, nobody has left, and the record says whose machine slept.
 */
import assert from 'node:assert/strict';
import {after, afterEach, before, describe, test} from 'node:test';
import {setTimeout as pass} from 'node:timers/promises';
import {sleep} from './asleep.mjs';
import {launchChromium} from './chromium.mjs';
import {Person} from './person.mjs';
import {gapSince, rememberMoves} from './picture.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');

/** @type {Server} */
let server;
/** @type {import('puppeteer-core').Browser} */
let chromium;
/** Bob's machine. @type {import('puppeteer-core').Browser} */
let laptop;
/** @type {Person[]} */
let people = [];

before(async () => {
  if (skip) return;
  [server, chromium, laptop] = await Promise.all([
    Server.start(),
    launchChromium({capture: 'small'}),
    launchChromium(),
  ]);
});
after(async () => {
  await Promise.all([chromium?.close(), laptop?.close()]);
  await server?.stop();
});
afterEach(async () => {
  await Promise.all(people.map((person) => person.depart()));
  people = [];
});

/** @param {import('puppeteer-core').Browser} browser @param {string} name @param {string} room */
async function arrive(browser, name, room) {
  const person = await Person.arrive(browser, server.room(room), {
    name,
    prepare: async (page) => {
      await page.evaluateOnNewDocument(rememberMoves);
    },
  });
  people.push(person);
  await person.join();
  return person;
}

/** @param {string} room */
async function call(room) {
  const ann = await arrive(chromium, 'Ann', room);
  const bob = await arrive(laptop, 'Bob', room);
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  return {ann, bob};
}

describe('sleep', {skip}, () => {
  test('a machine sleeps for ten seconds and wakes up in the call', async (t) => {
    const {ann, bob} = await call('nap');
    const seat = await ann.seatOfOther();
    const wake = sleep(laptop);
    try {
      await ann.reads(/Reconnecting…/);
      await ann.open('Chat');
      await ann.say('Are you asleep?');
      await pass(8_000); // a nap lasts
    } finally {
      wake();
    }
    const woken = Date.now();
    await until('Ann to see Bob again', () => gapSince(ann, woken), {detail: () => ann.look()});
    t.diagnostic(`awake → Ann sees Bob: ${Date.now() - woken} ms`);
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
    await bob.open('Chat');
    await bob.reads(/Are you asleep\?/);
    assert.equal((await bob.log()).split('asleep').length, 2, 'once');
    assert.equal(await ann.seatOfOther(), seat);
    await ann.readsNot(/Bob left/);
    const record = await until('the record to tell of it', async () => {
      const told = await ann.page.evaluate(read);
      return told.verdict.findings.some((/** @type {any} */ f) => f.code === 'gap-asleep') ? told : null;
    });
    const bobs = record.people.find((/** @type {any} */ p) => p.name === 'Bob')?.seat;
    assert.equal(record.verdict.findings.find((/** @type {any} */ f) => f.code === 'gap-asleep').seat, bobs);
    t.diagnostic(record.verdict.text);
  });

  test('a frozen page goes on where it was', async () => {
    const {ann, bob} = await call('frost');
    const session = await bob.page.createCDPSession();
    await session.send('Page.setWebLifecycleState', {state: 'frozen'});
    await ann.open('Chat');
    await ann.say('Cold in here');
    await pass(6_000); // longer than the server waits for a sign of life
    await session.send('Page.setWebLifecycleState', {state: 'active'});
    // The browser stopped what played. The page counts as hidden from now on: nothing is drawn, pressed or found by name.
    await Promise.all([ann.enjoysCall(), bob.receives('camera'), bob.receives('microphone')]);
    await bob.hears();
    const unread = () => bob.page.evaluate(() => document.getElementById('open-chat')?.dataset.count);
    await until('Bob to have one message', async () => (await unread()) === '1');
    await ann.readsNot(/Bob left/);
  });

  test('the line is tried again by hand, and by keyboard', async () => {
    const {ann, bob} = await call('again');
    server.child.kill('SIGSTOP');
    try {
      await ann.reads(/The line to the server is down\. Your call goes on/);
      await ann.page.focus(ann.selector('Try now', 'button'));
      await ann.page.keyboard.press('Enter');
      await ann.reads(/Trying…/);
      await Promise.all([ann.receives('camera'), bob.receives('camera')]);
    } finally {
      server.child.kill('SIGCONT');
    }
    await ann.reads(/Back online/);
    await ann.readsNot(/Try now|Trying…|Back online/);
    assert.match((await ann.focus()).name, /Direct|details/, 'the focus is not lost with the notice');
  });
});

/** Runs in the page: the record of the call as the API gives it. */
async function read() {
  const [{id, token}] = JSON.parse(localStorage.getItem('parley.calls') ?? '[]');
  const answer = await fetch(`/api/v1/calls/${id}`, {headers: {Authorization: `Bearer ${token}`}});
  return answer.json();
}
