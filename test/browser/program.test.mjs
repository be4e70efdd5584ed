/** A Go program and Chromium in an encrypted room: they see, hear and read each other, and a file arrives, on both ways. */
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {offerFiles, transfers} from './exchange.mjs';
import {Parcel, rootOfFile} from './parcel.mjs';
import {Person} from './person.mjs';
import {Program} from './program.mjs';
import {lacks, root} from './requirement.mjs';
import {sensesByHub} from './sealed.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium', 'go');
const key = randomBytes(16).toString('base64url');
const size = 3 << 20;

describe('a program and Chromium in an encrypted room', {skip}, () => {
  /** @type {Server} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let chromium;
  const parcel = new Parcel();
  const guest = join(parcel.folder, 'guest');
  /** @type {Program[]} */
  const programs = [];
  before(async () => {
    execFileSync('go', ['build', '-o', guest, './test/browser/guest'], {cwd: root});
    [server, chromium] = await Promise.all([Server.start(), launchChromium({capture: 'small'})]);
  });
  after(async () => {
    for (const program of programs) await program.stop();
    await chromium?.close();
    await server?.stop();
    parcel.drop();
  });
  /** @param {string[]} args @param {string=} path */
  const run = (args, path) => {
    const program = new Program(args, join(parcel.folder, 'state'), path);
    programs.push(program);
    return program;
  };

  /**
   * They see, hear and read each other.
   *
   * @param {Person} ann
   * @param {Program} gus
   * @param {string} way
   */
  async function talk(ann, gus, way) {
    const from = gus.lines.length;
    await (way === 'hub' ? sensesByHub(ann, 2) : ann.enjoysCall());
    /** @param {any} line */
    const hers = (line) => line.from === 'Ann' && line.path === way && line.encryption === 'known';
    const first = await gus.tells('of Ann', (line) => gus.lines.indexOf(line) >= from && hers(line));
    await gus.tells('that Ann is seen', (line) => hers(line) && line.frames > (first.frames ?? 0) + 10);
    await gus.tells('that Ann is heard', (line) => hers(line) && line.sounds > 50 && line.level > -60);
    await ann.open('Chat');
    await ann.say(`${way}: can you read this?`);
    await gus.tells('what Ann says', (line) => line.chat === `${way}: can you read this?` && line.from === 'Ann');
    gus.child.stdin.write(`${way}: every <word>\n`);
    await until('Ann to read it', async () => (await ann.log()).includes(`${way}: every <word>`));
    await ann.shut('Chat');
  }

  test('between the two', async () => {
    const link = `${server.room('sealed-tea')}#key=${key}`;
    const ann = await Person.arrive(chromium, link, {name: 'Ann'});
    await ann.join();
    const gus = run([link], guest);
    await talk(ann, gus, 'direct');
    await ann.reads(/Direct · end-to-end encrypted, key checked/);
    await gus.stop();
    await ann.depart();
  });

  test('in a room that the program began without, and encrypted while it was alone', async () => {
    const room = server.room('sealed-later');
    const gus = run([room, key], guest);
    await gus.tells('that the room is encrypted', (line) => line.key === key);
    const ann = await Person.arrive(chromium, `${room}#key=${key}`, {name: 'Ann'});
    await ann.join();
    await talk(ann, gus, 'direct');
    await ann.reads(/Direct · end-to-end encrypted, key checked/);
    await gus.stop();
    await ann.depart();
  });

  test('a file, from the page to parley receive', async () => {
    const link = `${server.room('sealed-gifts')}#key=${key}`;
    const bob = await Person.arrive(chromium, link, {name: 'Bob'});
    await bob.join();
    const to = join(parcel.folder, 'taken');
    mkdirSync(to);
    const receiver = run(['receive', '--json', '--yes', '--to', to, link]);
    await bob.open('Chat');
    await bob.reads(/Parley files/);
    const path = parcel.write('out/photo.bin', size);
    await offerFiles(bob, [path]);
    const file = await receiver.says('file');
    assert.equal(file.hash, rootOfFile(path));
    assert.equal(rootOfFile(file.saved), rootOfFile(path));
    assert.equal(await receiver.ended, 0);
    await until('the page to say so', async () => (await transfers(bob))[0]?.hash === rootOfFile(path));
    await bob.depart();
  });

  test('through the hub, with a second person, and a file', async () => {
    const link = `${server.room('sealed-hub')}#key=${key}`;
    const ann = await Person.arrive(chromium, link, {name: 'Ann'});
    await ann.join();
    const gus = run([link], guest);
    const bob = await Person.arrive(chromium, link, {name: 'Bob'});
    await bob.join();
    await ann.reads(/Through the server · end-to-end encrypted, key checked/);
    await talk(ann, gus, 'hub');
    const to = join(parcel.folder, 'by-hub');
    mkdirSync(to);
    const receiver = run(['receive', '--json', '--yes', '--to', to, link]);
    await ann.open('Chat');
    await ann.reads(/Parley files/);
    const path = parcel.write('out/letter.bin', size);
    await offerFiles(ann, [path]);
    await ann.press('Everyone');
    const file = await receiver.says('file');
    assert.equal(rootOfFile(file.saved), rootOfFile(path));
    assert.equal(await receiver.ended, 0);
    await Promise.all([gus.stop(), ann.depart(), bob.depart()]);
  });
});
