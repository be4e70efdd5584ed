/**
 * The inner end of a tunnel into a namespace: listens on a unix socket and connects each client to a port of this
 * namespace's loopback. `node tunnel.mjs SOCKET PORT`
 */
import {createConnection, createServer} from 'node:net';

const [socket, port] = process.argv.slice(2);
createServer((outside) => {
  const inside = createConnection(Number(port), '127.0.0.1');
  outside.pipe(inside).pipe(outside);
  outside.on('error', () => inside.destroy());
  inside.on('error', () => outside.destroy());
}).listen(socket, () => process.stdout.write('ready\n'));
