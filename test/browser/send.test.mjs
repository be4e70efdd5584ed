/** `parley send` to a browser, and from a browser to `parley receive`: the same protocol, the same hashes. */
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {downloadsTo, offerFiles, transfers} from './exchange.mjs';
import {arrived, Parcel, rootOfFile} from './parcel.mjs';
import {Person} from './person.mjs';
import {lacks, parleyPath} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');
const size = 9 * 1024 * 1024 + 321;

/** A parley process that prints JSON. */
class Program {
  /** @param {string[]} args @param {string} state folder for what it remembers */
  constructor(args, state) {
    this.child = spawn(parleyPath, args, {env: {...process.env, XDG_STATE_HOME: state}});
    /** @type {any[]} */
    this.lines = [];
    this.log = '';
    let rest = '';
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      this.lines.push(...parts.map((line) => JSON.parse(line)));
    });
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.log += text;
    });
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
  }

  /** @param {string} event */
  says(event) {
    return until(`the program to say ${event}`, async () => this.lines.find((line) => line.event === event), {
      detail: async () => JSON.stringify(this.lines) + this.log,
      timeout: 120_000,
    });
  }

  async stop() {
    this.child.kill('SIGINT');
    await this.ended;
  }
}

describe('a program and Chromium', {skip}, () => {
  /** @type {Server} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let chromium;
  const parcel = new Parcel();
  /** @type {Program[]} */
  const programs = [];
  before(async () => {
    [server, chromium] = await Promise.all([Server.start(), launchChromium()]);
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
});
