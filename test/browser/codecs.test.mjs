/**
 * Every codec of pictures that browsers have, through the hub: one page is made to send it, another one, which takes
 * whatever comes, decodes it.
 */
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {after, before, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {Member, Site, timeout} from './group.mjs';
import {rememberLinks} from './links.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {readTrunk} from './trunk.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');

/** @type {Server} */
let server;
/** @type {Site} */
let site;
/** @type {import('puppeteer-core').Browser} */
let browser;

before(async () => {
  if (skip) return;
  const env = {...process.env, PARLEY_ROOMS_TOPOLOGY: 'hub'};
  server = await Server.start({run: (program, args) => spawn(program, args, {env})});
  site = await Site.open(server);
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await site?.close();
  await server?.stop();
});

/**
 * Runs in the page before its scripts: whatever sends pictures to the hub offers this codec and no other.
 *
 * @param {string} wanted such as video/VP9
 */
function insist(wanted) {
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (track, init) {
    const made = add.call(this, track, init);
    if (track !== 'video' || init?.direction !== 'sendonly') return made;
    const {codecs} = RTCRtpReceiver.getCapabilities('video') ?? {codecs: []};
    made.setCodecPreferences(codecs.filter(({mimeType}) => mimeType === wanted || mimeType === 'video/rtx'));
    return made;
  };
}

/**
 * Why this Chromium cannot send a codec; empty when it can.
 *
 * @param {string} codec
 */
async function unable(codec) {
  const page = await browser.newPage();
  const encoders = await page.evaluate(() =>
    RTCRtpSender.getCapabilities('video')?.codecs.map(({mimeType}) => mimeType),
  );
  await page.close();
  return encoders?.includes(codec) ? '' : `${await browser.version()} does not encode ${codec}`;
}

for (const [n, codec] of ['video/VP8', 'video/VP9', 'video/H264', 'video/AV1'].entries()) {
  test(`${codec} is decoded at the other side of the hub`, {skip}, async (t) => {
    const reason = await unable(codec);
    if (reason) {
      assert.notEqual(process.env.CI, 'true', `this proof must run in CI: ${reason}`);
      t.skip(reason);
      return;
    }
    const room = `codec-${n}`;
    const bob = await Member.join(browser, site, room, 'Bob', 900, {
      query: '&sound',
      prepare: (page) => page.evaluateOnNewDocument(rememberLinks),
    });
    const ann = await Member.join(browser, site, room, 'Ann', 400, {
      query: '&size=640x360',
      async prepare(page) {
        await page.evaluateOnNewDocument(rememberLinks);
        await page.evaluateOnNewDocument(insist, codec);
      },
    });
    try {
      for (const member of [ann, bob]) await member.goes('hub');
      const pictures = async () => (await readTrunk(bob.page))?.received.filter(({kind}) => kind === 'video') ?? [];
      const detail = async () => ({
        ann: await readTrunk(ann.page),
        bob: await readTrunk(bob.page),
        page: await bob.look(),
      });
      const began = performance.now();
      const first = await until(
        `Bob to decode ${codec}`,
        async () => (await pictures()).find(({frames}) => frames > 10),
        {timeout, detail},
      );
      t.diagnostic(
        `${Math.round(performance.now() - began)} ms to the eleventh picture, ${first.width} wide, over ${(await readTrunk(bob.page))?.over}`,
      );
      await until(
        'more of it',
        async () => (await pictures()).some(({mid, frames}) => mid === first.mid && frames > first.frames + 20),
        {timeout, detail},
      );
      const came = (await pictures()).filter(({frames}) => frames > 0).map((stream) => stream.codec);
      assert.deepEqual(came, [codec]);
      const sent = (await readTrunk(ann.page))?.sent.filter(({kind, packets}) => kind === 'video' && packets > 0) ?? [];
      assert.deepEqual([...new Set(sent.map((stream) => stream.codec))], [codec]);
      await until(
        'the size that he shows, half of what she sends',
        async () => (await pictures()).some(({mid, width}) => mid === first.mid && width === 320),
        {timeout, detail},
      );
      await until('the page to show it', async () => (await bob.look()).people[0]?.frames > 10, {timeout, detail});
      for (const member of [ann, bob]) assert.deepEqual(member.faults, []);
    } finally {
      for (const member of [ann, bob]) await member.page.browserContext().close();
    }
  });
}
