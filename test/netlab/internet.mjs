/**
 * A small internet: one backbone with the server and a name server on it, and homes behind routers.
 *
 * ```
 *                backbone 203.0.113.0/24, 2001:db8:113::/64 (bridge in `net`, name server .53)
 *    server .1 ────┤
 *    nata  .11 ────┤   a, a2   192.168.11.2, .3       two machines behind one router
 *    natb  .12 ────┤   b       192.168.12.2
 *    cgn   .13 ────┤   natc 100.64.0.2 ── c 192.168.13.2   a home behind a carrier's NAT
 *    six  ::14 ────┤   s       2001:db8:14::2          IPv6 only
 *    dual  .15 ────┘   d       192.168.15.2, 2001:db8:15::2
 * ```
 */
import {mkdirSync} from 'node:fs';
import {createConnection, createServer} from 'node:net';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {launchChromium} from '../browser/chromium.mjs';
import {launchFirefox} from '../browser/firefox.mjs';
import {chromiumPath, firefoxPath} from '../browser/requirement.mjs';
import {certify, chromiumHome, trust} from './authority.mjs';
import {firstLine, Namespaces} from './namespaces.mjs';
import {firewall6, nat} from './router.mjs';
import {Wan} from './wan.mjs';

/** The name of the server in the lab. */
export const serverName = 'lab.test';
/** The server's addresses. */
export const serverAddresses = ['203.0.113.1', '2001:db8:113::1'];
/** The backbone's ranges: special-purpose ones (RFC 5737, RFC 3849), so a relay has to be told that they are fine. */
export const backbone = ['203.0.113.0/24', '2001:db8::/32'];

const nameserver = ['203.0.113.53', '2001:db8:113::53'];

/** The one client that a full-cone router forwards to, by router. @type {Record<string, string>} */
const clients = {
  nata: '192.168.11.2',
  natb: '192.168.12.2',
  cgn: '100.64.0.2',
  natc: '192.168.13.2',
  dual: '192.168.15.2',
};

/** @typedef {import('./router.mjs').Kind} Kind */
/** @typedef {'a' | 'a2' | 'b' | 'c' | 's' | 'd'} Home */

export class Internet {
  /** @param {Namespaces} spaces */
  constructor(spaces) {
    this.spaces = spaces;
    this.certificate = certify(spaces.dir, serverName);
    /** @type {Map<string, Promise<import('puppeteer-core').Browser>>} */
    this.browsers = new Map();
    /** @type {Map<string, Kind>} */
    this.kinds = new Map();
    /** @type {import('node:net').Server[]} */
    this.bridges = [];
    /** The long cables, by router. @type {Map<string, Wan>} */
    this.wans = new Map();
  }

  /**
   * Builds it, with port-restricted NATs everywhere, and waits until nothing changes any more.
   *
   * @param {{ipv6?: boolean, carrier?: boolean, long?: boolean}} [parts] what there is beside the two plain homes, and
   *   whether their cables to the backbone are long ones, whose delay and loss can be set (see wan.mjs)
   */
  static async open({ipv6 = true, carrier = true, long = false} = {}) {
    const spaces = new Namespaces();
    try {
      const internet = new Internet(spaces);
      internet.#backbone();
      await internet.#home('nata', '203.0.113.11/24', '192.168.11', ['a', 'a2'], long);
      await internet.#home('natb', '203.0.113.12/24', '192.168.12', ['b'], long);
      if (carrier) internet.#carrier();
      if (ipv6) internet.#modern();
      await internet.#names();
      await spaces.settle();
      return internet;
    } catch (error) {
      await spaces.close();
      throw error;
    }
  }

