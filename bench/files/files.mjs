// How fast a file goes from one Chromium to another on this machine, beside a bare data channel on the same connection.
// Usage: node bench/files/files.mjs [MiB of a file, 256] [rounds, 7]; writes bench/results/files.md.
//
// Both are measured at the receiver in the same run, turn by turn: ours from the first byte of the file until all of it
// is hashed, stored and verified; the bare channel from its first message to its last, thrown away on receipt. The two
// people have a browser each, with a profile on the disk: what a private window stores goes through another process into
// memory, and ends at a gigabyte or so. What either of them costs is counted in processor time, thread by thread, which
// says the same on a machine that does other things too.
import {writeFileSync} from 'node:fs';
import {cpus, loadavg} from 'node:os';
import {launchChromium} from '../../test/browser/chromium.mjs';
import {offerFiles, transfers} from '../../test/browser/exchange.mjs';
import {Parcel} from '../../test/browser/parcel.mjs';
import {Person} from '../../test/browser/person.mjs';
import {Server} from '../../test/browser/server.mjs';
import {until} from '../../test/browser/until.mjs';
import {spent, sum} from './cost.mjs';

const MiB = 1 << 20;
const size = Number(process.argv[2] ?? 256) * MiB;
const rounds = Number(process.argv[3] ?? 7);
const limit = {timeout: 180_000};

