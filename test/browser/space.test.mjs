/** Room for files in a real browser: asked for before an offer is accepted, freed when it is not needed any more. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {downloadsTo, offerFiles, reads} from './exchange.mjs';
import {Parcel} from './parcel.mjs';
import {Person} from './person.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const MiB = 1 << 20;

test('a browser that is full says so, takes more once there is room, and keeps nothing that was saved where it belongs', {
  skip: lacks('parley', 'chromium'),
}, async () => {
  const parcel = new Parcel();
  // Nobody has a camera: it is about disks.
  const [server, chromium] = await Promise.all([Server.start(), launchChromium({capture: 'missing'})]);
  try {
    const ann = await Person.arrive(chromium, server.room('full'), {name: 'Ann'});
    const bob = await Person.arrive(chromium, server.room('full'), {name: 'Bob'});
    for (const person of [ann, bob]) await person.join();
    for (const person of [ann, bob]) await person.open('Chat');
    await downloadsTo(bob, parcel.folder);
    const session = await bob.page.createCDPSession();
    const quota = (/** @type {number} */ mebibytes) =>
      session.send('Storage.overrideQuotaForOrigin', {origin: server.url, quotaSize: mebibytes * MiB});
    /** Bytes that the app keeps of files. */
    const kept = () =>
      bob.page.evaluate(async () => {
        const home = await (await navigator.storage.getDirectory()).getDirectoryHandle('parley-files');
        let bytes = 0;
        for await (const one of /** @type {any} */ (home).values()) {
          if (one.kind !== 'directory') continue;
          for await (const file of one.values()) bytes += (await file.getFile()).size;
        }
        return bytes;
      });
    await quota(40);
    await offerFiles(ann, [parcel.write('out/first.bin', 24 * MiB)]);
    await bob.reads(/first\.bin/);
    await bob.press('Accept');
    await reads(bob, 'first.bin', /Saved to Downloads/);
    await offerFiles(ann, [parcel.write('out/second.bin', 24 * MiB)]);
    await reads(bob, 'second.bin', /Ann wants to send/);
    await bob.press('Accept');
    await reads(bob, 'second.bin', /not enough space/);
    assert.equal(bob.faults.length, 0, bob.faults.join());
    await bob.press('Remove from the list: first.bin');
    await until('the space to be free', async () => (await kept()) === 0);
    await reads(bob, 'second.bin', /Ann wants to send/);
    await bob.press('Accept');
    await reads(bob, 'second.bin', /Saved to Downloads/);
    assert.ok((await kept()) >= 24 * MiB, 'a download may still be reading it');

    // After a reload it is still said to be here, and not waited for.
    await bob.page.reload({waitUntil: 'domcontentloaded'});
    await bob.reaches('joined');
    await bob.open('Chat');
    await reads(bob, 'second.bin', /Saved to Downloads/);

    await quota(200);
    await bob.page.evaluate(() => {
      const folder = async () => (await navigator.storage.getDirectory()).getDirectoryHandle('chosen', {create: true});
      Object.assign(window, {
        showSaveFilePicker: async () => (await folder()).getFileHandle('placed.bin', {create: true}),
      });
    });
    await bob.press('Remove from the list: second.bin');
    await until('the space to be free', async () => (await kept()) === 0);
    await offerFiles(ann, [parcel.write('out/placed.bin', 3 * MiB)]);
    await bob.reads(/placed\.bin/);
    await bob.press('Choose a place…');
    await reads(bob, 'placed.bin', /Saved where you chose/);
    await until('the space to be free', async () => (await kept()) === 0);
    const size = await bob.page.evaluate(async () => {
      const place = await (await navigator.storage.getDirectory()).getDirectoryHandle('chosen');
      return (await (await place.getFileHandle('placed.bin')).getFile()).size;
    });
    assert.equal(size, 3 * MiB);
  } finally {
    await chromium.close();
    await server.stop();
    parcel.drop();
  }
});
