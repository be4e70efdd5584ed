/**
 * Network namespaces on this machine: made for one run, named after it, gone after it.
 *
 * Everything is inside namespaces: no interface, address, route or rule of the machine itself is touched. Only
 * /etc/netns/{name} (which `ip netns exec` binds over /etc) lies outside, and is removed with the namespace.
 */
import {execFileSync, spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {until} from '../browser/until.mjs';

const prefix = 'parleylab';

/**
 * One end of a cable: an interface, its addresses with prefix length, the bridge it is part of.
 * @typedef {{ns: string, name: string, addresses?: string[], master?: string}} End
 */

export class Namespaces {
  constructor() {
    sweep();
    /** @type {Set<string>} */
    this.names = new Set();
    /** @type {import('node:child_process').ChildProcess[]} */
    this.children = [];
    /** The number of the newest interface. */
    this.index = 1000;
    /** Files of this run: wrappers, profiles, certificates, data. */
    this.dir = mkdtempSync(join(tmpdir(), `${prefix}-${process.pid}-`));
    /** An exit or a signal cleans at once; should the run be killed, the next one sweeps. */
    this.onExit = () => this.#remove();
    this.onSignal = () => process.exit(1);
    process.once('exit', this.onExit);
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, this.onSignal);
  }

  /**
   * The machine-wide name of a namespace of this run.
   *
   * @param {string} ns short name
   */
  full(ns) {
    return `${prefix}-${process.pid}-${ns}`;
  }

  /**
   * Makes a namespace with loopback up, and no duplicate address detection: an address is usable at once, and nothing
   * changes under a browser that has started.
   *
   * @param {string} ns
   * @param {{ipv6?: boolean, forward?: boolean}} [options] without ipv6 the namespace has none at all
   */
  add(ns, {ipv6 = false, forward = false} = {}) {
    ip('netns', 'add', this.full(ns));
    this.names.add(ns);
    const settings = ipv6
      ? ['net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0', 'net.ipv6.conf.default.accept_ra=0']
      : ['net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'];
    if (forward) settings.push('net.ipv4.ip_forward=1', ...(ipv6 ? ['net.ipv6.conf.all.forwarding=1'] : []));
    this.run(ns, 'sysctl', '-q', '-w', ...settings);
    this.ip(ns, 'link', 'set', 'dev', 'lo', 'up');
  }

  /**
   * Makes a bridge in a namespace.
   *
   * @param {string} ns
   * @param {string} name
   * @param {string[]} [addresses] with prefix length
   */
  bridge(ns, name, addresses = []) {
    this.ip(ns, 'link', 'add', 'name', name, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
    this.#address(ns, name, addresses);
    this.ip(ns, 'link', 'set', 'dev', name, 'up');
  }

  /**
   * Lays a cable between two namespaces. Its ends have numbers that differ: were they the same, Linux would take it for an
   * interface of its own, and let a bridge know up to a second later that it can be used.
   *
   * @param {End} one
   * @param {End} other
   */
  cable(one, other) {
    const index = () => ['index', String(++this.index)];
    const peer = ['peer', 'name', other.name, ...index(), 'netns', this.full(other.ns)];
    this.ip(one.ns, 'link', 'add', 'name', one.name, ...index(), 'type', 'veth', ...peer);
    for (const end of [one, other]) this.plug(end);
  }

  /**
   * Puts an interface that is there to use.
   *
   * @param {End} end
   */
  plug(end) {
    if (end.master) this.ip(end.ns, 'link', 'set', 'dev', end.name, 'master', end.master);
    this.#address(end.ns, end.name, end.addresses ?? []);
    this.ip(end.ns, 'link', 'set', 'dev', end.name, 'up');
  }

  /**
   * @param {string} ns
   * @param {string} name
   * @param {string[]} addresses
   */
  #address(ns, name, addresses) {
    for (const address of addresses) {
      this.ip(ns, 'addr', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []));
    }
  }

  /**
   * Sets the default route.
   *
   * @param {string} ns
   * @param {string} gateway
   */
  route(ns, gateway) {
    this.ip(ns, ...(gateway.includes(':') ? ['-6'] : []), 'route', 'add', 'default', 'via', gateway);
  }

  /**
   * Gives a namespace its own files in /etc.
   *
   * @param {string} ns
   * @param {Record<string, string>} files name to content
   */
  etc(ns, files) {
    const dir = `/etc/netns/${this.full(ns)}`;
    mkdirSync(dir, {recursive: true});
    for (const [name, content] of Object.entries(files)) writeFileSync(`${dir}/${name}`, content);
  }

  /**
   * Replaces the packet rules of a namespace as one transaction.
   *
   * @param {string} ns
   * @param {string} rules in nft's language
   */
  rules(ns, rules) {
    execFileSync('ip', ['netns', 'exec', this.full(ns), 'nft', '-f', '-'], {
      input: `flush ruleset\n${rules}`,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /**
   * Runs `ip` about a namespace; returns what it prints.
   *
   * @param {string} ns
   * @param {...string} args
   */
  ip(ns, ...args) {
    return ip('-n', this.full(ns), ...args);
  }

  /**
   * Runs a program in a namespace to its end; returns what it prints.
   *
   * @param {string} ns
   * @param {...string} command
   */
  run(ns, ...command) {
    return ip('netns', 'exec', this.full(ns), ...command);
  }

  /**
   * Starts a program in a namespace. It is ended with the run.
   *
   * @param {string} ns
   * @param {string[]} command
   * @param {import('node:child_process').SpawnOptions} [options]
   */
  spawn(ns, command, options = {}) {
    const child = spawn('ip', ['netns', 'exec', this.full(ns), ...command], {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...options,
    });
    this.children.push(child);
    child.once('exit', () => {
      this.children = this.children.filter((other) => other !== child);
    });
    return child;
  }

  /**
   * An executable file that runs a program in a namespace, for whoever only takes a path.
   *
   * @param {string} ns
   * @param {string} program
   */
  wrapper(ns, program) {
    const file = join(this.dir, `${ns}-${program.replaceAll('/', '-')}`);
    writeFileSync(file, `#!/bin/sh\nexec ip netns exec ${this.full(ns)} ${program} "$@"\n`, {mode: 0o755});
    return file;
  }

  /** Waits until every interface is up and every address usable: from then on nothing changes under a browser. */
  async settle() {
    await until('the lab to settle', () =>
      [...this.names].every((ns) => {
        /** @type {{flags: string[], addr_info: {tentative?: boolean}[]}[]} */
        const links = JSON.parse(this.ip(ns, '-j', 'addr', 'show'));
        return links.every(
          (link) => link.flags.includes('LOWER_UP') && !link.addr_info.some((address) => address.tentative),
        );
      }),
    );
  }

  /** Ends every program of this run and removes its namespaces and files. */
  async close() {
    const ending = this.children.map(
      (child) =>
        new Promise((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) return resolve(null);
          child.once('exit', resolve);
          child.kill('SIGTERM');
          setTimeout(() => child.kill('SIGKILL'), 3000).unref();
        }),
    );
    await Promise.all(ending);
    process.removeListener('exit', this.onExit);
    for (const signal of ['SIGINT', 'SIGTERM']) process.removeListener(signal, this.onSignal);
    this.#remove();
  }

  #remove() {
    for (const ns of this.names) discard(this.full(ns));
    this.names.clear();
    rmSync(this.dir, {recursive: true, force: true, maxRetries: 5});
  }
}

