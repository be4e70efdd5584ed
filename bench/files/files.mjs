// How fast a file goes from one Chromium to another on this machine, beside a bare data channel on the same connection.
// Usage: node bench/files/files.mjs [MiB of a file, 256] [rounds, 5]
//
// Both are measured at the receiver in the same run, turn by turn: ours from the first byte of the file until all of it
// is hashed, stored and verified; the bare channel from its first message to its last, thrown away on receipt.
import {launchChromium} from '../../test/browser/chromium.mjs';
import {downloadsTo, offerFiles} from '../../test/browser/exchange.mjs';
import {Parcel} from '../../test/browser/parcel.mjs';
import {Person} from '../../test/browser/person.mjs';
import {Server} from '../../test/browser/server.mjs';
import {until} from '../../test/browser/until.mjs';

const MiB = 1 << 20;
const size = Number(process.argv[2] ?? 256) * MiB;
const rounds = Number(process.argv[3] ?? 5);
const limit = {timeout: 180_000};

/** Runs in the page before its scripts: notes the times of files, and lets bare channels past the app. */
function watch() {
  const Native = window.RTCPeerConnection;
  // The SDK makes some of its connections in a frame of the page.
  window.top.__bench ??= {files: [], raw: [], pc: null};
  const seen = window.top.__bench;
  const file = (channel) => {
    const one = {from: 0, to: 0};
    seen.files.push(one);
    channel.addEventListener('message', ({data}) => {
      if (typeof data !== 'string') one.from ||= performance.now();
    });
    const send = channel.send.bind(channel);
    channel.send = (data) => {
      if (typeof data === 'string' && data.includes('"verified"')) one.to = performance.now();
      send(data);
    };
  };
  const raw = (channel) => {
    const one = {from: 0, to: 0, bytes: 0};
    seen.raw.push(one);
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({data}) => {
      one.from ||= performance.now();
      one.bytes += data.byteLength;
      if (one.bytes >= Number(channel.label)) one.to = performance.now();
    };
  };
  window.RTCPeerConnection = class extends Native {
    constructor(configuration) {
      super(configuration);
      this.addEventListener('datachannel', (event) => {
        if (event.channel.protocol === 'parley.file.v1') file(event.channel);
        if (event.channel.protocol !== 'bench') return;
        event.stopImmediatePropagation();
        raw(event.channel);
      });
    }
    createDataChannel(label, init) {
      if (init?.protocol === 'parley.file.v1') seen.pc = this;
      return super.createDataChannel(label, init);
    }
  };
}

/** Runs in the sender's page: fills a bare channel on the connection that carried the file. */
async function pour(bytes) {
  const channel = window.__bench.pc.createDataChannel(String(bytes), {protocol: 'bench'});
  channel.bufferedAmountLowThreshold = 256 << 10;
  // A path that breaks under way would leave this waiting for ever.
  const gone = new Promise((_, reject) => {
    channel.addEventListener('close', () => reject(new Error('the bare channel broke')));
    window.__bench.pc.addEventListener('connectionstatechange', () => {
      if (window.__bench.pc.connectionState === 'failed') reject(new Error('the bare channel broke'));
    });
  });
  const event = (name) =>
    Promise.race([gone, new Promise((resolve) => channel.addEventListener(name, resolve, {once: true}))]);
  await event('open');
  const message = crypto.getRandomValues(new Uint8Array(65_536));
  for (let sent = 0; sent < bytes; sent += message.length) {
    if (channel.bufferedAmount > 1 << 20) {
      await event('bufferedamountlow');
    }
    channel.send(message);
  }
}

const took = (person, kind, index) =>
  until(
    `round ${index} of ${kind}`,
    async () => {
      const one = await person.page.evaluate((k, i) => window.__bench[k][i], kind, index);
      return one?.to ? one.to - one.from : null;
    },
    limit,
  );
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const rate = (ms) => size / 1e6 / (ms / 1000);

const parcel = new Parcel();
const server = await Server.start();
// Nobody has a camera: the network and the disk are measured, not pictures.
const chromium = await launchChromium({capture: 'missing'});
try {
  const prepare = (page) => page.evaluateOnNewDocument(watch);
  const ann = await Person.arrive(chromium, server.room('bench'), {name: 'Ann', prepare});
  await ann.join();
  const bob = await Person.arrive(chromium, server.room('bench'), {name: 'Bob', prepare});
  await bob.join();
  await until('a link', async () => (await ann.links()).length > 0);
  await downloadsTo(bob, parcel.folder);
  const [files, raws] = [[], []];
  for (let i = 0; i < rounds; i++) {
    await offerFiles(ann, [parcel.write(`out/round-${i}.bin`, size)]);
    await bob.press('Accept');
    files.push(rate(await took(bob, 'files', i)));
    await ann.page.evaluate(pour, size);
    raws.push(rate(await took(bob, 'raw', i)));
    console.log(`round ${i + 1}: file ${files[i].toFixed(1)} MB/s, bare channel ${raws[i].toFixed(1)} MB/s`);
  }
  const [file, raw] = [median(files), median(raws)];
  const share = median(files.map((f, i) => f / raws[i]));
  console.log(
    `median of ${rounds} × ${size / MiB} MiB: file ${file.toFixed(1)} MB/s, bare channel ${raw.toFixed(1)} MB/s, ` +
      `${(share * 100).toFixed(0)} % of it (round by round)`,
  );
} finally {
  await chromium.close();
  await server.stop();
  parcel.drop();
}
