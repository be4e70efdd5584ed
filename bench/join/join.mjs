/**
 * From the press on Join to the first decoded frame of the other side, as a multiple of the round trip between the two.
 *
 *     node bench/join/join.mjs [--runs 5] [--rtt 200,400] [--path direct,udp,tls] [--case plain,warm,cold,knock] [--save]
 *
 * Two homes with long cables to the backbone on which the server is: a cable of d milliseconds one way at each home makes
 * 2d to the server and back and 4d to the other person and back. Ann sits in the room; Bob comes again and again.
 *
 * - `plain`: a straightforward page on the same server and relay (plain.html), at both ends;
 * - `warm`: the app; Bob stays on the page before Join until nothing more happens;
 * - `cold`: the app; Bob presses Join as soon as the page lets him;
 * - `knock`: the app; the room has a waiting room and Ann admits at once. Nothing may be opened to Ann before that.
 */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {cpus, release} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {carrier} from '../../test/browser/links.mjs';
import {Person} from '../../test/browser/person.mjs';
import {lacks, root} from '../../test/browser/requirement.mjs';
import {Server} from '../../test/browser/server.mjs';
import {until} from '../../test/browser/until.mjs';
import {Internet, serverAddresses, serverName} from '../../test/netlab/internet.mjs';
import {readClock, resetClock, startClock} from './clock.mjs';

/** @typedef {'direct' | 'udp' | 'tls'} Way */
/** @typedef {'plain' | 'warm' | 'cold' | 'knock'} Case */

/** What both routers do so that the call takes a way. @type {Record<Way, import('../../test/netlab/router.mjs').Kind>} */
const routers = {direct: 'port-restricted', udp: 'symmetric', tls: 'tls-only'};
/** What the design aims at for the app, in peer RTTs. @type {Record<Way, number>} */
const aims = {direct: 2.5, udp: 3.0, tls: 4.0};
/** @type {Case[]} */
const allCases = ['plain', 'warm', 'cold', 'knock'];

/**
 * One run: milliseconds from the press on Join.
 * @typedef {object} Run
 * @property {number} frame Bob sees Ann
 * @property {number} back Ann sees Bob
 * @property {number} [admitted] until Ann pressed Admit, with a waiting room
 * @property {{after: number, what: string}[]} marks what happened on Bob's page
 */

/** @typedef {{rttMs: number, way: Way, kind: Case, runs: Run[]}} Row */

const {values: options} = parseArgs({
  options: {
    runs: {type: 'string', default: '5'},
    rtt: {type: 'string', default: '200,400'},
    path: {type: 'string', default: 'direct,udp,tls'},
    case: {type: 'string', default: allCases.join(',')},
    save: {type: 'boolean', default: false},
    verbose: {type: 'boolean', default: false},
  },
});

const reason = lacks('root', 'namespaces', 'openssl', 'certutil', 'chromium', 'parley', 'go', 'tun');
if (reason) {
  process.stdout.write(`bench/join: skipped: ${reason}\n`);
  process.exit(0);
}

const plainPage = readFileSync(new URL('plain.html', import.meta.url), 'utf8');
const internet = await Internet.open({ipv6: false, carrier: false, long: true});
/** @type {Server | undefined} */
let server;
/** @type {Row[]} */
const rows = [];
try {
  const {cert, key} = internet.certificate;
  server = await Server.start({
    args: ['--listen', ':443', '--cert', cert, '--key', key, '--public-address', String(serverAddresses[0])],
    data: join(internet.spaces.dir, 'data'),
    run: (program, args) => internet.spawnServer(program, args),
  });
  for (const way of /** @type {Way[]} */ (options.path.split(','))) {
    internet.set('nata', routers[way]);
    internet.set('natb', routers[way]);
    for (const rttMs of options.rtt.split(',').map(Number)) {
      for (const wan of internet.wans.values()) await wan.set(`delay ${rttMs / 4}ms`);
      for (const kind of /** @type {Case[]} */ (options.case.split(','))) {
        rows.push({rttMs, way, kind, runs: await measure(server, way, kind, rttMs)});
        process.stderr.write(`${line(/** @type {Row} */ (rows.at(-1)))}\n`);
      }
    }
  }
} finally {
  await server?.stop();
  await internet.close();
}
report(rows);

