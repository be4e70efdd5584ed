/** The conversation that stays: for whom it is kept, how it is read, and that words are only ever words. */
import assert from 'node:assert/strict';
import {after, afterEach, before, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {Person} from './person.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');

/** @type {Server} */
let server;
/** @type {import('puppeteer-core').Browser} */
let chromium;
/** @type {Person[]} */
let people = [];

before(async () => {
  if (skip) return;
  [server, chromium] = await Promise.all([Server.start(), launchChromium({capture: 'small'})]);
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});
afterEach(async () => {
  for (const person of people) assert.deepEqual(person.faults, [], person.name);
  await Promise.all(people.map((person) => person.depart()));
  people = [];
});

/** @param {string} name @param {string} room */
async function joins(name, room) {
  const person = await Person.arrive(chromium, server.room(room), {name});
  people.push(person);
  await person.join();
  await person.open('Chat');
  return person;
}

/** @param {Person} person @param {string} policy */
async function keeps(person, policy) {
  await person.page.select('.chat-kept select', policy);
}

/**
 * Says many lines, faster than anybody types.
 *
 * @param {Person} person @param {number} lines
 */
async function pastes(person, lines) {
  await person.page.evaluate(async (count) => {
    const field = /** @type {HTMLTextAreaElement} */ (document.querySelector('.composer textarea'));
    for (let i = 0; i < count; i++) {
      field.value = `line ${i}.`;
      field.dispatchEvent(new Event('input', {bubbles: true}));
      await new Promise(requestAnimationFrame); // it is drawn
      field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true}));
    }
  }, lines);
}

test('whoever comes later reads what was said, older pages on demand', {skip}, async () => {
  const ann = await joins('Ann', 'pages');
  await ann.say('the very first');
  await pastes(ann, 120);
  await until('everything to be saved', async () => !/Not (sent|saved) yet/.test(await ann.log()));
  const bob = await joins('Bob', 'pages');
  await until('Bob to read the newest', async () => /line 119\./.test(await bob.log()));
  assert.doesNotMatch(await bob.log(), /the very first/);
  const before = await bob.page.$eval('.chat-list', (list) => {
    list.scrollTop = 0;
    return list.scrollHeight;
  });
  await bob.press('Show earlier messages');
  await until('Bob to read the oldest', async () => /the very first/.test(await bob.log()));
  const after = await bob.page.$eval('.chat-list', (list) => list.scrollHeight - list.scrollTop);
  assert.ok(Math.abs(after - before) < 100, `what Bob reads stays where it is: ${before}, ${after}`);
  const text = await bob.log();
  for (let i = 0; i < 120; i++) assert.equal(text.split(`line ${i}.`).length, 2, `line ${i} once`);
  await bob.reads(/Kept until everybody has left/);
});

test('a long talk is drawn in parts, and whoever reads back is left where they are', {skip}, async () => {
  const ann = await joins('Ann', 'long');
  const bob = await joins('Bob', 'long');
  await pastes(ann, 230);
  await until('Bob to read the newest', async () => /line 229\./.test(await bob.log()));
  const drawn = () => bob.page.$$eval('.chat-group p', (all) => all.length);
  const first = await drawn();
  assert.ok(first >= 100 && first < 200, `${first} of 230 are drawn`);
  const back = () =>
    bob.page.$eval('.chat-list', (list) => {
      list.scrollTop = 0;
      return new Promise((done) => requestAnimationFrame(() => done(undefined)));
    });
  await back();
  await bob.press('Show earlier messages');
  await until('Bob to read more', async () => (await drawn()) === first + 100);
  const seen = () => bob.page.$eval('.chat-list', (list) => list.scrollTop);
  const where = await seen();
  assert.ok(where > 0);
  await ann.say('and one more');
  await until('Bob to get it', async () => /and one more/.test(await bob.log()));
  assert.deepEqual([await drawn(), await seen()], [first + 101, where], 'nothing moves while he reads');
  await bob.looksBack();
  const text = await bob.log();
  for (let i = 0; i < 230; i++) assert.equal(text.split(`line ${i}.`).length, 2, `line ${i} once`);
});

test('a host keeps it for the next time, or lets nothing be kept', {skip}, async () => {
  let ann = await joins('Ann', 'policy');
  await keeps(ann, 'forever');
  await ann.say('for next time');
  await until('it to be saved', async () => /for next time/.test(await ann.log()) && !/yet/.test(await ann.log()));
  await ann.press('Leave');
  await ann.reads(/You left/);
  ann = await joins('Ann', 'policy'); // with a browser of another day
  await until('Ann to read it again', async () => /for next time/.test(await ann.log()));
  await keeps(ann, 'none');
  const bob = await joins('Bob', 'policy');
  await bob.reads(/Nothing is kept/);
  assert.doesNotMatch(await bob.log(), /for next time/);
});

test('scripts and strange links in a message are text', {skip}, async () => {
  const ann = await joins('Ann', 'safe');
  const bob = await joins('Bob', 'safe');
  for (const words of [
    '<img src=x onerror="document.title=1"><script>document.title=1</script>',
    'javascript:document.title=1 data:text/html,x https://example.org/a?b=c)',
    '\u202Egnp.exe https://user:pass@example.org/',
  ]) {
    await ann.say(words);
  }
  await until('Bob to read it', async () => /onerror/.test(await bob.log()) && /gnp\.exe/.test(await bob.log()));
  const links = await bob.page.$$eval('.chat-list a', (all) =>
    all.map((a) => [a.getAttribute('href'), a.getAttribute('rel')]),
  );
  assert.ok(links.length >= 1);
  for (const [href, rel] of links) {
    assert.match(String(href), /^https:\/\//);
    assert.equal(rel, 'noopener noreferrer');
  }
  assert.equal(await bob.page.$$eval('.chat-list img, .chat-list script', (all) => all.length), 0);
  assert.notEqual(await bob.page.title(), '1');
});
