/**
 * Two people chat while the sockets of one of them are cut again and again, by a reset or by silence: everything that is
 * said arrives once and in order, and media never notices.
 *
 * CUTS says how often (1,000 for the figures); how long it took to be back is printed, not judged.
 */
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {Person} from '../browser/person.mjs';
import {lacks} from '../browser/requirement.mjs';
import {until} from '../browser/until.mjs';
import {sockets} from './fault.mjs';
import {flows, readGap, rememberGaps, tell} from './gap.mjs';
import {named, serve} from './house.mjs';
import {Internet} from './internet.mjs';
import {record, summary} from './results.mjs';

const skip = lacks('root', 'namespaces', 'openssl', 'certutil', 'chromium', 'parley', 'conntrack');
const cuts = Number(process.env.CUTS ?? 12);
/** Rules pile up in the router until they are swept. */
const sweepEach = 20;

describe('nothing is lost or doubled', {skip}, () => {
  /** @type {Internet} */
  let internet;
  /** @type {import('../browser/server.mjs').Server} */
  let server;
  before(async () => {
    internet = await Internet.open({ipv6: false, carrier: false});
    server = await serve(internet);
  });
  after(async () => {
    await server?.stop();
    await internet?.close();
  });

  test('whoever leaves on a dead socket, and is back on another, was here once', async () => {
    const [atA, atB] = await Promise.all([internet.chromium('a', 'small'), internet.chromium('b', 'small')]);
    const link = named(server.hostLink);
    const ann = await Person.arrive(atA, link, {name: 'Ann'});
    await ann.join();
    const bob = await Person.arrive(atB, link, {name: 'Bob'});
    await bob.join();
    await Promise.all([ann, bob].map((person) => person.enjoysCall()));
    internet.interfere('nata', `tcp sport { ${await sockets(internet)} } drop`);
    await ann.press('Leave');
    await ann.press('Rejoin');
    await Promise.all([ann, bob].map((person) => person.enjoysCall()));
    const seats = () =>
      bob.page.$$eval('[data-person]', (tiles) => new Set(tiles.map((tile) => tile.getAttribute('data-person'))).size);
    await until('Bob to see himself and Ann, and nobody who was there before', async () => (await seats()) === 2, {
      detail: () => bob.look(),
    });
    internet.set('nata', 'port-restricted');
    for (const person of [ann, bob]) {
      await person.press('Leave');
      await person.reaches('lobby');
      await person.depart();
    }
  });

  test(`${cuts} cuts`, async (t) => {
    const [atA, atB] = await Promise.all([internet.chromium('a', 'small'), internet.chromium('b', 'small')]);
    const prepare = async (/** @type {import('puppeteer-core').Page} */ page) =>
      void (await page.evaluateOnNewDocument(rememberGaps));
    const ann = await Person.arrive(atA, named(server.hostLink), {name: 'Ann', prepare});
    await ann.join();
    const bob = await Person.arrive(atB, named(server.hostLink), {name: 'Bob', prepare});
    await bob.join();
    const people = [ann, bob];
    await Promise.all(people.map((person) => person.enjoysCall()));
    await Promise.all(people.map((person) => person.open('Chat')));
    /** @type {{reset: number[], silence: number[]}} */
    const back = {reset: [], silence: []};
    const audio = [];
    for (let i = 0; i < cuts; i++) {
      const silent = i % 4 === 3;
      const ports = await sockets(internet);
      await Promise.all(people.map(({page}) => tell(page, 'start')));
      internet.interfere('nata', `tcp sport { ${ports} } ${silent ? 'drop' : 'reject with tcp reset'}`);
      // Said while nobody knows yet that the socket is dead.
      await Promise.all(people.map((person) => person.say(`${person.name} says ${i}.`)));
      const resumed = await until('Ann to be back', async () =>
        (await readGap(ann.page)).sockets.find(({what}) => what === 'resumed'),
      );
      back[silent ? 'silence' : 'reset'].push(resumed.at);
      const both = await Promise.all(people.map(({page}) => readGap(page)));
      audio.push(Math.max(...both.map((gap) => gap.audio)));
      if (i % sweepEach === sweepEach - 1) internet.set('nata', 'port-restricted');
      if (i % 100 === 99) t.diagnostic(`${i + 1} cuts`);
    }
    internet.set('nata', 'port-restricted');
    await until('media to flow', async () => (await Promise.all(people.map(({page}) => flows(page)))).every(Boolean));
    for (const person of people) {
      await person.looksBack();
      for (const {name} of people) {
        await until(`${person.name} to know all that ${name} said`, async () => {
          const log = await person.log();
          return log.includes(`${name} says ${cuts - 1}.`);
        });
        const said = [...(await person.log()).matchAll(new RegExp(`${name} says (\\d+)\\.`, 'g'))].map(([, n]) =>
          Number(n),
        );
        assert.deepEqual(
          said,
          Array.from({length: cuts}, (_, i) => i),
          `what ${name} said, to ${person.name}`,
        );
      }
    }
    const rows = {
      'back after a reset, ms': summary(back.reset),
      'back after silence, ms': summary(back.silence),
      'longest gap in the sound, ms': summary(audio),
    };
    record(`${cuts} cuts of the signalling socket, ${2 * cuts} messages: none lost, doubled or out of order`, rows);
    for (const [name, words] of Object.entries(rows)) t.diagnostic(`${name}: ${words}`);
  });
});
