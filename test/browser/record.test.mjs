/**
 * The record of a call, as the people who were in it read it: found after the call, with what their browsers saw, at
 * desktop and phone size, light and dark, by keyboard alone; and closed to everybody else.
 */
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {after, before, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {violations} from './axe.mjs';
import {launchChromium} from './chromium.mjs';
import {Person, sizes} from './person.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');
const shots = fileURLToPath(new URL('shots/', import.meta.url));

describe('the record of a call', {skip}, () => {
  /** @type {Server} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let chromium;
  /** @type {Person} */
  let ann;
  /** @type {Person} */
  let bob;

  before(async () => {
    mkdirSync(shots, {recursive: true});
    [server, chromium] = await Promise.all([Server.start(), launchChromium({capture: 'small'})]);
    ann = await Person.arrive(chromium, server.room('tea'), {name: 'Ann'});
    await ann.join();
    bob = await Person.arrive(chromium, server.room('tea'), {name: 'Bob'});
    await bob.join();
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
    await bob.page.reload();
    await Promise.all([ann.enjoysCall(), bob.enjoysCall()]);
  });
  after(async () => {
    await chromium?.close();
    await server?.stop();
  });

  test('the goodbye leads to it', async () => {
    await bob.press('Leave');
    await bob.press('What happened in this call', 'link');
    await bob.reads(/Call in tea/);
    await bob.reads(/The call is going on/);
    await bob.reads(/Ann and Bob were connected directly\./);
  });

  test('it goes on with the call, and tells who left', async () => {
    await ann.press('Leave');
    await until('the call to be over', async () => !/going on/.test(await bob.text()));
    assert.match(await bob.text(), /gap at .* when Bob loaded the page again|There was no interruption/);
    const record = await bob.page.evaluate(read);
    console.log('verdict:', record.verdict.text);
    for (const {name, links} of record.people) console.log(name, JSON.stringify(links));
    for (const lane of record.people) {
      const [link] = lane.links;
      assert.ok(link.won && link.gathered.host && link.why, `how ${lane.name} was connected: ${JSON.stringify(link)}`);
      for (const step of ['iceMs', 'dtlsMs', 'firstPacketMs', 'firstFrameMs']) {
        assert.equal(typeof link[step], 'number', `${lane.name} has no ${step}`);
      }
    }
  });

  test('the keyboard reaches every mark, and its evidence', async () => {
    const {page} = bob;
    await page.locator('.event-mark').wait();
    await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector('.event-mark')).focus());
    const count = await page.evaluate(() => document.querySelector('.marks')?.children.length ?? 0);
    for (let i = 1; i < count; i++) await page.keyboard.press('ArrowRight');
    assert.ok(await page.evaluate(() => document.activeElement === document.querySelector('.marks')?.lastElementChild));
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await bob.reads(/Evidence/);
    await bob.reads(/The server saw it/);
    await page.keyboard.press('Tab'); // to the next lane
    assert.ok(await page.evaluate(() => document.activeElement?.classList.contains('event-mark')));
  });

  for (const [size, viewport] of Object.entries(sizes)) {
    for (const scheme of /** @type {('light' | 'dark')[]} */ (['light', 'dark'])) {
      test(`${size}, ${scheme}: axe finds nothing, nothing spills over`, async () => {
        const {page} = bob;
        await page.setViewport(viewport);
        await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
        await page.reload({waitUntil: 'networkidle0'});
        await page.locator('.event-mark').click();
        await page.evaluate(() => document.querySelector('details')?.setAttribute('open', ''));
        const name = `record-${viewport.width}x${viewport.height}-${scheme}`;
        await page.screenshot({path: `${shots}${name}.png`, fullPage: true});
        assert.deepEqual(await violations(page), [], name);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(wide <= 0, `${name} is ${wide} px too wide`);
      });
    }
  }

  test('it prints, with the table open', async () => {
    const {page} = bob;
    await page.setViewport(sizes.desktop ?? null);
    await page.reload({waitUntil: 'networkidle0'});
    const paper = await page.pdf({path: `${shots}record.pdf`, printBackground: true, format: 'A4'});
    assert.ok(paper.length > 10_000);
  });

  test('a link with the token is for others; without it a stranger sees nothing', async () => {
    const {page} = bob;
    const {id, token} = await page.evaluate(() => JSON.parse(localStorage.getItem('parley.calls') ?? '[]')[0]);
    const cleo = await Person.arrive(chromium, `${server.url}/calls/${id}#token=${token}`, {name: 'Cleo'});
    await cleo.reads(/Call in tea/);
    assert.equal(new URL(cleo.page.url()).hash, '', 'the token stays in the address');
    await cleo.depart();
    // From this machine the admin's eyes look; a proxy's mark makes it somebody else's.
    const dan = await Person.arrive(chromium, `${server.url}/calls/${id}`, {
      name: 'Dan',
      prepare: (page) => page.setExtraHTTPHeaders({'X-Forwarded-For': '203.0.113.7'}),
    });
    await dan.reads(/This record is not yours to read/);
    assert.doesNotMatch(await dan.text(), /Ann|Bob|tea/);
    await dan.depart();
  });

  test('the start page leads back to it, by keyboard, until it is forgotten', async () => {
    const {page} = bob;
    const open = async () => {
      await page.locator('#calls').wait();
      await page.focus('#calls');
      await page.keyboard.press('Enter');
      await page.locator('.recent a[href^="/calls/"]').wait();
    };
    for (const viewport of [sizes.phone, sizes.desktop]) {
      await page.setViewport(viewport ?? null);
      await page.goto(`${server.url}/`);
      await open();
      await page.screenshot({path: `${shots}landing-calls-${viewport?.width}x${viewport?.height}.png`});
      assert.deepEqual(await violations(page), []);
    }
    await page.focus('#calls');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await bob.reads(/Call in tea/);
    await page.goBack();
    await open();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    assert.match((await bob.focus()).name, /^Forget the call in tea/);
    await page.keyboard.press('Enter');
    await until('it to be gone', async () => (await page.$('.recent a[href^="/calls/"]')) === null);
    assert.equal((await bob.focus()).name, 'Calls you were in', 'the focus is not lost with the row');
    await page.reload();
    await bob.reads(/Start a call/);
    assert.equal(await page.$('#calls'), null);
  });
});

/** Runs in the page: the record as the API gives it. */
async function read() {
  const [{id, token}] = JSON.parse(localStorage.getItem('parley.calls') ?? '[]');
  const answer = await fetch(`/api/v1/calls/${id}`, {headers: {Authorization: `Bearer ${token}`}});
  return answer.json();
}