/**
 * Waits for a child's first line, its sign that it is ready.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string>}
 */
export function firstLine(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    let errors = '';
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    child.stdout?.on('data', (chunk) => {
      said += chunk;
      const end = said.indexOf('\n');
      if (end >= 0) resolve(said.slice(0, end));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${child.spawnargs.join(' ')} ended with ${code}: ${errors}`)));
  });
}

/** @param {...string} args */
function ip(...args) {
  return execFileSync('ip', args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
}

/**
 * Ends what still runs in a namespace and removes it with its /etc files.
 *
 * @param {string} name machine-wide
 */
function discard(name) {
  try {
    for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean)) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // Gone already.
      }
    }
    ip('netns', 'del', name);
  } catch {
    // Gone already.
  }
  rmSync(`/etc/netns/${name}`, {recursive: true, force: true});
}

/** Removes what runs that died left behind. */
function sweep() {
  for (const name of [...list('/run/netns'), ...list('/etc/netns')]) {
    if (orphaned(name)) discard(name);
  }
  for (const name of list(tmpdir())) {
    if (orphaned(name)) rmSync(join(tmpdir(), name), {recursive: true, force: true});
  }
}

/** Whether a name belongs to a run that is over: names say whose they are. @param {string} name */
function orphaned(name) {
  const [, pid] = name.match(new RegExp(`^${prefix}-(\\d+)-`)) ?? [];
  return pid !== undefined && !alive(Number(pid));
}

/** @param {string} dir */
function list(dir) {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** @param {number} pid */
function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
