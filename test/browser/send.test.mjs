/** `parley send` to a browser, and from a browser to `parley receive`: the same protocol, the same hashes. */
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {countTransfers, deliveries, downloadsTo, offerFiles, transfers} from './exchange.mjs';
import {arrived, Parcel, rootOfFile} from './parcel.mjs';
import {Person} from './person.mjs';
import {Program} from './program.mjs';
import {lacks} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');
const MiB = 1 << 20;
const size = 9 * MiB + 321;
/** So many small files that what is held of them does not fit one message, and a large one that is cut in the middle. */
const small = 900;
const large = 60 * MiB;
const everything = small * 1_500 + large;

describe('a program and Chromium', {skip}, () => {
  /** @type {Server} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let chromium;
  const parcel = new Parcel();
  /** @type {Program[]} */
  const programs = [];
  before(async () => {
    [server, chromium] = await Promise.all([Server.start(), launchChromium({capture: 'small'})]);
  });
  after(async () => {
    for (const program of programs) await program.stop();
    await chromium?.close();
    await server?.stop();
    parcel.drop();
  });
  /** @param {string[]} args */
  const run = (args) => {
    const program = new Program(args, join(parcel.folder, 'state'));
    programs.push(program);
    return program;
  };

  test('parley send, and a person takes the file in the page', async () => {
    const path = parcel.write('out/report.bin', size);
    const origin = new URL(server.room('x')).origin;
    const sender = run(['send', '--json', '--server', origin, '--name', 'Sam', path]);
    const {link} = await sender.says('waiting');
    const ann = await Person.arrive(chromium, link, {name: 'Ann'});
    await ann.join();
    await downloadsTo(ann, join(parcel.folder, 'in'));
    await ann.open('Chat');
    await ann.reads(/Sam wants to send you this/);
    await ann.press('Accept');
    const root = rootOfFile(path);
    assert.equal((await sender.says('file')).hash, root);
    assert.equal((await sender.says('ended')).state, 'done');
    assert.equal(await sender.ended, 0);
    const saved = join(parcel.folder, 'in', 'report.bin');
    await until('the download', () => arrived(saved, size));
    assert.equal(rootOfFile(saved), root);
    assert.equal((await transfers(ann))[0]?.hash, root);
    await ann.depart();
  });

  test('a person sends in the page, and parley receive takes it', async () => {
    const path = parcel.write('out/photo.bin', size);
    const bob = await Person.arrive(chromium, server.room('gifts'), {name: 'Bob'});
    await bob.join();
    const to = join(parcel.folder, 'taken');
    mkdirSync(to);
    const receiver = run(['receive', '--json', '--yes', '--to', to, server.room('gifts')]);
    await bob.open('Chat');
    await bob.reads(/Parley files/);
    await offerFiles(bob, [path]);
    const root = rootOfFile(path);
    const file = await receiver.says('file');
    assert.equal(file.hash, root);
    assert.equal(rootOfFile(file.saved), root);
    assert.equal(await receiver.ended, 0);
    await until('the page to say so', async () => (await transfers(bob))[0]?.hash === root);
    await bob.depart();
  });

  /**
   * A folder of many files.
   *
   * @param {string} name
   */
  const folder = (name) => {
    for (let i = 0; i < small; i++) parcel.write(`out/${name}/${i % 9}/${String(i).padStart(4, '0')}.txt`, 1_500);
    parcel.write(`out/${name}/empty`, 0);
    parcel.write(`out/${name}/z.bin`, large);
    return join(parcel.folder, 'out', name);
  };
  /** @param {any} file an event */
  const isLarge = (file) => file.path.endsWith('/z.bin');

  test('parley send of a folder: the page is loaded anew, and of what it held nothing comes again', async () => {
    const path = folder('many');
    const sender = run(['send', '--json', '--server', new URL(server.room('x')).origin, '--name', 'Sam', path]);
    const {link} = await sender.says('waiting');
    const ann = await Person.arrive(chromium, link, {name: 'Ann', prepare: countTransfers});
    await ann.join();
    await ann.open('Chat');
    await ann.reads(/Sam wants to send you this/);
    await ann.press('Accept');
    await until('some of the large file', async () => (await deliveries(ann)).bytes > everything - large / 2);
    const before = await deliveries(ann);
    await ann.page.reload({waitUntil: 'domcontentloaded'});
    await ann.reaches('joined');
    const end = await sender.says('ended');
    assert.equal(end.state, 'done', JSON.stringify(end));
    assert.equal(await sender.ended, 0);
    const after = await deliveries(ann);
    const twice = before.bytes + after.bytes - everything;
    console.log(`  cut at ${before.bytes >> 20} MiB: ${(twice / MiB).toFixed(1)} MiB sent twice`);
    assert.deepEqual(after.repeated, [], 'no chunk that was stored came again');
    assert.ok(twice <= 10 * MiB, `${twice} bytes too many`);
    const hashes = new Map(sender.lines.filter(({event}) => event === 'file').map((one) => [one.path, one.hash]));
    assert.equal(hashes.size, small + 2);
    assert.equal(hashes.get('many/z.bin'), rootOfFile(join(path, 'z.bin')));
    await ann.depart();
  });

  test('a folder from the page: parley receive is killed, begun again, and goes on', async () => {
    const path = folder('lots');
    const bob = await Person.arrive(chromium, server.room('lots'), {name: 'Bob'});
    await bob.join();
    const to = join(parcel.folder, 'lots-taken');
    mkdirSync(to);
    const args = ['receive', '--json', '--yes', '--to', to, server.room('lots')];
    const first = run([...args, '--stay']);
    await bob.open('Chat');
    await bob.reads(/Parley files/);
    await offerFiles(bob, [parcel.write('out/note.txt', 10)]); // with it comes the panel
    await first.says('file');
    await bob.shut('Chat'); // beside it, in so small a window, the bar has no room for all
    await bob.open('Files');
    await offerFiles(bob, [path], 'Choose a folder');
    const enough = () => first.lines.find((line) => line.event === 'progress' && line.bytes > everything - large / 2);
    await until('some of the large file', async () => enough(), {timeout: 120_000, detail: async () => first.log});
    first.child.kill('SIGKILL');
    await first.ended;
    const second = run(args);
    const ended = await second.says('ended');
    assert.equal(ended.state, 'done', ended.text);
    assert.equal(await second.ended, 0);
    const wire = (/** @type {Program} */ one) => Math.max(...one.lines.map((line) => line.wire ?? 0));
    // What came after the last word about progress is not counted.
    assert.ok(wire(second) <= everything - (enough()?.bytes ?? 0), `${wire(second)} bytes came to the second`);
    const files = [...first.lines, ...second.lines].filter(({event, path}) => event === 'file' && path !== 'note.txt');
    assert.equal(new Set(files.map((one) => one.path)).size, small + 2);
    const last = files.find(isLarge);
    assert.equal(last?.hash, rootOfFile(join(path, 'z.bin')));
    for (const name of ['z.bin', '0/0000.txt', '8/0899.txt', 'empty']) {
      assert.equal(rootOfFile(join(to, 'lots', name)), rootOfFile(join(path, name)), name);
    }
    await until('the page to say so', async () =>
      (await transfers(bob)).some((one) => /Parley files has it/.test(one.text)),
    );
    await bob.depart();
  });
});
