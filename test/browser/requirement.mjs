/**
 * What a test needs of the machine it runs on.
 *
 * A machine that lacks something skips the test and says what it lacks. In CI (CI=true) such a skip is a failure: a
 * proof that silently did not run proves nothing.
 */
import {execFileSync} from 'node:child_process';
import {accessSync, constants, existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

/** The root of the source tree. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where Debian puts the two browsers; CHROMIUM and FIREFOX in the environment name others. */
export const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const firefoxPath = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
/** The server under test, as `make build` leaves it; PARLEY names another. */
export const parleyPath = process.env.PARLEY ?? `${root}bin/parley`;

/** @type {Record<string, () => string | null>} */
const checks = {
  chromium: () => (executable(chromiumPath) ? null : `no Chromium at ${chromiumPath} (apt-get install chromium)`),
  firefox: () => (executable(firefoxPath) ? null : `no Firefox at ${firefoxPath} (apt-get install firefox-esr)`),
  parley: () => (executable(parleyPath) ? null : `no server at ${parleyPath} (make build)`),
  root: () => (process.getuid?.() === 0 ? null : 'not root: network namespaces need it'),
  namespaces: () => tool('ip', ['netns', 'list'], 'iproute2') ?? tool('nft', ['--version'], 'nftables'),
  certutil: () => (onPath('certutil') ? null : 'no certutil (apt-get install libnss3-tools)'),
  openssl: () => tool('openssl', ['version'], 'openssl'),
  conntrack: () => (onPath('conntrack') ? null : 'no conntrack (apt-get install conntrack)'),
  go: () => tool('go', ['version'], 'golang'),
  tun: () => (existsSync('/dev/net/tun') ? null : 'no /dev/net/tun'),
};

/**
 * Says what this machine lacks of the given requirements.
 *
 * @param {...(keyof typeof checks)} wanted
 * @returns {string | false} the reason, ready to be a test's `skip`; false when everything is there
 * @throws {Error} in CI, instead of returning a reason
 */
export function lacks(...wanted) {
  const missing = wanted.map((name) => checks[name]?.() ?? null).filter((reason) => reason !== null);
  if (missing.length === 0) return false;
  const reason = missing.join('; ');
  if (process.env.CI === 'true') throw new Error(`this proof must run in CI: ${reason}`);
  return reason;
}

/** @param {string} path */
function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} name */
function onPath(name) {
  return (process.env.PATH ?? '').split(':').some((dir) => executable(`${dir}/${name}`));
}

/**
 * @param {string} name
 * @param {string[]} args
 * @param {string} pkg the Debian package that has it
 */
function tool(name, args, pkg) {
  try {
    execFileSync(name, args, {stdio: 'ignore'});
    return null;
  } catch {
    return `${name} does not run (apt-get install ${pkg})`;
  }
}
