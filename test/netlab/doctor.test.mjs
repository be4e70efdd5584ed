/** `parley doctor` run from outside, behind real NATs and firewalls: it finds what is closed, and what kind of NAT it is. */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {lacks, parleyPath} from '../browser/requirement.mjs';
import {named, serve} from './house.mjs';
import {backbone, Internet} from './internet.mjs';

const skip = lacks('root', 'namespaces', 'openssl', 'certutil', 'parley');

/** @type {Internet} */
let internet;
/** @type {import('../browser/server.mjs').Server} */
let server;

before(async () => {
  if (skip) return;
  internet = await Internet.open({ipv6: false, carrier: false});
  const allowed = backbone.map((prefix) => `"${prefix}"`).join(', ');
  server = await serve(internet, {config: `relay:\n  ports: 50000-50099\n  allow_peers: [${allowed}]\n`});
});
after(async () => {
  await server?.stop();
  await internet?.close();
});

/**
 * Runs the doctor at home a.
 *
 * @param {import('./router.mjs').Kind} kind what the router there does
 * @returns {Promise<{status: number, found: Record<string, {state: string, words: string, fix?: string}>}>}
 */
function examine(kind) {
  internet.set('nata', kind);
  const child = internet.spaces.spawn('a', [parleyPath, 'doctor', '--json', '--ca', internet.certificate.ca, '-'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stdin?.end(`${named(server.hostLink)}\n`);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      try {
        /** @type {{check: string, state: string, words: string, fix?: string}[]} */
        const findings = JSON.parse(out).findings;
        // The lab's name has an IPv6 address, too, which this home cannot reach; the first finding of a check counts.
        resolve({
          status: status ?? -1,
          found: Object.fromEntries(findings.reverse().map((finding) => [finding.check, finding])),
        });
      } catch (error) {
        reject(new Error(`${error}: ${out}`));
      }
    });
  });
}

for (const [kind, words] of /** @type {const} */ ([
  ['port-restricted', /keeps one public port/],
  ['symmetric', /another public port for each destination/],
])) {
  test(`a ${kind} NAT: everything works, and the kind of NAT is told`, {skip}, async (t) => {
    const {status, found} = await examine(kind);
    for (const check of [
      'certificate',
      'page',
      'clock',
      'signalling',
      'direct',
      'turn-udp',
      'turn-tcp',
      'turn-tls',
      'hub',
    ]) {
      assert.equal(found[check]?.state, 'ok', JSON.stringify(found[check]));
    }
    assert.match(found.mapping?.words ?? '', words);
    assert.equal(status, 0, JSON.stringify(found));
    t.diagnostic(found.mapping?.words ?? '');
  });
}

test('a network that blocks UDP: what is closed is told, and that calls work all the same', {skip}, async () => {
  const {status, found} = await examine('udp-blocked');
  assert.equal(status, 1);
  for (const check of ['stun', 'turn-udp']) assert.equal(found[check]?.state, 'failed', JSON.stringify(found[check]));
  assert.match(found.stun?.fix ?? '', /calls still go over TCP/);
  for (const check of ['page', 'signalling', 'direct', 'turn-tcp', 'turn-tls', 'hub']) {
    assert.equal(found[check]?.state, 'ok', JSON.stringify(found[check]));
  }
});
