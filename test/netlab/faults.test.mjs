/**
 * A call between two homes goes through every fault of networks and servers, one after the other, and goes on.
 *
 * What is asserted is that it recovers; how long it took is printed. FAULT_RUNS says how many calls go through all of
 * it (in every other one the struck side is the one that makes the links), FAULT_ONLY which faults (a part of the name),
 * FAULT_BLACKOUT for how many seconds the blackout lasts.
 */
import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {Person} from '../browser/person.mjs';
import {lacks} from '../browser/requirement.mjs';
import {Server} from '../browser/server.mjs';
import {until} from '../browser/until.mjs';
import {faults} from './fault.mjs';
import {flows, readGap, rememberGaps, settled, tell} from './gap.mjs';
import {Internet, serverAddresses, serverName} from './internet.mjs';

const skip = lacks('root', 'namespaces', 'openssl', 'certutil', 'chromium', 'parley', 'conntrack');
const runs = Number(process.env.FAULT_RUNS ?? 1);
const only = process.env.FAULT_ONLY ?? '';
const blackoutMs = Number(process.env.FAULT_BLACKOUT ?? 12) * 1000;
/** A generous bound for everything that is asserted. */
const boundMs = 30_000;

/** @type {Internet} */
let internet;
/** @type {Server} */
let server;
/** @type {{plug: () => void, pull: () => void}} */
let second;
/** The figures of each fault, by name. @type {Map<string, Record<string, number[]>>} */
const figures = new Map();

before(async () => {
  if (skip) return;
  internet = await Internet.open({ipv6: false, carrier: false});
  second = await internet.uplink('a', 'natx', 21);
  await serve();
});
after(async () => {
  for (const [name, columns] of figures) {
    const words = Object.entries(columns).map(([column, values]) => `${column} ${summary(values)}`);
    if (runs > 1) console.log(`${name}: ${words.join(', ')}`);
  }
  await server?.stop();
  await internet?.close();
});

async function serve() {
  const file = join(internet.spaces.dir, 'parley.yaml');
  writeFileSync(file, `public_address: ${serverAddresses[0]}\n`);
  const {cert, key} = internet.certificate;
  server = await Server.start({
    args: ['--listen', ':443', '--cert', cert, '--key', key, '--config', file],
    data: join(internet.spaces.dir, 'data'),
    run: (program, args) => internet.spawnServer(program, args),
  });
}

/** Kills the server as a crash does, and starts it on what it has written. */
async function restart() {
  const {child} = server;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  await serve();
}

/** @param {string} link as printed; the lab's name is the certificate's */
function named(link) {
  const url = new URL(link);
  return `https://${serverName}${url.pathname}${url.hash}`;
}

/** @param {number[]} values @returns median and 95th percentile */
function summary(values) {
  const sorted = [...values].sort((x, y) => x - y);
  const at = (/** @type {number} */ share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  return `${at(0.5)}/${at(0.95)} (${values.length})`;
}

/** @param {string} name @param {Record<string, number | null>} row */
function keep(name, row) {
  const columns = figures.get(name) ?? {};
  figures.set(name, columns);
  for (const [column, value] of Object.entries(row)) {
    if (value !== null) columns[column] = [...(columns[column] ?? []), value];
  }
}

for (let run = 0; run < runs; run++) {
  describe(`call ${run + 1} of ${runs}`, {skip}, () => {
    /** The one who is struck, and the other. @type {Person} */
    let ann;
    /** @type {Person} */
    let bob;
    before(async () => {
      const [atA, atB] = await Promise.all([internet.chromium('a'), internet.chromium('b')]);
      const prepare = (/** @type {import('puppeteer-core').Page} */ page) => page.evaluateOnNewDocument(rememberGaps);
      const arrive = async (
        /** @type {import('puppeteer-core').Browser} */ browser,
        /** @type {string} */ name,
        /** @type {string} */ link,
      ) => {
        const person = await Person.arrive(browser, named(link), {
          name,
          prepare: async (page) => void (await prepare(page)),
        });
        await person.join();
        return person;
      };
      if (run % 2) bob = await arrive(atB, 'Bob', server.hostLink);
      ann = await arrive(atA, 'Ann', run % 2 ? server.guestLink : server.hostLink);
      if (run % 2 === 0) bob = await arrive(atB, 'Bob', server.guestLink);
      await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
    });
    after(async () => {
      await Promise.all([ann, bob].map((person) => person?.press('Leave').catch(() => undefined)));
      await Promise.all([ann, bob].map((person) => person?.depart()));
    });

    for (const fault of faults.filter(({name}) => name.includes(only))) {
      test(fault.name, async (t) => {
        const pages = [ann.page, bob.page];
        // As it is after some time: the spare transport is up where there is one, and nothing is being repaired.
        await Promise.race([
          until('the call to settle', async () => (await Promise.all(pages.map(settled))).every(Boolean)),
          wait(12_000),
        ]);
        const mark = () => Promise.all(pages.map((page) => tell(page, 'start')));
        await mark();
        const mend = await fault.strike({
          internet,
          second,
          restart,
          blackoutMs,
          mark: fault.name === 'blackout' ? () => Promise.all(pages.map((page) => tell(page, 'mark'))) : mark,
        });
        await wait(3000);
        await until('media to flow again', async () => (await Promise.all(pages.map(flows))).every(Boolean), {
          timeout: boundMs,
          detail: async () => [await ann.look(), await bob.look()],
        });
        const [a, b] = await Promise.all(pages.map(readGap));
        const signalling = a?.sockets.find(({what}) => what === 'resumed' || what === 'reset')?.at ?? null;
        const row = {
          audio: Math.max(a?.audio ?? 0, b?.audio ?? 0),
          video: Math.max(a?.video ?? 0, b?.video ?? 0),
          shown: Math.max(a?.shown ?? 0, b?.shown ?? 0),
          signalling,
          back: fault.name === 'blackout' ? Math.max(a?.back ?? 0, b?.back ?? 0) : null,
        };
        keep(fault.name, row);
        t.diagnostic(
          `ms without: ${Object.entries(row)
            .filter(([, v]) => v !== null)
            .map(([k, v]) => `${k} ${v}`)
            .join(', ')}; aim ${fault.aim}`,
        );
        assert.equal(await ann.status(), 'joined');
        assert.equal(await bob.status(), 'joined');
        await mend?.();
        await until('the call to be as before', async () => (await Promise.all(pages.map(flows))).every(Boolean), {
          timeout: boundMs,
        });
      });
    }
  });
}
