/**
 * Real browsers behind real NATs, through the real page: who can talk to whom, and who carries it.
 *
 * The relay range is off by default: then whoever cannot be reached directly is relayed on both sides, and the server
 * hands over in memory. With the range on, one relayed side is enough.
 */
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {carrier} from '../browser/links.mjs';
import {Person} from '../browser/person.mjs';
import {lacks} from '../browser/requirement.mjs';
import {named, serve} from './house.mjs';
import {backbone, Internet, serverAddresses, serverName} from './internet.mjs';

const skip = lacks('root', 'namespaces', 'openssl', 'certutil', 'chromium', 'parley');
const skipFirefox = skip || lacks('firefox');

/**
 * One end of a row: where, with which browser, and what the routers on the way do.
 * @typedef {{home: import('./internet.mjs').Home, browser?: 'chromium' | 'firefox', capture?: import('../browser/chromium.mjs').Capture,
 *   routers?: Record<string, import('./router.mjs').Kind>}} Side
 *
 * What has to come out. `over` is how the first side reaches the relay.
 * @typedef {{name: string, a: Side, b: Side, carrier: 'direct' | 'relayed', over?: 'udp' | 'tcp' | 'tls', skip?: string | false}} Row
 */

const portRestrictedA = {home: /** @type {const} */ ('a'), routers: {nata: /** @type {const} */ ('port-restricted')}};
const portRestrictedB = {home: /** @type {const} */ ('b'), routers: {natb: /** @type {const} */ ('port-restricted')}};
const symmetricB = {home: /** @type {const} */ ('b'), routers: {natb: /** @type {const} */ ('symmetric')}};

/** @type {Row[]} Rows that need a relay; they run with the relay range off and on. */
const relayed = [
  {name: 'port-restricted / symmetric', a: portRestrictedA, b: symmetricB, carrier: 'relayed'},
  {name: 'symmetric / symmetric', a: {home: 'a', routers: {nata: 'symmetric'}}, b: symmetricB, carrier: 'relayed'},
  {
    name: 'UDP blocked / port-restricted',
    a: {home: 'a', routers: {nata: 'udp-blocked'}},
    b: portRestrictedB,
    carrier: 'relayed',
    over: 'tcp',
  },
  {
    name: 'only TCP 443 out / port-restricted',
    a: {home: 'a', routers: {nata: 'tls-only'}},
    b: portRestrictedB,
    carrier: 'relayed',
    over: 'tls',
  },
];

/** @type {Row[]} */
const rows = [
  {name: 'port-restricted / port-restricted', a: portRestrictedA, b: portRestrictedB, carrier: 'direct'},
  {name: 'full cone / symmetric', a: {home: 'a', routers: {nata: 'full-cone'}}, b: symmetricB, carrier: 'direct'},
  {name: 'carrier NAT / port-restricted', a: {home: 'c'}, b: portRestrictedB, carrier: 'direct'},
  {name: 'both behind one NAT', a: portRestrictedA, b: {home: 'a2'}, carrier: 'direct'},
  {
    name: 'no capture permission, so mDNS names only / port-restricted',
    a: {home: 'a', capture: 'unasked', routers: {nata: 'port-restricted'}},
    b: portRestrictedB,
    carrier: 'direct',
  },
  {name: 'IPv6 only / dual stack', a: {home: 's'}, b: {home: 'd'}, carrier: 'direct'},
  {name: 'IPv6 only / IPv4 only', a: {home: 's'}, b: portRestrictedB, carrier: 'relayed'},
  ...relayed,
  {
    name: 'Firefox, only TCP 443 out / Chromium, port-restricted',
    a: {home: 'b', browser: 'firefox', routers: {natb: 'tls-only'}},
    b: portRestrictedA,
    carrier: 'relayed',
    over: 'tls',
    skip: skipFirefox,
  },
  {
    name: 'Firefox / Chromium, both only TCP 443 out',
    a: {home: 'b', browser: 'firefox', routers: {natb: 'tls-only'}},
    b: {home: 'a', routers: {nata: 'tls-only'}},
    carrier: 'relayed',
    over: 'tls',
    skip: skipFirefox,
  },
];

