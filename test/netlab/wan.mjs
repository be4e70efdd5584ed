/** A long cable between two namespaces, with delay, jitter, loss and a rate (see wan/main.go). */
import {execFileSync, spawn} from 'node:child_process';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {root} from '../browser/requirement.mjs';

export class Wan {
  /**
   * @param {import('node:child_process').ChildProcessWithoutNullStreams} child
   * @param {AsyncIterator<string>} answers
   */
  constructor(child, answers) {
    this.child = child;
    this.answers = answers;
  }

  /**
   * Builds the program and lays a cable.
   *
   * @param {import('./namespaces.mjs').Namespaces} spaces
   * @param {import('./namespaces.mjs').End} one
   * @param {import('./namespaces.mjs').End} other
   */
  static async lay(spaces, one, other) {
    const program = join(spaces.dir, 'wan');
    execFileSync('go', ['build', '-o', program, './test/netlab/wan'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ends = [one, other].map((end) => `${spaces.full(end.ns)}:${end.name}`).join(',');
    const child = spawn(program, [`cable=${ends}`], {stdio: ['pipe', 'pipe', 'inherit']});
    spaces.children.push(child);
    const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
    const {value} = await answers.next();
    if (value !== 'ready') throw new Error(`the long cable says ${value}`);
    spaces.plug(one);
    spaces.plug(other);
    return new Wan(/** @type {any} */ (child), answers);
  }

  /**
   * Changes the cable, such as `delay 50ms` or `up loss 5`.
   *
   * @param {string} command
   */
  async set(command) {
    this.child.stdin.write(`cable ${command}\n`);
    const {value} = await this.answers.next();
    if (value !== 'ok') throw new Error(`the long cable says ${value} to "${command}"`);
  }
}
