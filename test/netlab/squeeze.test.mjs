/**
 * An upload that shrinks in mid-call, 3 Mbit/s → 60 kbit/s → 3 Mbit/s: the sound goes on, the picture is paused and comes
 * back by itself, and both people read whose network it is.
 */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {Person} from '../browser/person.mjs';
import {lacks} from '../browser/requirement.mjs';
import {until} from '../browser/until.mjs';
import {named, serve} from './house.mjs';
import {Internet} from './internet.mjs';

const skip = lacks('root', 'namespaces', 'openssl', 'certutil', 'chromium', 'parley', 'go', 'tun');

/** @type {Internet} */
let internet;
/** @type {import('../browser/server.mjs').Server} */
let server;

before(async () => {
  if (skip) return;
  internet = await Internet.open({ipv6: false, carrier: false, long: true});
  server = await serve(internet);
});
after(async () => {
  await server?.stop();
  await internet?.close();
});

/**
 * Runs in the page: from now on remembers, ten times a second, what has arrived of the microphone.
 */
function listen() {
  /** @type {any} */
  const w = window;
  w.__sound = [];
  // By link, and kept when a link ends: what came on it did come.
  /** @type {Map<RTCPeerConnection, {packets: number, concealed: number, samples: number}>} */
  const known = new Map();
  w.__listening = setInterval(async () => {
    for (const pc of /** @type {RTCPeerConnection[]} */ (w.__links)) {
      if (pc.connectionState === 'closed') continue;
      (await pc.getStats()).forEach((s) => {
        if (s.type !== 'inbound-rtp' || s.mid !== '0') return;
        const concealed = s.concealedSamples - s.silentConcealedSamples;
        known.set(pc, {packets: s.packetsReceived, concealed, samples: s.totalSamplesReceived});
      });
    }
    const look = {at: performance.now(), packets: 0, concealed: 0, samples: 0};
    for (const {packets, concealed, samples} of known.values()) {
      look.packets += packets;
      look.concealed += concealed;
      look.samples += samples;
    }
    w.__sound.push(look);
  }, 100);
}

/**
 * What the listener got since the last question.
 *
 * @param {Person} person
 * @returns {Promise<{gapMs: number, packets: number, seconds: number, concealed: number}>} the longest time without a
 *   packet of sound, and the share of sound that was made up
 */
function heard(person) {
  return person.page.evaluate(() => {
    /** @type {{at: number, packets: number, concealed: number, samples: number}[]} */
    const looks = /** @type {any} */ (window).__sound.splice(0);
    const [first, last] = [looks[0], looks.at(-1)];
    let gapMs = 0;
    let since = first?.at ?? 0;
    for (let i = 1; i < looks.length; i++) {
      const [a, b] = [looks[i - 1], looks[i]];
      if (!a || !b) continue;
      if (b.packets > a.packets) {
        gapMs = Math.max(gapMs, a.at - since);
        since = b.at;
      } else gapMs = Math.max(gapMs, b.at - since);
    }
    if (!first || !last) return {gapMs: 0, packets: 0, seconds: 0, concealed: 0};
    return {
      gapMs,
      packets: last.packets - first.packets,
      seconds: (last.at - first.at) / 1000,
      concealed: (last.concealed - first.concealed) / Math.max(1, last.samples - first.samples),
    };
  });
}

/** @param {{gapMs: number, packets: number, seconds: number, concealed: number}} sound */
function describe({gapMs, packets, seconds, concealed}) {
  return (
    `sound: longest gap ${Math.round(gapMs)} ms, ${(packets / seconds).toFixed(0)} packets/s over ` +
    `${seconds.toFixed(1)} s, ${(100 * concealed).toFixed(1)} % made up`
  );
}

test('3 Mbit/s, 60 kbit/s, 3 Mbit/s', {skip, timeout: 180_000}, async (t) => {
  const wan = internet.wans.get('nata');
  await wan?.set('delay 20ms');
  // What a home router keeps back: a third of a second at 3 Mbit/s, half a second at 60 kbit/s.
  await wan?.set('rate 3000');
  await wan?.set('queue 128000');
  const [chromiumA, chromiumB] = await Promise.all([internet.chromium('a'), internet.chromium('b')]);
  const ann = await Person.arrive(chromiumA, named(server.hostLink), {name: 'Ann'});
  await ann.join();
  const bob = await Person.arrive(chromiumB, named(server.guestLink), {name: 'Bob'});
  await bob.join();
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  await bob.page.evaluate(listen);
  // Congestion control has found its rate when the indicator has settled.
  await until('Bob to see a verdict', async () => (await bars(bob)) !== '');
  await new Promise((resolve) => setTimeout(resolve, 8000));
  t.diagnostic(`at 3 Mbit/s: ${describe(await heard(bob))}`);

  const fell = performance.now();
  await wan?.set('up queue 4000');
  await wan?.set('up rate 60');
  await bob.reads(/Ann’s connection is weak\. The video is paused/);
  t.diagnostic(`paused, and the other side told, after ${Math.round(performance.now() - fell)} ms`);
  await ann.reads(/Your upload is too small for video/);
  await until('Ann to see one bar', async () => (await bars(ann)) === '0');
  await bob.silence('camera');
  const sound = await heard(bob);
  t.diagnostic(`on the way down to 60 kbit/s: ${describe(sound)}`);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  const low = await heard(bob);
  t.diagnostic(`at 60 kbit/s: ${describe(low)}`);
  assert.ok(low.packets / low.seconds > 5, 'the sound goes on');
  assert.ok(Math.max(sound.gapMs, low.gapMs) < 10_000, 'the sound is never gone for long');
  await bob.reads(/Ann’s connection is weak/);

  const rose = performance.now();
  await wan?.set('up rate 3000');
  await wan?.set('up queue 128000');
  await bob.readsNot(/Ann’s connection is weak/);
  await bob.receives('camera', {by: 10});
  t.diagnostic(`the picture is back after ${Math.round(performance.now() - rose)} ms`);
  await ann.readsNot(/Your upload is too small for video/);
  const width = await bob.page.$eval('video[data-seat][data-source="camera"]', (v) =>
    v instanceof HTMLVideoElement ? v.videoWidth : 0,
  );
  await until(
    'the picture to grow again',
    () =>
      bob.page.$eval(
        'video[data-seat][data-source="camera"]',
        (v, before) => v instanceof HTMLVideoElement && v.videoWidth > before,
        width,
      ),
    {timeout: 60_000},
  );
  t.diagnostic(`the picture grows again after ${Math.round(performance.now() - rose)} ms`);
  // How many bars there are by now says more about how busy this machine is than about the link.
  t.diagnostic(`on the way up: ${describe(await heard(bob))}; Ann sees ${Number(await bars(ann)) + 1} bars`);
  await Promise.all([ann.depart(), bob.depart()]);
});

/** What the path line shows: '0' to '2'; empty while nothing is known. @param {Person} person */
function bars(person) {
  return person.page.evaluate(() => {
    const line = document.querySelector('.path-line .bars');
    return line instanceof HTMLElement ? (line.dataset.level ?? '') : '';
  });
}
