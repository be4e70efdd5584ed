/** What is left behind: no light of a camera, no transport, no seat, however a call ends. */
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

/** Runs in the page before its scripts and remembers every track of a device, copies too. */
function rememberTracks() {
  /** @type {MediaStreamTrack[]} */
  const tracks = [];
  Object.defineProperty(window, '__tracks', {value: tracks});
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await ask(wish);
    tracks.push(...stream.getTracks());
    return stream;
  };
  const clone = MediaStreamTrack.prototype.clone;
  MediaStreamTrack.prototype.clone = function () {
    const copy = clone.call(this);
    tracks.push(copy);
    return copy;
  };
}

/**
 * What a page holds: live tracks of its devices, and transports that are not closed. One with the hub may be there as
 * long as there are others.
 *
 * @param {Person} person
 * @returns {Promise<{tracks: number, transports: number}>}
 */
function holds(person) {
  return person.page.evaluate(() => {
    const {__tracks: tracks, __links: links} = /** @type {any} */ (window);
    const open = links.filter((/** @type {RTCPeerConnection} */ l) => l.connectionState !== 'closed');
    // The hub's only are lite.
    const people = open.filter(
      (/** @type {RTCPeerConnection} */ l) => !l.remoteDescription?.sdp.includes('a=ice-lite'),
    );
    return {
      tracks: tracks.filter((/** @type {MediaStreamTrack} */ t) => t.readyState === 'live').length,
      transports: people.length || open.length,
    };
  });
}

/** @param {Person} person @param {number} tracks @param {number} transports */
function holding(person, tracks, transports) {
  return until(
    `${person.name} to hold ${tracks} tracks and ${transports} transports`,
    async () => {
      const now = await holds(person);
      return now.tracks === tracks && now.transports === transports;
    },
    {detail: () => holds(person)},
  );
}

/** @param {string} name @param {string} url */
async function arrive(name, url) {
  const person = await Person.arrive(chromium, url, {
    name,
    prepare: async (page) => {
      await page.evaluateOnNewDocument(rememberTracks);
    },
  });
  people.push(person);
  return person;
}

/** A call of two. @param {string} room */
async function call(room) {
  const ann = await arrive('Ann', server.room(room));
  await ann.join();
  const bob = await arrive('Bob', server.room(room));
  await bob.join();
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  return {ann, bob};
}

/** Microphone, the meter's copy of it, and camera. */
const DEVICES = 3;

test('ten times out and in again: one transport, one set of devices, none on the way out', {skip}, async () => {
  const {ann, bob} = await call('cycles');
  for (let i = 0; i < 10; i++) {
    await bob.press('Leave');
    await bob.reads(/You left/);
    await holding(bob, 0, 0);
    await bob.press('Rejoin');
    await bob.reaches('joined');
  }
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  await holding(bob, DEVICES, 1);
  await holding(ann, DEVICES, 1);
});

test('who is removed is not filmed any more, and does not come back by reloading', {skip}, async () => {
  const {ann, bob} = await call('sent-away');
  await ann.open('People');
  await ann.press('Remove Bob');
  await ann.press('Remove');
  await bob.reads(/A host removed you/);
  await holding(bob, 0, 0);
  assert.notEqual((await ann.focus()).name, '', 'the focus is not lost with the person');
  await bob.page.reload({waitUntil: 'domcontentloaded'});
  await bob.reaches('lobby');
  await bob.press('Join');
  await bob.reads(/A host removed you/);
  assert.equal(await bob.status(), 'lobby');
});

test('a seat that a restarted server gave to somebody else: the door says so', {skip}, async () => {
  const env = {...process.env, PARLEY_ROOMS_SEATS: '2'};
  const run = (/** @type {string} */ program, /** @type {string[]} */ args) => spawn(program, args, {env});
  const first = await Server.start({run});
  /** @type {Server | undefined} */
  let second;
  try {
    const [ann, bob] = [await arrive('Ann', first.hostLink), await arrive('Bob', first.guestLink)];
    await ann.join();
    await bob.join();
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
    await bob.page.setOfflineMode(true);
    first.child.kill('SIGKILL');
    const {host} = new URL(first.url);
    const args = ['--listen', host.replace('localhost', '127.0.0.1')];
    second = await Server.start({args, data: first.data, run});
    // Bob's seat is kept, and so is the path to him, which does not lead over the server; after a while it yields.
    const carl = await arrive('Carl', first.guestLink);
    await until(
      'Carl to get the seat',
      async () => {
        if ((await carl.status()) === 'lobby') await carl.knock();
        return (await carl.status()) === 'joined';
      },
      {every: 1000, timeout: 60_000, detail: () => carl.look()},
    );
    await bob.page.setOfflineMode(false);
    await bob.reads(/Every seat is taken/);
    assert.ok(await bob.has('Join'));
    await carl.press('Leave');
    await bob.readsNot(/Every seat is taken/);
    await bob.press('Join');
    await bob.reaches('joined');
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  } finally {
    await second?.stop();
    await first.stop();
  }
});
