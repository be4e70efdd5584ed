/**
 * Three people behind real NATs and firewalls meet in the hub, with the real page: whatever way is left to them, all hear and
 * see each other; and who has none is told so before a third person comes.
 */
import assert from 'node:assert/strict';
import {after, afterEach, before, describe, test} from 'node:test';
import {lacks} from '../browser/requirement.mjs';
import {until} from '../browser/until.mjs';
import {serve} from './house.mjs';
import {Internet, serverAddresses} from './internet.mjs';
import {arrive, enjoyAll, timeout, trunk} from './trio.mjs';

const skip = lacks('root', 'namespaces', 'openssl', 'certutil', 'chromium', 'parley');

/** What a firewall knows STUN by (RFC 8489 §5): as it is, or behind the length that ICE puts in front of it on TCP. */
const stun = ['@ih,32,32 0x2112a442', '@ih,48,32 0x2112a442'];
/**
 * Where they are and what is in the way; `over` is how the first reaches the hub.
 * @typedef {{name: string, homes: import('./internet.mjs').Home[], routers: Record<string, import('./router.mjs').Kind>,
 *   rules?: string[], over: RegExp}} Row
 */

/** @type {Row[]} */
const rows = [
  {
    name: 'UDP blocked / port-restricted / behind a carrier',
    homes: ['a', 'b', 'c'],
    routers: {nata: 'udp-blocked', natb: 'port-restricted'},
    over: /^(tcp|tls)$/,
  },
  {
    name: 'symmetric / full cone / behind a carrier',
    homes: ['a', 'b', 'c'],
    routers: {nata: 'symmetric', natb: 'full-cone'},
    over: /^udp$/,
  },
  {
    name: 'only TLS to 443 out, STUN in any form reset / IPv6 only / dual stack',
    homes: ['a', 's', 'd'],
    routers: {nata: 'tls-only'},
    rules: stun.map((form) => `tcp dport 443 ${form} reject with tcp reset`),
    over: /^tls$/,
  },
];

/** @type {Internet} */
let internet;
/** @type {import('../browser/server.mjs').Server} */
let server;
/** @type {import('../browser/person.mjs').Person[]} */
let people = [];

before(async () => {
  if (skip) return;
  internet = await Internet.open();
  server = await serve(internet, {addresses: serverAddresses});
});
after(async () => {
  await server?.stop();
  await internet?.close();
});
afterEach(async () => {
  // Whoever only closes the page keeps the seat, and the next row is to begin with an empty room.
  await Promise.all(people.map(async (person) => (await person.has('Leave')) && (await person.press('Leave'))));
  await Promise.all(people.map((person) => person.depart()));
  people = [];
});

/** The first comes by the host's link. @param {import('./internet.mjs').Home} home @param {string} name */
async function enter(home, name) {
  const person = await arrive(internet, home, people.length === 0 ? server.hostLink : server.guestLink, name);
  people.push(person);
  return person;
}

describe('three through the hub', {skip}, () => {
  for (const {name, homes, routers, rules = [], over} of rows) {
    test(name, {timeout: 4 * timeout}, async (t) => {
      for (const [router, kind] of Object.entries(routers)) internet.set(router, kind);
      for (const rule of rules) internet.interfere('nata', rule);
      const began = performance.now();
      for (const [i, home] of homes.entries()) {
        await (await enter(home, ['Ann', 'Bob', 'Cyd'][i] ?? '')).join();
      }
      await enjoyAll(people);
      const ways = await Promise.all(people.map(trunk));
      t.diagnostic(
        `${ways.map(({type, over: by}) => `${type} over ${by}`).join(' / ')}; all hear and see all ` +
          `${Math.round((performance.now() - began) / 1000)} s after the first came`,
      );
      assert.match(String(ways[0]?.over), over);
      for (const {over: by} of ways.slice(1)) assert.equal(by, 'udp');
    });
  }
});

test('who reaches nothing of the hub is told so before a third comes, and that it is over', {
  skip,
  timeout: 4 * timeout,
}, async () => {
  internet.set('nata', 'port-restricted');
  internet.set('natb', 'port-restricted');
  const ann = await enter('a', 'Ann');
  await ann.join();
  const bob = await enter('a2', 'Bob');
  await until('Bob to look at the door', async () => (await bob.status()) === 'lobby');
  // From now on nothing more gets through between him and the server than the connections that his page has. Between the
  // machines of one home nothing is in the way (bridged packets may pass here, too).
  const his = `ip saddr 192.168.11.3 ip daddr ${serverAddresses[0]}`;
  internet.interfere('nata', `${his} meta l4proto udp drop`);
  internet.interfere('nata', `${his} ct state new drop`);
  await bob.join();
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  await Promise.all([
    bob.reads(/Your network does not reach the server’s conference port, so no third person can come in/, timeout),
    ann.reads(/No third person can come in: Bob cannot reach the server’s conference port/, timeout),
  ]);
  await bob.reads(/A firewall is in the way. Open UDP to/);
  const cyd = await enter('b', 'Cyd');
  await cyd.reads(/Only two can talk here for now/);
  await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);

  internet.set('nata', 'port-restricted');
  await bob.readsNot(/Your network does not reach the server’s conference port/, timeout);
  await cyd.readsNot(/Only two can talk here for now/, timeout);
  await cyd.join();
  await enjoyAll([ann, bob, cyd]);
});
