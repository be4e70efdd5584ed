/** `parley serve` as a person starts it, with a data directory of its own. */
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parleyPath} from './requirement.mjs';
import {patience} from './until.mjs';

export class Server {
  /**
   * @param {import('node:child_process').ChildProcess} child
   * @param {string} data
   * @param {boolean} ownData
   */
  constructor(child, data, ownData) {
    this.child = child;
    this.data = data;
    this.ownData = ownData;
    this.printed = '';
    this.log = '';
    /** The first room's links, as printed. */
    this.hostLink = '';
    this.guestLink = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.printed += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.log += text;
    });
  }

  /**
   * Starts a server and waits until it has said where it is.
   *
   * @param {object} [options]
   * @param {string[]} [options.args] after `serve`; by default any free port of the loopback
   * @param {string} [options.data] data directory; by default a fresh one, removed at the end
   * @param {(program: string, args: string[]) => import('node:child_process').ChildProcess} [options.run]
   */
  static async start({args = ['--listen', '127.0.0.1:0'], data, run = spawn} = {}) {
    const dir = data ?? mkdtempSync(join(tmpdir(), 'parley-data-'));
    const server = new Server(run(parleyPath, ['serve', '--data', dir, ...args]), dir, data === undefined);
    try {
      await server.#speaks();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Waits for the two links. */
  #speaks() {
    return new Promise((resolve, reject) => {
      const fail = (/** @type {string} */ why) =>
        reject(new Error(`${why}; printed: ${this.printed}\nlog: ${this.log}`));
      const timer = setTimeout(() => fail(`no links from the server within ${patience} ms`), patience);
      this.child.once('exit', (code) => fail(`the server ended with ${code}`));
      this.child.once('error', reject);
      this.child.stdout?.on('data', () => {
        const links = this.printed.match(/https?:\/\/\S+\/r\/\S+/g) ?? [];
        this.hostLink = links.find((link) => link.includes('#host=')) ?? '';
        this.guestLink = links.find((link) => !link.includes('#')) ?? '';
        if (!this.hostLink || !this.guestLink) return;
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }

  /** The base address, as printed in the links. */
  get url() {
    return new URL(this.guestLink).origin;
  }

  /**
   * The address of a room that nobody has been in.
   *
   * @param {string} name
   */
  room(name) {
    return `${this.url}/r/${name}`;
  }

  /** Asks the server to end, and waits for it. */
  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGTERM');
      const force = setTimeout(() => this.child.kill('SIGKILL'), 12_000);
      await ended;
      clearTimeout(force);
    }
    if (this.ownData) rmSync(this.data, {recursive: true, force: true});
  }
}