  #backbone() {
    const {spaces} = this;
    spaces.add('net', {ipv6: true});
    spaces.bridge('net', 'br0', [`${nameserver[0]}/24`, `${nameserver[1]}/64`]);
    spaces.add('server', {ipv6: true});
    this.#attach('server', [`${serverAddresses[0]}/24`, `${serverAddresses[1]}/64`]);
  }

  /**
   * Lays the cable from a router (or the server) to the backbone.
   *
   * @param {string} ns
   * @param {string[]} addresses
   */
  #attach(ns, addresses) {
    this.spaces.cable({ns, name: 'wan', addresses}, {ns: 'net', name: ns, master: 'br0'});
  }

  /**
   * A home: a router with a switch, and machines on it.
   *
   * @param {string} router
   * @param {string} wan address with prefix length
   * @param {string} lan the first three numbers
   * @param {string[]} machines get .2, .3 …
   * @param {boolean} long
   */
  async #home(router, wan, lan, machines, long) {
    this.spaces.add(router, {forward: true});
    if (long) {
      const cable = await Wan.lay(
        this.spaces,
        {ns: router, name: 'wan', addresses: [wan]},
        {ns: 'net', name: router, master: 'br0'},
      );
      this.wans.set(router, cable);
    } else {
      this.#attach(router, [wan]);
    }
    this.#lan(router, lan, machines);
    this.set(router, 'port-restricted');
  }

  /**
   * @param {string} router
   * @param {string} lan
   * @param {string[]} machines
   */
  #lan(router, lan, machines) {
    this.spaces.bridge(router, 'lan', [`${lan}.1/24`]);
    machines.forEach((machine, i) => {
      this.#machine(machine, [nameserver[0] ?? '']);
      this.spaces.cable(
        {ns: machine, name: 'eth0', addresses: [`${lan}.${i + 2}/24`]},
        {ns: router, name: machine, master: 'lan'},
      );
      this.spaces.route(machine, `${lan}.1`);
    });
  }

  /**
   * @param {string} ns
   * @param {string[]} servers name servers
   * @param {boolean} [ipv6]
   */
  #machine(ns, servers, ipv6 = false) {
    this.spaces.add(ns, {ipv6});
    this.spaces.etc(ns, {
      'resolv.conf': `${servers.map((server) => `nameserver ${server}\n`).join('')}options timeout:1 attempts:2\n`,
      hosts: '127.0.0.1 localhost\n::1 localhost\n',
      'nsswitch.conf': 'hosts: files dns\n',
    });
  }

  /**
   * Gives a home another way out, which it takes only when the first one is gone: its own router, and an interface
   * whose packets go there whatever the default is.
   *
   * @param {Home} home
   * @param {string} router
   * @param {number} number its address on the backbone and its network, such as 21
   */
  async uplink(home, router, number) {
    const lan = `192.168.${number}`;
    this.spaces.add(router, {forward: true});
    this.#attach(router, [`203.0.113.${number}/24`]);
    this.spaces.bridge(router, 'lan', [`${lan}.1/24`]);
    this.set(router, 'port-restricted');
    return {
      /** Plugs the cable in. */
      plug: () => {
        const end = {ns: home, name: 'eth1', addresses: [`${lan}.2/24`]};
        this.spaces.cable(end, {ns: router, name: home, master: 'lan'});
        this.spaces.ip(home, 'route', 'add', 'default', 'via', `${lan}.1`, 'metric', '200');
        this.spaces.ip(home, 'route', 'add', 'default', 'via', `${lan}.1`, 'table', String(number));
        this.spaces.ip(home, 'rule', 'add', 'from', `${lan}.2`, 'table', String(number));
      },
      pull: () => {
        this.spaces.ip(home, 'link', 'del', 'dev', 'eth1');
        this.spaces.ip(home, 'rule', 'del', 'from', `${lan}.2`, 'table', String(number));
      },
    };
  }

  /**
   * Takes a machine's interface away, and with it its addresses and routes.
   *
   * @param {Home} home
   */
  unplug(home) {
    this.spaces.ip(home, 'link', 'del', 'dev', 'eth0');
  }

  /**
   * Gives a machine an interface on its router's switch again.
   *
   * @param {Home} home
   * @param {string} router
   * @param {string} address
   */
  replug(home, router, address) {
    this.spaces.cable({ns: home, name: 'eth0', addresses: [`${address}/24`]}, {ns: router, name: home, master: 'lan'});
    this.spaces.route(home, address.replace(/\d+$/, '1'));
  }

  /**
   * Gives a router another public address, or the same one anew: either way it forgets what it has translated.
   *
   * @param {string} router
   * @param {string} from
   * @param {string} to
   */
  renumber(router, from, to) {
    this.spaces.ip(router, 'addr', 'del', `${from}/24`, 'dev', 'wan');
    this.spaces.ip(router, 'addr', 'add', `${to}/24`, 'dev', 'wan');
    this.spaces.run(router, 'conntrack', '-F');
  }

  /**
   * Adds a rule in front of what a router forwards, until `set` is called for it again.
   *
   * @param {string} router
   * @param {string} rule in nft's language
   */
  interfere(router, rule) {
    this.kinds.delete(router);
    this.spaces.run(router, 'nft', 'insert', 'rule', 'inet', 'filter', 'forward', ...rule.split(' '));
  }

  #carrier() {
    const {spaces} = this;
    spaces.add('cgn', {forward: true});
    this.#attach('cgn', ['203.0.113.13/24']);
    spaces.add('natc', {forward: true});
    spaces.cable(
      {ns: 'cgn', name: 'lan', addresses: ['100.64.0.1/10']},
      {ns: 'natc', name: 'wan', addresses: ['100.64.0.2/10']},
    );
    spaces.route('natc', '100.64.0.1');
    this.#lan('natc', '192.168.13', ['c']);
    this.set('cgn', 'port-restricted');
    this.set('natc', 'port-restricted');
  }

  /** The two homes with IPv6. Their routers know the way to each other's prefix; so do the server and the name server. */
  #modern() {
    const {spaces} = this;
    spaces.add('six', {ipv6: true, forward: true});
    this.#attach('six', ['2001:db8:113::14/64']);
    this.#machine('s', [nameserver[1] ?? ''], true);
    spaces.cable(
      {ns: 's', name: 'eth0', addresses: ['2001:db8:14::2/64']},
      {ns: 'six', name: 'lan', addresses: ['2001:db8:14::1/64']},
    );
    spaces.route('s', '2001:db8:14::1');
    spaces.rules('six', firewall6());

    spaces.add('dual', {ipv6: true, forward: true});
    this.#attach('dual', ['203.0.113.15/24', '2001:db8:113::15/64']);
    this.#machine('d', nameserver, true);
    spaces.cable(
      {ns: 'd', name: 'eth0', addresses: ['192.168.15.2/24', '2001:db8:15::2/64']},
      {ns: 'dual', name: 'lan', addresses: ['192.168.15.1/24', '2001:db8:15::1/64']},
    );
    spaces.route('d', '192.168.15.1');
    spaces.route('d', '2001:db8:15::1');
    this.set('dual', 'port-restricted');

    for (const [prefix, gateway, not] of [
      ['2001:db8:14::/64', '2001:db8:113::14', 'six'],
      ['2001:db8:15::/64', '2001:db8:113::15', 'dual'],
    ]) {
      for (const ns of ['net', 'server', 'six', 'dual']) {
        if (ns !== not) spaces.ip(ns, '-6', 'route', 'add', String(prefix), 'via', String(gateway));
      }
    }
  }

  async #names() {
    const program = fileURLToPath(new URL('dns.mjs', import.meta.url));
    const child = this.spaces.spawn('net', [process.execPath, program, `${serverName}=${serverAddresses.join(',')}`]);
    await firstLine(child);
  }

  /**
   * Makes a router behave in a way. Flows that are up keep what they have.
   *
   * @param {string} router
   * @param {Kind} kind
   */
  set(router, kind) {
    if (this.kinds.get(router) === kind) return;
    this.spaces.rules(router, nat(kind, clients[router] ?? ''));
    this.kinds.set(router, kind);
  }

  /**
   * Chromium at a home, trusting the lab's authority; the same one at every call.
   *
   * @param {Home} home
   * @param {import('../browser/chromium.mjs').Capture} [capture]
   */
  chromium(home, capture = 'smooth') {
    return this.#browser(`${home}-${capture}`, () => {
      const dir = join(this.spaces.dir, `chromium-${home}-${capture}`);
      mkdirSync(dir);
      return launchChromium({
        capture,
        executable: this.spaces.wrapper(home, chromiumPath),
        home: chromiumHome(dir, this.certificate.ca),
      });
    });
  }

  /**
   * Firefox at a home, trusting the lab's authority; the same one at every call.
   *
   * @param {Home} home
   */
  firefox(home) {
    return this.#browser(`${home}-firefox`, async () => {
      const profile = join(this.spaces.dir, `firefox-${home}`);
      trust(profile, this.certificate.ca);
      const port = await this.#tunnel(home);
      return launchFirefox({executable: this.spaces.wrapper(home, firefoxPath), port, profile});
    });
  }

  /**
   * @param {string} key
   * @param {() => Promise<import('puppeteer-core').Browser>} launch
   */
  #browser(key, launch) {
    const browser = this.browsers.get(key) ?? launch();
    this.browsers.set(key, browser);
    return browser;
  }

  /**
   * Makes a loopback port of this machine lead to the same port of a namespace's loopback: Firefox is driven over TCP
   * and listens in its own namespace only. The way between is a unix socket, which namespaces share.
   *
   * @param {string} ns
   * @returns {Promise<number>} the port, free on both sides
   */
  async #tunnel(ns) {
    const socket = join(this.spaces.dir, `${ns}-bidi`);
    const outside = createServer((client) => {
      const inside = createConnection(socket);
      client.pipe(inside).pipe(client);
      client.on('error', () => inside.destroy());
      inside.on('error', () => client.destroy());
    });
    await new Promise((resolve) => outside.listen(0, '127.0.0.1', () => resolve(null)));
    this.bridges.push(outside);
    const {port} = /** @type {import('node:net').AddressInfo} */ (outside.address());
    const program = fileURLToPath(new URL('tunnel.mjs', import.meta.url));
    await firstLine(this.spaces.spawn(ns, [process.execPath, program, socket, String(port)]));
    return port;
  }

  /**
   * How to start the server's program in its namespace.
   *
   * @param {string} program
   * @param {string[]} args
   * @returns {import('node:child_process').ChildProcess}
   */
  spawnServer(program, args) {
    return this.spaces.spawn('server', [program, ...args]);
  }

  /**
   * Ends the browsers of some homes, or all.
   *
   * @param {...Home} homes
   */
  async dismiss(...homes) {
    for (const [key, browser] of this.browsers) {
      if (homes.length > 0 && !homes.some((home) => key.startsWith(`${home}-`))) continue;
      this.browsers.delete(key);
      await browser.then((b) => b.close()).catch(() => undefined);
    }
  }

  async close() {
    await this.dismiss();
    for (const bridge of this.bridges) bridge.close();
    await this.spaces.close();
  }
}
