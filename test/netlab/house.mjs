/** The server of the lab, under the name of its certificate. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Server} from '../browser/server.mjs';
import {serverAddresses, serverName} from './internet.mjs';

/**
 * Starts the server in its namespace, on what it has written before.
 *
 * @param {import('./internet.mjs').Internet} internet
 * @param {{addresses?: readonly (string | undefined)[], config?: string}} [options] its public addresses, and more lines of its configuration
 */
export function serve(internet, {addresses = serverAddresses.slice(0, 1), config = ''} = {}) {
  const file = join(internet.spaces.dir, 'parley.yaml');
  writeFileSync(file, `public_address: ${addresses.join(',')}\n${config}`);
  const {cert, key} = internet.certificate;
  return Server.start({
    args: ['--listen', ':443', '--cert', cert, '--key', key, '--config', file],
    data: join(internet.spaces.dir, 'data'),
    run: (program, args) => internet.spawnServer(program, args),
  });
}

/** @param {string} link as printed; the lab's name is the certificate's */
export function named(link) {
  const url = new URL(link);
  return `https://${serverName}${url.pathname}${url.hash}`;
}
