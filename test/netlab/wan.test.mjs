/** The long cable between real namespaces: what is set is what is measured. */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {lacks} from '../browser/requirement.mjs';
import {Internet, serverAddresses} from './internet.mjs';

const skip = lacks('root', 'namespaces', 'openssl', 'go', 'tun');

/** @type {Internet} */
let internet;

before(async () => {
  if (!skip) internet = await Internet.open({ipv6: false, carrier: false, long: true});
});
after(async () => {
  await internet?.close();
});

/** Pings the server from home `a`. @param {number} count @returns {{received: number, minMs: number}} */
function ping(count) {
  const address = String(serverAddresses[0]);
  // Ping fails when nothing comes back; that is an answer here.
  const said = internet.spaces.run('a', 'sh', '-c', `ping -q -c ${count} -i 0.02 -W 1 ${address} || true`);
  return {
    received: Number(said.match(/(\d+) received/)?.[1]),
    minMs: Number(said.match(/= ([\d.]+)\//)?.[1] ?? Number.NaN),
  };
}

test('a delay each way is a round trip of two', {skip}, async (t) => {
  await internet.wans.get('nata')?.set('delay 25ms');
  const {received, minMs} = ping(10);
  t.diagnostic(`${minMs} ms round trip over 25 ms each way`);
  assert.equal(received, 10);
  assert.ok(minMs >= 50 && minMs < 60, `${minMs} ms`);
});

test('cut, nothing arrives; mended, everything does', {skip}, async () => {
  await internet.wans.get('nata')?.set('delay 0s');
  await internet.wans.get('nata')?.set('cut');
  assert.equal(ping(3).received, 0);
  await internet.wans.get('nata')?.set('mend');
  assert.equal(ping(3).received, 3);
});
