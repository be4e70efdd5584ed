// How fast a file goes from one Chromium to another on this machine, beside a bare data channel on the same connection.
// Usage: node bench/files/files.mjs [MiB of a file, 256] [rounds, 7]; writes bench/results/files.md.
//
// Both are measured at the receiver in the same run, turn by turn: ours from the first byte of the file until all of it
// is hashed, stored and verified; the bare channel from its first message to its last, thrown away on receipt.
import {writeFileSync} from 'node:fs';
import {cpus, loadavg} from 'node:os';
import {launchChromium} from '../../test/browser/chromium.mjs';
import {downloadsTo, offerFiles} from '../../test/browser/exchange.mjs';
import {Parcel} from '../../test/browser/parcel.mjs';
import {Person} from '../../test/browser/person.mjs';
import {Server} from '../../test/browser/server.mjs';
import {until} from '../../test/browser/until.mjs';

const MiB = 1 << 20;
const size = Number(process.argv[2] ?? 256) * MiB;
const rounds = Number(process.argv[3] ?? 7);
const limit = {timeout: 180_000};

/** Runs in the page before its scripts: notes the times of files, and lets bare channels past the app. */
function watch() {
  const Native = window.RTCPeerConnection;
  // The SDK makes some of its connections in a frame of the page.
  window.top.__bench ??= {files: [], raw: [], pc: null};
  const seen = window.top.__bench;
  const file = (channel) => {
    const one = {from: 0, to: 0, stored: []};
    seen.files.push(one);
    const ends = new Map(); // when the last byte of a chunk came
    channel.addEventListener('message', ({data}) => {
      if (typeof data === 'string') return;
      one.from ||= performance.now();
      const view = new DataView(data);
      if (view.getUint8(0) === 2) ends.set(view.getUint32(8), performance.now());
    });
    const send = channel.send.bind(channel);
    channel.send = (data) => {
      if (typeof data === 'string') {
        const {type, chunk} = JSON.parse(data);
        if (type === 'have') one.stored.push(performance.now() - ends.get(chunk));
        if (type === 'verified') one.to = performance.now();
      }
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

/** What the receiver measured in a round. */
const measured = (person, kind, index) =>
  until(
    `round ${index} of ${kind}`,
    async () => {
      const one = await person.page.evaluate((k, i) => window.__bench[k][i], kind, index);
      return one?.to ? one : null;
    },
    limit,
  );
const at = (list, share) => [...list].sort((a, b) => a - b)[Math.floor((list.length - 1) * share)];
const median = (list) => at(list, 0.5);
const rate = ({from, to}) => size / 1e6 / ((to - from) / 1000);
const percent = (share) => `${(share * 100).toFixed(0)} %`;

/** The result as a page. */
function page(rows, version) {
  const [file, raw] = [median(rows.map((row) => row.file)), median(rows.map((row) => row.raw))];
  const share = median(rows.map((row) => row.file / row.raw));
  return `# Files between two browsers, beside the bare data channel

\`make bench RUN=files\` (\`bench/files/files.mjs\`): two Chromium pages on this machine, one connection. Each round sends a file of ${size / MiB} MiB by the app, chosen, accepted, hashed, stored and verified, and as many bytes over a bare channel that throws them away; which of the two goes first alternates. Both are measured at the receiver.

${new Date().toISOString().slice(0, 10)}, ${version}, ${cpus().length} cores, load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')} at the end.

| round | file MB/s | bare channel MB/s | share | chunk stored after ms, p50 / p95 | window allows MB/s |
|---|---|---|---|---|---|
${rows
  .map(({file, raw, stored}, i) => {
    const [p50, p95] = [at(stored, 0.5), at(stored, 0.95)];
    const window = 8 * MiB * 1e-3;
    return `| ${i + 1} | ${file.toFixed(1)} | ${raw.toFixed(1)} | ${percent(file / raw)} | ${p50.toFixed(0)} / ${p95.toFixed(0)} | ${(window / Math.max(p50, 1)).toFixed(0)} |`;
  })
  .join('\n')}
| median | ${file.toFixed(1)} | ${raw.toFixed(1)} | ${percent(share)} (of the rounds) | | |

"Stored after" is the time from the last byte of a chunk at the receiver until it is hashed, written and confirmed. 8 MiB may be on the way, so the last column is what the window would allow with nothing else in the way: as long as it is far above the bare channel, the window is not the limit.
`;
}

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
  const byFile = async (i) => {
    // With the first file comes the panel, which has a button of its own for more.
    await offerFiles(ann, [parcel.write(`out/round-${i}.bin`, size)], i ? 'Choose files' : 'Send file');
    await bob.press('Accept');
    return measured(bob, 'files', i);
  };
  const bare = async (i) => {
    await ann.page.evaluate(pour, size);
    return measured(bob, 'raw', i);
  };
  // The bare channel needs the connection that carried a file.
  await byFile(0);
  const rows = [];
  for (let i = 0; i < rounds; i++) {
    let [one, other] = i % 2 ? [null, await bare(i)] : [await byFile(i + 1), null];
    one ??= await byFile(i + 1);
    other ??= await bare(i);
    rows.push({file: rate(one), raw: rate(other), stored: one.stored});
    const {file, raw} = rows[i];
    console.log(`round ${i + 1}: file ${file.toFixed(1)} MB/s, bare channel ${raw.toFixed(1)} MB/s`);
  }
  const text = page(rows, await chromium.version());
  writeFileSync(new URL('../results/files.md', import.meta.url), text);
  console.log(text);
} finally {
  await chromium.close();
  await server.stop();
  parcel.drop();
}
