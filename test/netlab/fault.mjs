/** What goes wrong with networks and servers while people talk, and how it is put right again. */
import {setTimeout as wait} from 'node:timers/promises';
import {until} from '../browser/until.mjs';
import {serverAddresses} from './internet.mjs';

const lan = '192.168.11';
const [usual, other] = ['203.0.113.11', '203.0.113.31'];

/**
 * What a fault may touch: the lab, whose home `a` is struck, and the server.
 * @typedef {{internet: import('./internet.mjs').Internet, blackoutMs: number,
 *   tell: (what: 'start' | 'mark') => Promise<unknown>,
 *   second: {plug: () => void, pull: () => void}, restart: () => Promise<void>}} Lab
 *
 * `firefox`: also tried with Firefox on the other side. `strike` returns what puts it right.
 * @typedef {{name: string, aim: string, firefox?: boolean, strike: (lab: Lab) => Promise<(() => unknown) | void>}} Fault
 */

/** @type {Fault[]} */
export const faults = [
  {
    name: 'signalling socket cut',
    aim: 'media 0, resume 500',
    async strike({internet}) {
      const ports = await sockets(internet);
      internet.interfere('nata', `tcp sport { ${ports} } reject with tcp reset`);
      return () => internet.set('nata', 'port-restricted');
    },
  },
  {
    name: 'signalling socket black-holed',
    aim: 'media 0',
    firefox: true,
    async strike({internet}) {
      const ports = await sockets(internet);
      internet.interfere('nata', `tcp sport { ${ports} } drop`);
      return () => internet.set('nata', 'port-restricted');
    },
  },
  {
    name: 'interface replaced',
    aim: '1000',
    async strike({internet}) {
      internet.unplug('a');
      await wait(200);
      internet.replug('a', 'nata', `${lan}.9`);
      return async () => {
        internet.unplug('a');
        internet.replug('a', 'nata', `${lan}.2`);
      };
    },
  },
  {
    name: 'public address changed, client unaware',
    aim: '1000',
    firefox: true,
    async strike({internet}) {
      internet.renumber('nata', usual, other);
      return () => internet.renumber('nata', other, usual);
    },
  },
  {
    name: 'two uplinks, the default one lost',
    aim: '1000',
    async strike({internet, second, tell}) {
      second.plug();
      await wait(4000); // the browser has noticed it
      await tell('start');
      internet.unplug('a');
      return () => {
        internet.replug('a', 'nata', `${lan}.2`);
        second.pull();
      };
    },
  },
  {
    name: 'NAT rebinding',
    aim: '1000',
    async strike({internet}) {
      internet.set('nata', 'symmetric'); // what is under way gets other ports, at random
      internet.renumber('nata', usual, usual);
      await wait(200);
      internet.set('nata', 'port-restricted'); // and keeps them; what begins now does as ever
    },
  },
  {
    name: 'UDP blocked',
    aim: '3000',
    firefox: true,
    async strike({internet}) {
      internet.set('nata', 'udp-blocked');
      return () => internet.set('nata', 'port-restricted');
    },
  },
  {
    name: 'blackout',
    aim: 'back 1500 after it',
    async strike({internet, blackoutMs, tell}) {
      internet.interfere('nata', 'drop');
      await wait(blackoutMs);
      internet.set('nata', 'port-restricted');
      await tell('mark');
    },
  },
  {
    name: 'server killed and started again',
    aim: 'media 0, seats 3000',
    strike: ({restart}) => restart(),
  },
];

/**
 * The ports of the connections that home `a` has with the server. On a busy machine a page may take its socket for dead
 * and be replacing it, so that there is none for a moment.
 *
 * @param {import('./internet.mjs').Internet} internet
 */
export const sockets = (internet) =>
  until('a connection with the server', () => {
    const lines = internet.spaces.run('a', 'ss', '-tnH', 'state', 'established', 'dst', String(serverAddresses[0]));
    return lines
      .split('\n')
      .flatMap((line) => line.match(/:(\d+)\s+203\.0\.113\.1:443/)?.slice(1) ?? [])
      .join(', ');
  });