/** @type {Internet} */
let internet;
/** @type {import('../browser/server.mjs').Server} */
let server;

before(async () => {
  if (!skip) internet = await Internet.open();
});
after(async () => {
  await server?.stop();
  await internet?.close();
});

/** @param {Side} side */
async function browserOf(side) {
  for (const [router, kind] of Object.entries(side.routers ?? {})) internet.set(router, kind);
  return side.browser === 'firefox' ? internet.firefox(side.home) : internet.chromium(side.home, side.capture);
}

/**
 * Runs a row: both join, see and hear each other, and leave.
 *
 * @param {Row} row
 * @param {import('node:test').TestContext} t
 */
async function meet(row, t) {
  const began = performance.now();
  const [browserA, browserB] = await Promise.all([browserOf(row.a), browserOf(row.b)]);
  /** @type {Person[]} */
  const people = [];
  try {
    const ann = await Person.arrive(browserA, named(server.hostLink), {name: 'Ann'});
    people.push(ann);
    await ann.join();
    const bob = await Person.arrive(browserB, named(server.guestLink), {name: 'Bob'});
    people.push(bob);
    await bob.join();
    const mute = row.a.capture === 'unasked'; // sends nothing, and hides where it is
    await Promise.all([ann.enjoysCall(), mute ? bob.link() : bob.enjoysCall()]);
    const [atA, atB] = await Promise.all([ann.link(), bob.link()]);
    assert.equal(carrier(atA), row.carrier, JSON.stringify(atA));
    assert.equal(carrier(atB), row.carrier, JSON.stringify(atB));
    if (mute) {
      assert.ok(atA.hosts.length > 0 && atA.hosts.every(hidden), `A shows ${atA.hosts}`);
      assert.ok(
        atB.hosts.some((host) => !hidden(host)),
        `B, with permission, shows ${atB.hosts}`,
      );
    }
    if (row.over) assert.equal(atA.local.relayProtocol, row.over, JSON.stringify(atA.local));
    for (const person of people) await person.reads(row.carrier === 'direct' ? /Direct · / : /Relayed/);
    if (row.over) await ann.reads(new RegExp(`Relayed by ${serverName} over ${row.over}`, 'i'));
    t.diagnostic(`${describeEnd(atA)} … ${describeEnd(atB)}, ${Math.round(performance.now() - began)} ms`);
    await Promise.all(people.map((person) => person.press('Leave')));
    return {atA, atB};
  } finally {
    await Promise.all(people.map((person) => person.depart()));
  }
}

/** Whether an address of this machine is kept from the page: a name of mDNS, or nothing. @param {string} host */
function hidden(host) {
  return host === '' || host.endsWith('.local');
}

/** @param {import('../browser/links.mjs').Link} link */
function describeEnd({local, remote}) {
  const kind = local.type === 'relay' ? `relay(${local.relayProtocol})` : local.type;
  return `${kind} → ${remote.type}`;
}

describe('relay range off, as by default', {skip}, () => {
  before(async () => {
    server = await serve(internet, {addresses: serverAddresses});
  });
  after(() => server.stop());
  for (const row of rows) {
    test(row.name, {skip: row.skip}, async (t) => {
      await meet(row, t);
    });
  }
});

describe('relay range on', {skip}, () => {
  before(async () => {
    const allowed = backbone.map((prefix) => `"${prefix}"`).join(', ');
    const config = `relay:\n  ports: 50000-50999\n  allow_peers: [${allowed}]\n`;
    server = await serve(internet, {addresses: serverAddresses, config});
  });
  after(() => server.stop());
  for (const row of relayed) {
    test(row.name, async (t) => {
      const {atA, atB} = await meet(row, t);
      // symmetric / symmetric included: the relayed side is written to by whatever port the other's NAT chose.
      const relays = [atA.local.type, atB.local.type].filter((type) => type === 'relay').length;
      assert.equal(relays, 1, `one side is relayed: ${describeEnd(atA)} … ${describeEnd(atB)}`);
    });
  }
});
