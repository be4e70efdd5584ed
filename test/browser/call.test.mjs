/** Two people talk, in two pairs of browsers: everything they do, proved by what the other side decodes. */
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {launchFirefox} from './firefox.mjs';
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
  [server, chromium] = await Promise.all([Server.start(), launchChromium({capture: 'small'})]);
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});

/** @param {import('puppeteer-core').Browser} other @param {string} room */
async function meet(other, room) {
  const ann = await Person.arrive(chromium, server.room(room), {name: 'Ann'});
  await ann.join();
  const bob = await Person.arrive(other, server.room(room), {name: 'Bob'});
  await bob.join();
  return {ann, bob};
}

/**
 * The whole conversation of a pair.
 *
 * @param {() => import('puppeteer-core').Browser} other Bob's browser
 * @param {string} room
 */
function conversation(other, room) {
  /** @type {Person} */
  let ann;
  /** @type {Person} */
  let bob;
  before(async () => {
    ({ann, bob} = await meet(other(), room));
  });
  after(async () => {
    await ann?.depart();
    await bob?.depart();
  });

  test('they see and hear each other, directly', async () => {
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
    assert.equal(await ann.carrier(), 'direct');
    assert.equal(await bob.carrier(), 'direct');
    await ann.reads(/Direct · encrypted end to end/);
    await bob.reads(/Direct · encrypted end to end/);
  });

  test('mute: the sound stops, and the other side is told', async () => {
    await bob.press('Microphone');
    await bob.shows('Microphone', false);
    await ann.silence('microphone');
    await ann.open('People');
    await until('the panel to say so', async () => /Bob[\s\S]*muted/.test(await ann.panel('People')));
    await bob.press('Microphone');
    await bob.shows('Microphone', true);
    await ann.receives('microphone');
    await until('the panel to say so', async () => !/muted/.test(await ann.panel('People')));
    await ann.shut('People');
  });

  test('camera off and on', async () => {
    await bob.press('Camera');
    await bob.shows('Camera', false);
    await ann.silence('camera');
    await bob.press('Camera');
    await bob.shows('Camera', true);
    await Promise.all([ann.receives('camera'), ann.watches('camera')]);
  });

  for (const [kind, words] of [
    ['text', 'Text and slides'],
    ['motion', 'Video and motion'],
  ]) {
    test(`Ann shares her screen as ${kind}`, async () => {
      await ann.share(String(words));
      await Promise.all([bob.receives('screen', {by: 2}), bob.watches('screen', 2)]);
      await bob.receives('camera');
      await ann.unshare();
      await bob.silence('screen');
    });
  }

  test('chat goes both ways, once', async () => {
    await ann.open('Chat');
    await bob.open('Chat');
    await ann.say('Hello Bob, 1 < 2 & "ok"');
    await bob.reads(/Hello Bob, 1 < 2 & "ok"/);
    await bob.say('Hello Ann');
    await ann.reads(/Hello Ann/);
    for (const person of [ann, bob]) {
      const text = await person.log();
      assert.equal(text.split('Hello Bob').length, 2, `${person.name} reads Ann's words once: ${text}`);
      assert.equal(text.split('Hello Ann').length, 2, `${person.name} reads Bob's words once: ${text}`);
    }
    await ann.shut('Chat');
    await bob.shut('Chat');
  });

  test('leave and rejoin', async () => {
    await bob.press('Leave');
    await ann.reads(/Bob (has )?left|first one here/);
    await until('Ann to have no link', async () => (await ann.links()).length === 0);
    await bob.press('Rejoin');
    await bob.reaches('joined');
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  });

  test('a reload takes the same seat', async () => {
    const seat = await ann.seatOfOther();
    await bob.page.reload({waitUntil: 'domcontentloaded'});
    await bob.reaches('joined');
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
    assert.equal(await ann.seatOfOther(), seat, 'Bob sits where he sat');
  });

  test('nothing went wrong on the pages, and nobody else was asked', () => {
    for (const person of [ann, bob]) {
      assert.deepEqual(person.faults, [], person.name);
      assert.deepEqual(person.traffic.foreign(new URL(server.url).host), [], person.name);
    }
  });
}

describe('Chromium and Chromium', {skip}, () => conversation(() => chromium, 'two-chromiums'));

describe('Chromium and Firefox', {skip: skipFirefox}, () => {
  /** @type {import('puppeteer-core').Browser} */
  let firefox;
  before(async () => {
    firefox = await launchFirefox();
  });
  after(async () => {
    await firefox?.close();
  });
  conversation(() => firefox, 'chromium-firefox');
});
