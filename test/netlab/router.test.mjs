/** The lab itself: every router does what its name says. Without this the matrix would prove nothing about NATs. */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {lacks} from '../browser/requirement.mjs';
import {Internet, serverAddresses} from './internet.mjs';
import {firstLine} from './namespaces.mjs';

const skip = lacks('root', 'namespaces', 'openssl');
const probe = fileURLToPath(new URL('probe.mjs', import.meta.url));

/** @type {Internet} */
let internet;

before(async () => {
  if (skip) return;
  internet = await Internet.open();
  await firstLine(internet.spaces.spawn('server', [process.execPath, probe, 'echo']));
});
after(async () => {
  await internet?.close();
});

/** @param {string} ns @returns {import('./probe.mjs').Finding} */
function find(ns) {
  return JSON.parse(internet.spaces.run(ns, process.execPath, probe, 'ask', String(serverAddresses[0])));
}

/** What a port-restricted router lets through; the others differ in a few points. */
const usual = {udp: true, samePort: true, keptPort: true, strangers: false, tcp443: true, stun443: true, tcp8080: true};
const noUDP = {udp: false, samePort: false, keptPort: false};

/** @type {[import('./router.mjs').Kind, Partial<import('./probe.mjs').Finding>][]} */
const kinds = [
  ['port-restricted', {}],
  ['full-cone', {strangers: true}],
  ['symmetric', {samePort: false, keptPort: false}],
  ['udp-blocked', noUDP],
  ['tls-only', {...noUDP, stun443: false, tcp8080: false}],
];
for (const [kind, differs] of kinds) {
  test(kind, {skip}, () => {
    internet.set('nata', kind);
    assert.deepEqual(find('a'), {...usual, ...differs});
  });
}

test('a NAT behind a carrier NAT is still port-restricted', {skip}, () => {
  assert.deepEqual(find('c'), usual);
});

test('names resolve at every home', {skip}, () => {
  for (const home of ['a', 'a2', 'b', 'c', 's', 'd']) {
    const said = internet.spaces.run(home, 'getent', 'ahosts', 'lab.test');
    assert.match(said, home === 's' ? /2001:db8:113::1/ : /203\.0\.113\.1/, home);
  }
});
