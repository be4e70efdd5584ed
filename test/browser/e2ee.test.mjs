/**
 * Rooms that are encrypted from end to end: who has the link sees and hears, who has another one does neither, and the
 * server has no key, neither in what it is sent nor anywhere in its memory.
 */
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {launchFirefox} from './firefox.mjs';
import {searchMemory} from './memory.mjs';
import {Person} from './person.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');
const skipFirefox = skip || lacks('firefox');

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

/** Runs in the page before its scripts: remembers what is told to workers, keys of frames among it. */
function rememberOrders() {
  /** @type {{do: string, kid?: number, base?: Uint8Array, at: number}[]} */
  const orders = [];
  Object.defineProperty(window, '__orders', {value: orders});
  const post = Worker.prototype.postMessage;
  /** @param {any} message @param {any} transfer */
  Worker.prototype.postMessage = function (message, transfer) {
    if (message?.do) orders.push({...message, at: performance.now()});
    return post.call(this, message, transfer);
  };
}

/** The key of a page's link. @param {Person} person */
async function keyOf(person) {
  const hash = await person.page.evaluate(() => location.hash);
  const key = /[#&]key=([\w-]{22})$/.exec(hash)?.[1];
  assert.ok(key, `the link of ${person.name} holds a key: ${hash}`);
  return key;
}

/** The keys of frames that a page has, as bytes. @param {Person} person */
async function frameKeys(person) {
  const keys = await person.page.evaluate(() =>
    /** @type {any} */ (window).__orders
      .filter((/** @type {any} */ order) => order.base)
      .map((/** @type {any} */ order) => Array.from(order.base)),
  );
  return keys.map((/** @type {number[]} */ bytes) => Buffer.from(bytes));
}

/** Everything that a page has sent by its sockets from now on. @param {Person} person */
async function listenIn(person) {
  /** @type {string[]} */
  const sent = [];
  if (person.browser !== 'chromium') return sent;
  const session = await person.page.createCDPSession();
  await session.send('Network.enable');
  session.on('Network.webSocketFrameSent', ({response}) => sent.push(response.payloadData));
  session.on('Network.requestWillBeSent', ({request}) => sent.push(JSON.stringify(request)));
  return sent;
}

/** @param {string} key */
function needles(key) {
  const raw = Buffer.from(key, 'base64url');
  return new Map([
    ['the key in words', Buffer.from(key)],
    ['the key in bytes', raw],
    ['the key in hexadecimal', Buffer.from(raw.toString('hex'))],
  ]);
}

/**
 * Two people in one encrypted room.
 *
 * @param {() => import('puppeteer-core').Browser} other Bob's browser
 * @param {string} room
 */
function conversation(other, room) {
  /** @type {Person} */
  let ann;
  /** @type {Person} */
  let bob;
  let key = '';
  /** @type {string[]} */
  let sent = [];
  after(async () => {
    await ann?.depart();
    await bob?.depart();
  });

  test('the host begins it alone, and the link has the key', async () => {
    ann = await Person.arrive(chromium, server.room(room), {
      name: 'Ann',
      prepare: async (page) => void (await page.evaluateOnNewDocument(rememberOrders)),
    });
    sent = await listenIn(ann);
    await ann.join();
    await ann.open('People');
    await ann.flip('End-to-end encryption');
    key = await keyOf(ann);
    await ann.reads(/The key is in this link and nowhere else/);
    await ann.shut('People');
  });

  test('who has the link sees and hears, and is told so', async () => {
    bob = await Person.arrive(other(), `${server.room(room)}#key=${key}`, {name: 'Bob'});
    await bob.join();
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
    await ann.reads(/Direct · end-to-end encrypted, key checked/);
    await bob.reads(/Direct · end-to-end encrypted, key checked/);
  });

  test('keys were put in place on both ways', async () => {
    const tally = await ann.page.evaluate(() =>
      /** @type {any} */ (window).__orders.map((/** @type {any} */ order) => order.do),
    );
    assert.ok(tally.includes('use') && tally.includes('add'), `keys were put in place: ${tally}`);
  });

  test('chat and its history are ciphertext to the server', async () => {
    await ann.open('Chat');
    await bob.open('Chat');
    await ann.say('The cat sleeps at noon');
    await until('Bob to read it', async () => /The cat sleeps at noon/.test(await bob.log()));
    await bob.say('So does the dog');
    await until('Ann to read it', async () => /So does the dog/.test(await ann.log()));
    await bob.page.reload({waitUntil: 'domcontentloaded'});
    await bob.reaches('joined');
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
    await until('Bob to read it again', async () => /The cat sleeps at noon/.test(await bob.log()));
    await ann.shut('Chat');
  });

  test('the server was told no key and no word, and has none in its memory', async () => {
    const pid = Number(server.child.pid);
    const all = needles(key);
    const frames = await frameKeys(ann);
    assert.ok(frames.length >= 4, `keys of frames that Ann has: ${frames.length}`);
    for (const [i, bytes] of frames.entries()) {
      all.set(`key ${i} of frames`, bytes);
      all.set(`key ${i} of frames in words`, Buffer.from(bytes.toString('base64url')));
    }
    all.set('what was said', Buffer.from('The cat sleeps at noon'));
    all.set('(the name of the room)', Buffer.from(room)); // what the server does know, to know that we look well
    const {found, bytes} = searchMemory(pid, all);
    console.log(`      ${all.size} needles in ${(bytes / 2 ** 20).toFixed(0)} MiB of the server's memory`);
    assert.deepEqual([...found], ['(the name of the room)']);
    if (ann.browser === 'chromium') {
      const everything = sent.join('\n');
      assert.match(everything, /"type":"keys"/);
      for (const secret of [key, 'The cat sleeps']) assert.ok(!everything.includes(secret), `Ann sent ${secret}`);
    }
    assert.ok(![...ann.traffic.urls, ...bob.traffic.urls].some((url) => url.replace(/#.*/, '').includes(key)));
    assert.ok(!server.log.includes(key) && !server.printed.includes(key));
  });
}

describe('Chromium and Chromium', {skip}, () => {
  conversation(() => chromium, 'sealed-tea');

  test('who has another key is a stranger: nothing is seen or heard, either way', async () => {
    const room = server.room('sealed-door');
    const [right, wrong] = ['A'.repeat(22), `${'A'.repeat(21)}Q`];
    const ann = await Person.arrive(chromium, `${room}#key=${right}`, {name: 'Ann'});
    await ann.join();
    const eve = await Person.arrive(chromium, `${room}#key=${wrong}`, {name: 'Eve'});
    await eve.join();
    for (const person of [ann, eve]) await person.reads(/key does not fit/);
    // Their link is up and carries nothing that either could decode: as long as a call needs to begin, and longer.
    await until('the link', async () => (await ann.links()).length > 0);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    for (const person of [ann, eve]) {
      assert.equal(await person.received('camera'), 0);
      assert.equal(await person.received('microphone'), 0);
    }
    await Promise.all([ann.depart(), eve.depart()]);
  });

  test('who has no key, or a key for a room that has none, stays at the door', async () => {
    const room = server.room('sealed-house');
    const ann = await Person.arrive(chromium, `${room}#key=${'B'.repeat(22)}`, {name: 'Ann'});
    await ann.join();
    const bob = await Person.arrive(chromium, room, {name: 'Bob'});
    await bob.knock();
    await bob.reads(/This link does not fit the room/);
    assert.equal(await bob.status(), 'lobby');
    const open = server.room('open-house');
    const cyd = await Person.arrive(chromium, open, {name: 'Cyd'});
    await cyd.join();
    const dan = await Person.arrive(chromium, `${open}#key=${'B'.repeat(22)}`, {name: 'Dan'});
    await dan.knock();
    await dan.reads(/This link does not fit the room/);
    await Promise.all([ann, bob, cyd, dan].map((person) => person.depart()));
  });
});

describe('Chromium and Firefox', {skip: skipFirefox}, () => {
  /** @type {import('puppeteer-core').Browser} */
  let firefox;
  before(async () => {
    firefox = await launchFirefox();
  });
  after(() => firefox?.close());
  conversation(() => firefox, 'sealed-biscuits');
});
