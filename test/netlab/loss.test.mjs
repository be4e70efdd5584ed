/**
 * One of three in the hub has a network that loses one packet of twenty, both ways: all go on hearing and seeing each other.
 * Lost sound is repeated, so next to none is missing. How often a picture stood and how much sound was made up is printed, and
 * kept where RESULTS names a file.
 */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {lacks} from '../browser/requirement.mjs';
import {readTrunk} from '../browser/trunk.mjs';
import {serve} from './house.mjs';
import {Internet} from './internet.mjs';
import {record} from './results.mjs';
import {arrive, enjoyAll, timeout} from './trio.mjs';

const skip = lacks('root', 'namespaces', 'openssl', 'certutil', 'chromium', 'parley', 'go', 'tun');

/** For how long the figures are taken, in seconds; a longer look is LOSS_SECONDS. */
const seconds = Number(process.env.LOSS_SECONDS ?? 12);

/** @type {Internet} */
let internet;
/** @type {import('../browser/server.mjs').Server} */
let server;

before(async () => {
  if (skip) return;
  internet = await Internet.open({ipv6: false, long: true});
  server = await serve(internet);
});
after(async () => {
  await server?.stop();
  await internet?.close();
});

/** @typedef {import('../browser/trunk.mjs').Stream} Stream */

/**
 * How much of something there was of all others meanwhile.
 *
 * @param {Stream[]} before
 * @param {Stream[]} now
 * @returns {(kind: string, what: keyof Stream) => number}
 */
function counter(before, now) {
  return (kind, what) =>
    now.reduce((all, stream) => {
      if (stream.kind !== kind) return all;
      return all + Number(stream[what]) - Number(before.find(({mid}) => mid === stream.mid)?.[what] ?? 0);
    }, 0);
}

/**
 * What somebody got of all others meanwhile.
 *
 * @param {Stream[]} before
 * @param {Stream[]} now
 */
function describe(before, now) {
  const sum = counter(before, now);
  const share = (/** @type {number} */ part, /** @type {number} */ all) =>
    `${((100 * part) / Math.max(1, all)).toFixed(1)} %`;
  const pictures = (sum('video', 'frames') / seconds / 2).toFixed(1);
  return (
    `${pictures} pictures/s each, ${sum('video', 'freezes')} freezes of ${sum('video', 'frozenMs')} ms in all, ` +
    `${share(sum('audio', 'concealed'), sum('audio', 'samples'))} of the sound made up, ` +
    `${share(sum('audio', 'lost'), sum('audio', 'packets') + sum('audio', 'lost'))} of its packets lost, ` +
    `asked for ${sum('audio', 'asked')} times`
  );
}

test('5 % lost both ways', {skip, timeout: 5 * timeout}, async (t) => {
  const wan = internet.wans.get('nata');
  await wan?.set('delay 20ms');
  const ann = await arrive(internet, 'a', server.hostLink, 'Ann');
  await ann.join();
  const bob = await arrive(internet, 'b', server.guestLink, 'Bob');
  await bob.join();
  const cyd = await arrive(internet, 'c', server.guestLink, 'Cyd');
  await cyd.join();
  const people = [ann, bob, cyd];
  await enjoyAll(people);
  const look = () => Promise.all(people.map(async ({page}) => (await readTrunk(page))?.received ?? []));
  for (const percent of [0, 5]) {
    await wan?.set(`loss ${percent}`);
    await enjoyAll(people); // the change has been felt
    const before = await look();
    await wait(seconds * 1000);
    const now = await look();
    for (const [i, {name}] of people.entries()) {
      const words = describe(before[i] ?? [], now[i] ?? []);
      t.diagnostic(`${percent} % lost on the way of Ann, ${name}: ${words}`);
      // Nearly all of it comes again: of what is asked for too late, little is missing.
      const sum = counter(before[i] ?? [], now[i] ?? []);
      const [packets, lost] = [sum('audio', 'packets'), sum('audio', 'lost')];
      assert.ok(
        packets > 10 * seconds && lost < 0.01 * packets,
        `${name} never got ${lost} of ${packets} packets of sound`,
      );
      record(`Three in the hub, ${percent} % lost both ways of the first, ${i + 1}.`, {got: words});
    }
    await enjoyAll(people);
  }
  await wan?.set('loss 0');
  await enjoyAll(people);
  for (const person of people) await person.depart();
});