/**
 * @param {Server} parley
 * @param {Way} way
 * @param {Case} kind
 * @param {number} rttMs
 * @returns {Promise<Run[]>}
 */
async function measure(parley, way, kind, rttMs) {
  const [browserA, browserB] = await Promise.all([internet.chromium('a'), internet.chromium('b')]);
  const ann = await arrive(browserA, parley.hostLink, 'Ann', kind);
  /** @type {Run[]} */
  const runs = [];
  try {
    await ann.join();
    if (kind === 'knock') await openWaitingRoom(ann);
    for (let i = 0; i < Number(options.runs); i++) {
      await resetClock(ann.page);
      const bob = await arrive(browserB, parley.guestLink, 'Bob', kind);
      await bob.write('Your name', 'Bob');
      if (kind !== 'cold') await linger(bob);
      await bob.press('Join');
      const press = await until('the press', async () => pressed(await readClock(bob.page)));
      await Promise.all(
        [bob, ann].map((person) =>
          until(`${person.name}'s first frame`, async () => frame(await readClock(person.page), press), {
            timeout: 60_000,
            detail: () => person.look(),
          }),
        ),
      );
      runs.push(timed(press, await readClock(bob.page), await readClock(ann.page)));
      const got = carrier(await bob.link());
      if ((got === 'direct') !== (way === 'direct'))
        throw new Error(`${way} ${kind} at ${rttMs} ms: the call is ${got}`);
      await bob.press('Leave');
      await bob.depart();
      await until('Ann to be alone', async () => (await ann.links()).length === 0);
    }
    if (kind === 'knock') await ann.flip('Waiting room');
    await ann.press('Leave');
  } finally {
    await ann.depart();
  }
  return runs;
}

/**
 * @param {import('puppeteer-core').Browser} browser
 * @param {string} link
 * @param {string} name
 * @param {Case} kind
 */
async function arrive(browser, link, name, kind) {
  const {pathname, hash} = new URL(link);
  return Person.arrive(browser, `https://${serverName}${pathname}${hash}`, {
    name,
    async prepare(page) {
      await page.evaluateOnNewDocument(startClock);
      if (kind !== 'plain') return;
      await page.setRequestInterception(true);
      page.on('request', (request) => {
        if (!request.isNavigationRequest()) return void request.continue();
        return void request.respond({status: 200, contentType: 'text/html; charset=utf-8', body: plainPage});
      });
    },
  });
}

/**
 * Stays before Join until the page has been quiet for two seconds.
 *
 * @param {Person} person
 */
async function linger(person) {
  await person.reaches('lobby');
  let count = -1;
  await until(
    'the page to be quiet',
    async () => {
      const marks = (await readClock(person.page)).filter(({what}) => !/ping|pong|ack/.test(what)).length;
      const quiet = marks === count;
      count = marks;
      return quiet;
    },
    {every: 2000, timeout: 60_000},
  );
}

/**
 * Turns the waiting room on, and lets Ann press Admit the moment it is there.
 *
 * @param {Person} ann
 */
async function openWaitingRoom(ann) {
  await ann.press('People');
  await ann.flip('Waiting room');
  await ann.page.evaluate(() => {
    new MutationObserver(() => {
      const admit = [...document.querySelectorAll('button')].find((button) =>
        /^Admit/.test(button.getAttribute('aria-label') ?? ''),
      );
      if (!admit || admit.dataset.pressed) return;
      admit.dataset.pressed = 'true';
      admit.click();
    }).observe(document.body, {subtree: true, childList: true});
  });
}

/** @param {import('./clock.mjs').Mark[]} marks */
function pressed(marks) {
  return marks.findLast(({what}) => what === 'press Join')?.at ?? 0;
}

