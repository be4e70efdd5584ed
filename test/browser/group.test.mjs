/**
 * Three and more in real browsers: everybody hears and sees everybody through the hub, and nobody hears the switch to it
 * and back. Each person sends a chord that never pauses; a worklet in each page measures how it is heard. Gaps are
 * reported, never asserted: this machine is busy.
 */
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {after, before, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {Member, Site, timeout} from './group.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');

/** @type {Server} */
let server;
/** @type {Site} */
let site;

before(async () => {
  if (skip) return;
  server = await Server.start();
  site = await Site.open(server);
});
after(async () => {
  await site?.close();
  await server?.stop();
});

for (const {words, room, key} of [
  {words: 'three talk through the hub, and two go there and back without a gap', room: 'tea', key: ''},
  {words: 'the same, encrypted from end to end', room: 'sealed', key: randomBytes(16).toString('base64url')},
]) {
  test(words, {skip}, async (t) => {
    const browser = await launchChromium();
    try {
      const ann = await Member.join(browser, site, room, 'Ann', 400, {key});
      const bob = await Member.join(browser, site, room, 'Bob', 900, {key});
      for (const member of [ann, bob]) await member.senses(1);
      assert.equal((await ann.look()).people[0].path.kind, 'direct');
      await until(
        'both to reach the hub',
        async () => (await ann.look()).people[0].hub === 'yes' && (await ann.look()).me.hub === 'yes',
        {
          timeout,
          detail: () => ann.look(),
        },
      );
      await ann.gaps();
      await bob.gaps();

      const cat = await Member.join(browser, site, room, 'Cat', 1500, {key});
      for (const member of [ann, bob, cat]) await member.goes('hub');
      for (const member of [ann, bob, cat]) await member.senses(2);
      for (const member of [ann, bob])
        t.diagnostic(`${member.name}, to the hub: ${JSON.stringify(await member.gaps())}`);
      const {people} = await ann.look();
      assert.deepEqual(
        people.map((/** @type {any} */ p) => p.path.kind),
        ['hub', 'hub'],
      );

      await cat.call('leave');
      for (const member of [ann, bob]) await member.goes('direct');
      for (const member of [ann, bob]) await member.senses(1);
      for (const member of [ann, bob]) t.diagnostic(`${member.name}, back: ${JSON.stringify(await member.gaps())}`);
      for (const member of [ann, bob, cat]) assert.deepEqual(member.faults, []);
    } finally {
      await browser.close();
    }
  });
}
