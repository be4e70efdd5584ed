/**
 * Rooms that are encrypted from end to end: who has the link sees and hears, who has another one does neither, and the
 * server has no key, neither in what it is sent nor anywhere in its memory.
 */
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {downloadsTo, offerFiles, transfers} from './exchange.mjs';
import {launchFirefox} from './firefox.mjs';
import {searchMemory} from './memory.mjs';
import {arrived, Parcel, rootOfFile} from './parcel.mjs';
import {Person} from './person.mjs';
import {lacks} from './requirement.mjs';
import {lookAtHub, sensesByHub} from './sealed.mjs';
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
 * Looks for the key of a room, for the keys of frames that somebody has, and for what was said, in the server's memory.
 *
 * @param {string} room
 * @param {string} key
 * @param {Person} person
 * @param {number} least how many keys of frames there are at least
 * @param {(string | Buffer)[]} said
 */
async function searchServer(room, key, person, least, ...said) {
  const all = needles(key);
  const frames = await frameKeys(person);
  assert.ok(frames.length >= least, `keys of frames that ${person.name} has: ${frames.length}`);
  for (const [i, bytes] of frames.entries()) {
    all.set(`key ${i} of frames`, bytes);
    all.set(`key ${i} of frames in words`, Buffer.from(bytes.toString('base64url')));
  }
  for (const [i, words] of said.entries()) all.set(`what was said: ${i}`, Buffer.from(words));
  all.set('(the name of the room)', Buffer.from(room)); // what the server does know, to know that we look well
  const {found, bytes} = searchMemory(Number(server.child.pid), all);
  console.log(`      ${all.size} needles in ${(bytes / 2 ** 20).toFixed(0)} MiB of the server's memory`);
  assert.deepEqual([...found], ['(the name of the room)']);
}

/** How often a person began to use another key. @param {Person} person @returns {Promise<number>} */
function switches(person) {
  return person.page.evaluate(
    () => /** @type {any} */ (window).__orders.filter((/** @type {any} */ order) => order.do === 'use').length,
  );
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
    await searchServer(room, key, ann, 4, 'The cat sleeps at noon');
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

describe('through the hub', {skip}, () => {
  /** Small pictures: the machine that runs this encodes and draws all of them. */
  const small = {width: 640, height: 480};
  const key = randomBytes(16).toString('base64url');
  const another = randomBytes(16).toString('base64url');
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {Person[]} */
  let people = [];
  const parcel = new Parcel();

  before(async () => {
    browser = await launchChromium({capture: 'small'});
  });
  after(async () => {
    await browser?.close();
    parcel.drop();
  });

  /** @param {string} room @param {string} name @param {string} secret */
  async function arrive(room, name, secret = key, from = browser) {
    const person = await Person.arrive(from, `${server.room(room)}#key=${secret}`, {
      name,
      size: small,
      prepare: async (page) => void (await page.evaluateOnNewDocument(rememberOrders)),
    });
    people.push(person);
    await person.join();
    return person;
  }
  const everybodyLeaves = async () => {
    await Promise.all(people.map((person) => person.depart()));
    people = [];
  };

  test('three see and hear each other, with keys that change with the people; a stranger does not', async (t) => {
    const room = 'sealed-hub';
    const letter = parcel.write('out/letter.bin', 3 << 20);
    const ann = await arrive(room, 'Ann');
    const bob = await arrive(room, 'Bob');
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
    const used = await switches(ann);
    const cyd = await arrive(room, 'Cyd');
    await Promise.all([ann, bob, cyd].map((person) => sensesByHub(person, 2)));
    for (const person of [ann, bob, cyd]) {
      await person.reads(/Through the server · end-to-end encrypted, key checked/);
    }
    await until('Ann to use another key', async () => (await switches(ann)) > used);

    await t.test('a file goes to everybody, sealed', async () => {
      await downloadsTo(bob, parcel.folder);
      await offerFiles(ann, [letter]);
      await ann.press('Everyone');
      await bob.reads(/Ann wants to send you this/);
      await bob.press('Accept');
      await until('Bob to have it', async () => (await transfers(ann)).some(({text}) => /Bob has it/.test(text)));
      const saved = join(parcel.folder, 'letter.bin');
      await until('the file', () => arrived(saved, 3 << 20));
      assert.equal(rootOfFile(saved), rootOfFile(letter));
    });

    await t.test('the server has no key while the media go through it', async () => {
      await searchServer(room, key, ann, 4, readFileSync(letter).subarray(1 << 20, (1 << 20) + 32));
    });

    await t.test('who has another key sees and hears nothing, and is told why', async () => {
      const eve = await arrive(room, 'Eve', another);
      await eve.reads(/key does not fit/);
      await ann.reads(/key does not fit/);
      await until('packets to reach her', async () => ((await eve.page.evaluate(lookAtHub))?.packets ?? 0) > 200);
      await Promise.all([ann, bob, cyd].map((person) => sensesByHub(person, 2)));
      const look = await eve.page.evaluate(lookAtHub);
      assert.ok(
        Object.values(look?.pictures ?? {}).every((frames) => frames === 0),
        'no picture',
      );
      assert.ok(
        Object.values(look?.sounds ?? {}).every((energy) => energy < 1e-6),
        'no sound',
      );
      assert.equal(await eve.status(), 'joined');
      people = people.filter((person) => person !== eve);
      await eve.depart();
    });

    const before = await switches(ann);
    await cyd.press('Leave');
    await until('Ann to use another key once more', async () => (await switches(ann)) > before);
    await sensesByHub(ann, 1);
    await everybodyLeaves();
  });

  test('Chromium and Firefox', {skip: skipFirefox}, async () => {
    const firefox = await launchFirefox();
    try {
      const [ann, bob] = [await arrive('sealed-mix', 'Ann'), await arrive('sealed-mix', 'Bob')];
      await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
      const fay = await arrive('sealed-mix', 'Fay', key, firefox);
      await Promise.all([ann, bob, fay].map((person) => sensesByHub(person, 2)));
      await fay.reads(/Through the server · end-to-end encrypted, key checked/);
      await everybodyLeaves();
    } finally {
      await firefox.close();
    }
  });
});