/** @param {import('./clock.mjs').Mark[]} marks @param {number} press */
function frame(marks, press) {
  return marks.find(({at, what}) => what === 'frame' && at > press)?.at ?? 0;
}

/**
 * @param {number} press
 * @param {import('./clock.mjs').Mark[]} atBob
 * @param {import('./clock.mjs').Mark[]} atAnn
 * @returns {Run}
 */
function timed(press, atBob, atAnn) {
  const seen = frame(atBob, press);
  const admit = atAnn.find(({at, what}) => /^press Admit/.test(what) && at > press)?.at;
  return {
    frame: seen - press,
    back: frame(atAnn, press) - press,
    ...(admit ? {admitted: admit - press} : {}),
    marks: atBob.filter(({at}) => at <= seen).map(({at, what}) => ({after: Math.round(at - press), what})),
  };
}

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? Number(sorted[middle]) : (Number(sorted[middle - 1]) + Number(sorted[middle])) / 2;
}

/** @param {Row} row */
function summary({rttMs, way, kind, runs}) {
  const frames = runs.map((run) => run.frame);
  const frame = median(frames);
  const plain = rows.find((other) => other.rttMs === rttMs && other.way === way && other.kind === 'plain');
  const base = plain ? median(plain.runs.map((run) => run.frame)) : Number.NaN;
  const admitted = runs.every((run) => run.admitted !== undefined)
    ? median(runs.map((run) => run.frame - Number(run.admitted)))
    : null;
  return {
    rttMs,
    way,
    kind,
    runs: runs.length,
    frameMs: Math.round(frame),
    spreadMs: [Math.round(Math.min(...frames)), Math.round(Math.max(...frames))],
    rtts: Number((frame / rttMs).toFixed(2)),
    backRtts: Number((median(runs.map((run) => run.back)) / rttMs).toFixed(2)),
    ofPlain: Number.isNaN(base) ? null : Number((frame / base).toFixed(2)),
    afterAdmitRtts: admitted === null ? null : Number((admitted / rttMs).toFixed(2)),
    aim: kind === 'warm' || kind === 'cold' ? aims[way] : null,
    /** The steps of the median run. */
    steps:
      [...runs]
        .sort((a, b) => a.frame - b.frame)
        [runs.length >> 1]?.marks.filter(({what}) => !/ping|pong|ack$/.test(what)) ?? [],
  };
}

/** @param {Row} row */
function line(row) {
  const s = summary(row);
  const columns = [
    s.way,
    s.rttMs,
    s.kind,
    s.frameMs,
    s.spreadMs.join('–'),
    s.rtts,
    s.backRtts,
    s.ofPlain ?? '',
    s.afterAdmitRtts ?? '',
    s.aim ?? '',
  ];
  return `| ${columns.join(' | ')} |`;
}

/** @param {Row[]} all */
function report(all) {
  const head = [
    '| path | peer RTT ms | case | first frame ms, median | spread | peer RTTs | the other sees, RTTs | of plain | RTTs after Admit | aim |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ];
  const steps = all.flatMap((row) => {
    const s = summary(row);
    return [`- ${s.way}, ${s.rttMs} ms, ${s.kind}: ${s.steps.map(({after, what}) => `${what} ${after}`).join(', ')}`];
  });
  const where = `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Linux ${release()}, ${options.runs} runs each, medians`;
  const text = [
    '# Join to first frame',
    '',
    `${where}. Milliseconds from the press on Join to the first decoded frame of the other side.`,
    '',
    ...head,
    ...all.map(line),
    '',
    'Steps of the median run on the joining page, milliseconds after the press:',
    '',
    ...steps,
    '',
  ].join('\n');
  process.stdout.write(`${text}\n`);
  if (!options.save) return;
  const dir = join(root, 'bench', 'results');
  mkdirSync(dir, {recursive: true});
  writeFileSync(join(dir, 'join.md'), text);
  writeFileSync(join(dir, 'join.json'), `${JSON.stringify({where, rows: all.map(summary)}, null, 2)}\n`);
}
