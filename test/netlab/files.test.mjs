/**
 * A file from a program to a page over a long way: 80 ms there and back, one packet in 200 lost. The program sends on a
 * link for bulk, at its own pace; a transport's own control would take most of what gets lost for a full path.
 */
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {after, before, test} from 'node:test';
import {rootOf} from '../browser/parcel.mjs';
import {Person} from '../browser/person.mjs';
import {lacks, parleyPath} from '../browser/requirement.mjs';
import {until} from '../browser/until.mjs';
import {named, serve} from './house.mjs';
import {Internet} from './internet.mjs';

const skip = lacks('root', 'namespaces', 'openssl', 'certutil', 'chromium', 'parley', 'go', 'tun');
const size = 16 << 20;

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

/** Runs in the page before its scripts: notes on which connections files come. */
function watch() {
  const Native = window.RTCPeerConnection;
  /** @type {any} */
  const top = window.top;
  top.__ways ??= new Map();
  window.RTCPeerConnection = class extends Native {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      this.addEventListener('datachannel', ({channel}) => {
        if (channel.protocol !== 'parley.file.v1') return;
        const way = top.__ways.get(this) ?? {bytes: 0, media: 0};
        top.__ways.set(this, way);
        channel.addEventListener('message', ({data}) => {
          way.media = this.getTransceivers().length;
          if (typeof data !== 'string') way.bytes += data.byteLength;
        });
      });
    }
  };
}

test('80 ms, 0.5 % loss: parley send to Chromium', {skip, timeout: 300_000}, async (t) => {
  const wan = internet.wans.get('nata');
  await wan?.set('delay 40ms');
  await wan?.set('up loss 0.5');
  const folder = join(internet.spaces.dir, 'out');
  mkdirSync(folder);
  const bytes = randomBytes(size);
  writeFileSync(join(folder, 'far.bin'), bytes);
  const bob = await Person.arrive(await internet.chromium('b'), named(server.hostLink), {
    name: 'Bob',
    prepare: async (page) => void (await page.evaluateOnNewDocument(watch)),
  });
  await bob.join();
  const program = internet.spaces.spawn(
    'a',
    [
      parleyPath,
      'send',
      '--json',
      '--ca',
      internet.certificate.ca,
      '--server',
      named(server.guestLink),
      join(folder, 'far.bin'),
    ],
    {env: {...process.env, XDG_STATE_HOME: internet.spaces.dir}},
  );
  /** @type {any[]} */
  const lines = [];
  let log = '';
  program.stderr?.on('data', (text) => {
    log += text;
  });
  createInterface({input: /** @type {import('node:stream').Readable} */ (program.stdout)}).on('line', (line) =>
    lines.push({...JSON.parse(line), at: performance.now()}),
  );
  const gone = new Promise((resolve) => program.once('exit', resolve));
  await bob.open('Chat');
  await bob.reads(/Parley files wants to send you this/);
  const began = performance.now();
  await bob.press('Accept');
  const ended = await until('the end', async () => lines.find(({event}) => event === 'ended'), {
    timeout: 240_000,
    detail: async () => JSON.stringify(lines) + log,
  });
  assert.equal(ended.state, 'done', ended.text);
  assert.equal(lines.find(({event}) => event === 'file')?.hash, rootOf(bytes));
  assert.equal(await gone, 0);
  const ways = await bob.page.evaluate(() => [.../** @type {any} */ (window).__ways.values()]);
  const seconds = (ended.at - began) / 1000;
  t.diagnostic(`${((size * 8) / 1e6 / seconds).toFixed(1)} Mbit/s; bytes by way: ${JSON.stringify(ways)}`);
  const own = ways.reduce((sum, {media, bytes}) => sum + (media === 0 ? bytes : 0), 0);
  assert.ok(own > size / 2, `${own} of ${size} bytes came on a link of their own`);
  await bob.depart();
});