/** Runs in the page before its scripts: notes the times of files, and lets bare channels past the app. */
function watch() {
  const Native = window.RTCPeerConnection;
  // The SDK makes some of its connections in a frame of the page.
  window.top.__bench ??= {files: [], raw: [], pc: null, through: () => {}};
  const seen = window.top.__bench;
  const file = (channel) => {
    // A file whose transport was replaced under way goes on by another channel.
    const last = seen.files.at(-1);
    const one = last && !last.to ? last : {from: 0, to: 0, stored: []};
    if (one !== last) seen.files.push(one);
    const ends = new Map(); // when the last byte of a chunk came
    channel.addEventListener('message', ({data}) => {
      if (typeof data === 'string') return;
      one.from ||= performance.now();
      // The bare channel has nobody who looks at its messages: only the last frame of a chunk, its hash, is read here.
      if (data.byteLength === 48) ends.set(new DataView(data).getUint32(8), performance.now());
    });
    const send = channel.send.bind(channel);
    channel.send = (data) => {
      if (typeof data === 'string') {
        const {type, chunk} = JSON.parse(data);
        if (type === 'have') one.stored.push(performance.now() - ends.get(chunk));
        if (type === 'verified') {
          one.to = performance.now();
          seen.through();
        }
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
      if (one.bytes < Number(channel.label)) return;
      one.to = performance.now();
      seen.through();
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

/**
 * Runs in the receiver's page: resolves with what was measured in a round, or with what the receiver is told when it
 * came to nothing. The page says it by itself: whoever asked again and again would be a part of what is measured.
 */
function awaited(kind, index) {
  return new Promise((resolve) => {
    const seen = window.__bench;
    const look = () => {
      const trouble = document.querySelector('.transfer-line[data-bad=true]')?.textContent;
      const one = seen[kind][index];
      if (!trouble && !one?.to) return;
      observer.disconnect();
      resolve(trouble ? {trouble} : one);
    };
    const observer = new MutationObserver(look);
    seen.through = look;
    observer.observe(document.body, {subtree: true, attributeFilter: ['data-bad'], childList: true});
    look();
  });
}

/** What the receiver measured in a round. Throws what the receiver is told when it came to nothing. */
async function measured(person, kind, index) {
  // One that never ends does so by the driver's own patience, of three minutes.
  const one = await person.page.evaluate(awaited, kind, index).catch((cause) => {
    throw new Error(`round ${index} of ${kind}: nothing more is heard of it`, {cause});
  });
  if (one.trouble) throw new Error(`round ${index} of ${kind}: ${person.name} reads: ${one.trouble}`);
  return one;
}
const at = (list, share) => [...list].sort((a, b) => a - b)[Math.floor((list.length - 1) * share)];
const median = (list) => at(list, 0.5);
const rate = ({from, to}) => size / 1e6 / ((to - from) / 1000);
const percent = (share) => `${(share * 100).toFixed(0)} %`;

/** The result as a page. */
function page(rows, costs, version) {
  const [file, raw] = [median(rows.map((row) => row.file)), median(rows.map((row) => row.raw))];
  const share = median(rows.map((row) => row.file / row.raw));
  return `# Files between two browsers, beside the bare data channel

\`make bench RUN=files\` (\`bench/files/files.mjs\`): two Chromium on this machine with a profile each, one connection. Each round sends a file of ${size / MiB} MiB by the app, chosen, accepted, hashed, stored and verified, and as many bytes over a bare channel that throws them away; which of the two goes first alternates. Both are measured at the receiver.

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

## What it costs

Milliseconds of processor time for a megabyte, median of the rounds, of both browsers; threads that take less than 0.2 are in the sums only.

| who | thread | file | bare channel |
|---|---|---|---|
${costs}
`;
}

/** Processor time by person and thread, in ms for a megabyte, as rows of a table. */
function table(rows) {
  const lines = [];
  const per = (kind, read) => median(rows.map((row) => read(row.cost[kind]) / (size / 1e6)));
  for (const who of ['sender', 'receiver']) {
    const threads = new Set(rows.flatMap(({cost}) => [...cost.file[who].keys(), ...cost.raw[who].keys()]));
    const told = [...threads]
      .map((name) => [name, per('file', (c) => c[who].get(name) ?? 0), per('raw', (c) => c[who].get(name) ?? 0)])
      .filter(([, file, raw]) => Math.max(file, raw) >= 0.2)
      .sort((a, b) => b[1] - a[1]);
    for (const [name, file, raw] of told) lines.push(`| ${who} | ${name} | ${file.toFixed(1)} | ${raw.toFixed(1)} |`);
  }
  const all = (kind) => per(kind, (c) => sum(c.sender) + sum(c.receiver)).toFixed(1);
  return [...lines, `| both | all | ${all('file')} | ${all('raw')} |`].join('\n');
}

const parcel = new Parcel();
const server = await Server.start();
// Nobody has a camera: the network and the disk are measured, not pictures.
const browsers = await Promise.all([launchChromium({capture: 'missing'}), launchChromium({capture: 'missing'})]);
try {
  const prepare = (page) => page.evaluateOnNewDocument(watch);
  const arrive = async (browser, name) => {
    const context = browser.defaultBrowserContext();
    const person = await Person.arrive(browser, server.room('bench'), {name, context, prepare});
    await person.join();
    // What is saved would be one more copy on the same disk; that is the browser's work, and later.
    const session = await person.page.createCDPSession();
    await session.send('Browser.setDownloadBehavior', {behavior: 'deny'});
    return person;
  };
  const ann = await arrive(browsers[0], 'Ann');
  const bob = await arrive(browsers[1], 'Bob');
  await until('a link', async () => (await ann.links()).length > 0);
  const byFile = async (i) => {
    const name = `round-${i}.bin`;
    // With the first file comes the panel, which has a button of its own for more.
    await offerFiles(ann, [parcel.write(`out/${name}`, size)], i ? 'Choose files' : 'Send file');
    const before = cost();
    await bob.press('Accept');
    const one = {...(await measured(bob, 'files', i)), cost: cost(before)};
    if (i === 0) await bob.open('Files');
    await until('the file to be there', async () => (await transfers(bob)).some(({text}) => /Saved/.test(text)), limit);
    for (const person of [ann, bob]) await person.press(`Remove from the list: ${name}`);
    return one;
  };
  const bare = async (i) => {
    const before = cost();
    const [one] = await Promise.all([measured(bob, 'raw', i), ann.page.evaluate(pour, size)]);
    return {...one, cost: cost(before)};
  };
  /** Processor time of both browsers, since `before` if there is one. */
  const cost = (before) => ({
    sender: spent(browsers[0].process().pid, before?.sender),
    receiver: spent(browsers[1].process().pid, before?.receiver),
  });
  // The bare channel needs the connection that carried a file.
  await byFile(0);
  const rows = [];
  for (let i = 0; i < rounds; i++) {
    let [one, other] = i % 2 ? [null, await bare(i)] : [await byFile(i + 1), null];
    one ??= await byFile(i + 1);
    other ??= await bare(i);
    rows.push({file: rate(one), raw: rate(other), stored: one.stored, cost: {file: one.cost, raw: other.cost}});
    const {file, raw} = rows[i];
    console.log(`round ${i + 1}: file ${file.toFixed(1)} MB/s, bare channel ${raw.toFixed(1)} MB/s`);
  }
  const text = page(rows, table(rows), await browsers[0].version());
  writeFileSync(new URL('../results/files.md', import.meta.url), text);
  console.log(text);
} finally {
  for (const browser of browsers) await browser.close();
  await server.stop();
  parcel.drop();
}
