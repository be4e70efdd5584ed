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
import {carrier, readLinks} from '../../test/browser/links.mjs';
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

/** The steps that a joining page goes through, by what is noticed on it. */
const steps = [
  {name: 'seated', what: 'got joined'},
  {name: 'answer', what: 'got answer'},
  {name: 'ICE', what: 'ice connected'},
  {name: 'DTLS', what: 'link connected'},
  {name: 'frame', what: 'frame'},
];

/**
 * One run: milliseconds from the press on Join.
 * @typedef {object} Run
 * @property {number} frame Bob sees Ann
 * @property {number} back Ann sees Bob
 * @property {number} failed attempts before it in which no call came about
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
  /** @type {Run[]} */
  const runs = [];
  /** @type {Person | null} */
  let ann = null;
  for (let failed = 0; runs.length < Number(options.runs); ) {
    ann ??= await settle(browserA, parley.hostLink, kind);
    const bob = await arrive(browserB, parley.guestLink, 'Bob', kind);
    try {
      runs.push({...(await visit(ann, bob, way, kind)), failed});
      failed = 0;
      await bob.press('Leave');
      const {page} = ann;
      await until('Ann to be alone', async () => (await readLinks(page)).length === 0);
    } catch (error) {
      // A run that does not come about is counted, not hidden; both start anew.
      if (++failed > 3) throw error;
      process.stderr.write(`${way} ${kind} at ${rttMs} ms failed: ${error}\n`);
      await ann.depart();
      ann = null;
    } finally {
      await bob.depart();
    }
  }
  if (kind === 'knock') await ann?.flip('Waiting room');
  await ann?.press('Leave');
  await ann?.depart();
  return runs;
}

/**
 * Ann sits down in the room.
 *
 * @param {import('puppeteer-core').Browser} browser
 * @param {string} link
 * @param {Case} kind
 */
async function settle(browser, link, kind) {
  const ann = await arrive(browser, link, 'Ann', kind);
  await ann.join();
  if (kind === 'knock') await openWaitingRoom(ann);
  return ann;
}

/**
 * Bob comes, and both see each other.
 *
 * @param {Person} ann
 * @param {Person} bob
 * @param {Way} way
 * @param {Case} kind
 * @returns {Promise<Omit<Run, 'failed'>>}
 */
async function visit(ann, bob, way, kind) {
  await resetClock(ann.page);
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
  const run = timed(press, await readClock(bob.page), await readClock(ann.page));
  const got = carrier(await bob.link());
  if ((got === 'direct') !== (way === 'direct')) throw new Error(`the call is ${got}`);
  return run;
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
 * @returns {Omit<Run, 'failed'>}
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
    failed: runs.reduce((sum, run) => sum + run.failed, 0),
    steps: Object.fromEntries(
      steps.map(({name, what}) => {
        const after = runs.map((run) => run.marks.find((mark) => mark.what === what)?.after ?? Number.NaN);
        return [name, Number((median(after) / rttMs).toFixed(2))];
      }),
    ),
  };
}

/** @param {Row} row */
function line(row) {
  const s = summary(row);
  const columns = [s.way, s.rttMs, s.kind, s.frameMs, s.spreadMs.join('–'), s.rtts, s.backRtts, s.ofPlain ?? ''];
  return `| ${[...columns, s.afterAdmitRtts ?? '', s.aim ?? '', s.failed].join(' | ')} |`;
}

/** @param {Row} row */
function stepLine(row) {
  const s = summary(row);
  const columns = steps.map(({name}) => {
    const at = s.steps[name] ?? Number.NaN;
    return Number.isNaN(at) ? '' : at < 0 ? 'before' : at;
  });
  return `| ${[s.way, s.rttMs, s.kind, ...columns].join(' | ')} |`;
}

/** @param {Row[]} all */
function report(all) {
  const head = [
    '| path | peer RTT ms | case | first frame ms, median | spread | peer RTTs | the other sees, RTTs | of plain | RTTs after Admit | aim | failed |',
    `|${'---|'.repeat(11)}`,
  ];
  const stepHead = [
    `| path | peer RTT ms | case | ${steps.map(({name}) => name).join(' | ')} |`,
    `|${'---|'.repeat(3 + steps.length)}`,
  ];
  const where = `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Linux ${release()}, ${options.runs} runs each, medians`;
  const text = [
    '# Join to first frame',
    '',
    `${where}. Milliseconds from the press on Join to the first decoded frame of the other side.`,
    '',
    ...head,
    ...all.map(line),
    '',
    'What a joining page has when, in peer RTTs after the press (medians of each). The server is half a peer RTT away and',
    'back, so nobody can be seated before 0.5, and no frame can be there before 1: the join goes to the server (0.25) and',
    'on to the other (0.25), whose picture comes back (0.5). What is above that is what was not done before the press.',
    '',
    ...stepHead,
    ...all.map(stepLine),
    '',
  ].join('\n');
  process.stdout.write(`${text}\n`);
  if (!options.save) return;
  const dir = join(root, 'bench', 'results');
  mkdirSync(dir, {recursive: true});
  writeFileSync(join(dir, 'join.md'), text);
  writeFileSync(join(dir, 'join.json'), `${JSON.stringify({where, rows: all.map(summary)}, null, 2)}\n`);
}
