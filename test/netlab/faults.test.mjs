/**
 * A call between two homes goes through every fault of networks and servers, one after the other, and goes on.
 *
 * What is asserted is that it recovers; how long it took is printed. FAULT_RUNS says how many calls go through all of
 * it (in every other one the struck side is the one that makes the links), FAULT_ONLY which faults (a part of the name),
 * FAULT_BLACKOUT for how many seconds the blackout lasts.
 */
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {Person} from '../browser/person.mjs';
import {lacks} from '../browser/requirement.mjs';
import {until} from '../browser/until.mjs';
import {faults} from './fault.mjs';
import {flows, readGap, rememberGaps, settled, tell} from './gap.mjs';
import {named, serve} from './house.mjs';
import {Internet} from './internet.mjs';
import {record, summary} from './results.mjs';

const skip = lacks('root', 'namespaces', 'openssl', 'certutil', 'chromium', 'parley', 'conntrack');
const runs = Number(process.env.FAULT_RUNS ?? 1);
const only = process.env.FAULT_ONLY ?? '';
const blackoutMs = Number(process.env.FAULT_BLACKOUT ?? 10) * 1000;
/** A generous bound for everything that is asserted. */
const boundMs = 30_000;
/** How long a seat is kept for somebody whose network went before they could say goodbye, and some more. */
const seatMs = 60_000;
/** How long nothing happens before and after a fault: what broke may break once more. */
const calmMs = 3000;
/** How long a call is given to come to rest. */
const restMs = 14_000;

/** @type {Internet} */
let internet;
/** @type {import('../browser/server.mjs').Server} */
let server;
/** @type {{plug: () => void, pull: () => void}} */
let second;
/** The figures of each fault, by name. @type {Map<string, Record<string, number[]>>} */
const figures = new Map();

before(async () => {
  if (skip) return;
  internet = await Internet.open({ipv6: false, carrier: false});
  second = await internet.uplink('a', 'natx', 21);
  server = await serve(internet);
});
after(async () => {
  for (const [name, columns] of figures) {
    record(name, Object.fromEntries(Object.entries(columns).map(([column, ms]) => [`${column}, ms`, summary(ms)])));
  }
  await server?.stop();
  await internet?.close();
});

/** Kills the server as a crash does, and starts it on what it has written. */
async function restart() {
  const {child} = server;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  server = await serve(internet);
}

/** @param {string} name @param {Record<string, number | null>} row */
function keep(name, row) {
  const columns = figures.get(name) ?? {};
  figures.set(name, columns);
  for (const [column, value] of Object.entries(row)) {
    if (value !== null) columns[column] = [...(columns[column] ?? []), value];
  }
}

/**
 * A call that goes through faults. The struck one is Ann, at home `a`.
 *
 * @param {string} title
 * @param {{annFirst: boolean, bobsBrowser: 'chromium' | 'firefox', rows: import('./fault.mjs').Fault[]}} call whoever
 *   comes first does not make the links
 */
function call(title, {annFirst, bobsBrowser, rows}) {
  describe(title, () => {
    /** @type {Person[]} Ann, Bob */
    const people = [];
    /** @type {import('puppeteer-core').Page[]} */
    let pages = [];
    before(async () => {
      // Small pictures: two browsers and their networks share this machine, and what is measured is not how fast it draws.
      const [atA, atB] = await Promise.all([internet.chromium('a', 'small'), internet[bobsBrowser]('b', 'small')]);
      const prepare = async (/** @type {import('puppeteer-core').Page} */ page) => {
        await page.evaluateOnNewDocument(rememberGaps);
      };
      const ann = () => Person.arrive(atA, named(server.hostLink), {name: 'Ann', prepare});
      const bob = () => Person.arrive(atB, named(server.hostLink), {name: 'Bob', prepare});
      for (const arrive of annFirst ? [ann, bob] : [bob, ann]) {
        const person = await arrive();
        people.push(person);
        // Who left the call before while the network was changing may keep a seat for a while.
        if (people.length === 1) await person.reads(/Nobody is here yet/, seatMs);
        await person.join();
      }
      if (!annFirst) people.reverse();
      pages = people.map(({page}) => page);
      await Promise.all(people.map((person) => person.enjoysCall()));
    });
    after(async () => {
      await Promise.all(people.map((person) => person.press('Leave').catch(() => undefined)));
      await Promise.all(people.map((person) => person.depart()));
    });
    for (const fault of rows) test(fault.name, async (t) => t.diagnostic(await suffer(fault, people, pages)));
  });
}

/** @param {import('puppeteer-core').Page[]} pages @param {(page: import('puppeteer-core').Page) => Promise<boolean>} ask */
const both = async (pages, ask) => (await Promise.all(pages.map(ask))).every(Boolean);

/**
 * As it is after some time: the spare transport is up, and nothing has had to be repaired for a while, for what put the last
 * fault right was one too. Not all pairs come to that.
 *
 * @param {import('puppeteer-core').Page[]} pages
 */
async function rest(pages) {
  let since = Date.now();
  const calm = async () => {
    if (!(await both(pages, settled))) since = Date.now();
    return Date.now() - since > calmMs;
  };
  await until('the call to be at rest', calm, {timeout: restMs, every: 250}).catch(() => wait(calmMs));
}

/**
 * Strikes, waits for the recovery and puts things right.
 *
 * @param {import('./fault.mjs').Fault} fault
 * @param {Person[]} people
 * @param {import('puppeteer-core').Page[]} pages
 * @returns {Promise<string>} the figures in words
 */
async function suffer(fault, people, pages) {
  const detail = () => Promise.all(people.map((person) => person.look()));
  await rest(pages);
  const tellAll = (/** @type {'start' | 'mark'} */ what) => Promise.all(pages.map((page) => tell(page, what)));
  await tellAll('start');
  const mend = await fault.strike({internet, second, restart, blackoutMs, tell: tellAll});
  await wait(calmMs);
  await until('media to flow again', () => both(pages, flows), {timeout: boundMs, detail});
  const gaps = await Promise.all(pages.map(readGap));
  const most = (/** @type {'audio' | 'video' | 'shown' | 'back'} */ kind) =>
    Math.max(...gaps.map((gap) => gap[kind] ?? 0));
  const row = {
    audio: most('audio'),
    video: most('video'),
    shown: most('shown'),
    signalling: gaps[0]?.sockets.find(({what}) => what === 'resumed' || what === 'reset')?.at ?? null,
    back: most('back') || null,
  };
  keep(fault.name, row);
  for (const person of people) assert.equal(await person.status(), 'joined');
  await mend?.();
  await until('the call to be as before', () => both(pages, flows), {timeout: boundMs, detail});
  const words = Object.entries(row).flatMap(([column, ms]) => (ms === null ? [] : `${column} ${ms}`));
  return `ms without: ${words.join(', ')}; aim ${fault.aim}`;
}

describe('a call goes on', {skip}, () => {
  const rows = faults.filter(({name}) => name.includes(only));
  for (let run = 0; run < runs; run++) {
    call(`${run + 1} of ${runs}`, {annFirst: run % 2 === 0, bobsBrowser: 'chromium', rows});
  }
  const some = rows.filter(({firefox}) => firefox);
  if (some.length > 0 && !lacks('firefox')) call('with Firefox', {annFirst: true, bobsBrowser: 'firefox', rows: some});
});
