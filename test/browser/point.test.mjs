/** Pointing and drawing on a shared screen: what one person does there, the other sees on their own picture of it. */
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
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

before(async () => {
  if (skip) return;
  [server, chromium] = await Promise.all([Server.start(), launchChromium({capture: 'small'})]);
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});

/**
 * How many points of the board over a screen are painted.
 *
 * @param {Person} person
 */
function painted(person) {
  return person.page.evaluate(() => {
    const board = document.querySelector('.tile[data-source="screen"] canvas.point-board');
    if (!(board instanceof HTMLCanvasElement) || !board.width) return 0;
    const pixels = board.getContext('2d')?.getImageData(0, 0, board.width, board.height).data ?? [];
    return pixels.filter((v, i) => i % 4 === 3 && v > 0).length;
  });
}

test('Bob points and draws on Ann’s screen by mouse and by keyboard; it dries up', {skip}, async () => {
  const ann = await Person.arrive(chromium, server.room('point'), {name: 'Ann'});
  await ann.join();
  const bob = await Person.arrive(chromium, server.room('point'), {name: 'Bob'});
  await bob.join();
  await ann.share('Text and slides');
  await bob.watches('screen', 2);
  await bob.press('Point and draw');
  await bob.shows('Point and draw', true);
  await until('both boards to be there', async () => (await painted(ann)) === 0 && (await painted(bob)) === 0);

  const {x, y, width, height} = await bob.page.evaluate(() => {
    const box = document.querySelector('.tile[data-source="screen"] video')?.getBoundingClientRect();
    return {x: box?.x ?? 0, y: box?.y ?? 0, width: box?.width ?? 0, height: box?.height ?? 0};
  });
  const {mouse, keyboard} = bob.page;
  await mouse.move(x + width / 2, y + height / 2);
  await until('Ann to see the pointer', async () => {
    await mouse.move(x + width / 2 + (Date.now() % 20), y + height / 2);
    return (await painted(ann)) > 50;
  });
  const pointer = await painted(ann);
  await mouse.down();
  await mouse.move(x + width * 0.2, y + height * 0.3, {steps: 20});
  await mouse.up();
  await until('Ann to see the line', async () => (await painted(ann)) > pointer + 100);
  assert.ok((await painted(bob)) > 100, 'Bob sees his own line');
  await mouse.move(2, 2);
  await until('the line to dry up', async () => (await painted(ann)) === 0);

  await bob.page.focus('.tile[data-source="screen"] canvas.point-board');
  await keyboard.press('ArrowLeft');
  await until('Ann to see the pointer', async () => {
    await keyboard.press('ArrowLeft');
    return (await painted(ann)) > 50;
  });
  await bob.press('Point and draw');
  await until('the pointer to go', async () => (await painted(ann)) === 0);
  for (const person of [ann, bob]) {
    assert.deepEqual(person.faults, [], person.name);
    await person.depart();
  }
});
