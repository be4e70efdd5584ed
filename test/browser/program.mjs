/** A program of ours beside the browsers. */
import {spawn} from 'node:child_process';
import {parleyPath} from './requirement.mjs';
import {until} from './until.mjs';

/** A process that prints JSON, an object a line. */
export class Program {
  /**
   * @param {string[]} args
   * @param {string} state folder for what it remembers
   * @param {string} path the program; parley if it is left out
   */
  constructor(args, state, path = parleyPath) {
    this.child = spawn(path, args, {env: {...process.env, XDG_STATE_HOME: state}});
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

  /** Waits for an event. @param {string} event */
  says(event) {
    return this.tells(event, (line) => line.event === event);
  }

  /** Waits for a line that fits. @param {string} what @param {(line: any) => boolean} fits */
  tells(what, fits) {
    return until(`the program to say ${what}`, async () => this.lines.find(fits), {
      detail: async () => JSON.stringify(this.lines.slice(-20)) + this.log,
      timeout: 120_000,
    });
  }

  async stop() {
    this.child.kill('SIGINT');
    await this.ended;
  }
}
