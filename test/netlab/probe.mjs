/**
 * Finds out what a path does to packets, without a browser, by the order of packets instead of waiting: whatever was
 * sent before an answer that came, and has not come itself, was dropped.
 *
 * `node probe.mjs echo` on the backbone, `node probe.mjs ask ADDRESS` at a home.
 */
import {createSocket} from 'node:dgram';
import {createConnection, createServer} from 'node:net';

const udpPorts = [5001, 5002];
const tcpPorts = [443, 8080];

/**
 * What was found.
 * @typedef {object} Finding
 * @property {boolean} udp anything got through
 * @property {boolean} samePort one outside port for two destinations (endpoint-independent mapping)
 * @property {boolean} keptPort the outside port is the inside one
 * @property {boolean} strangers packets from an address and port never written to come in
 * @property {boolean} tcp443
 * @property {boolean} stun443 STUN over plain TCP to 443
 * @property {boolean} tcp8080
 */

/** Serves the questions: tells the asker's outside port, and sends from the other port first when asked to. */
async function echo() {
  const sockets = udpPorts.map(() => createSocket('udp4'));
  sockets.forEach((socket, i) => {
    const other = sockets[1 - i];
    socket.on('message', (question, from) => {
      if (question.toString() === 'stranger') other?.send('stranger', from.port, from.address);
      socket.send(`port ${from.port}`, from.port, from.address);
    });
  });
  await Promise.all(sockets.map((s, i) => new Promise((resolve) => s.bind(udpPorts[i], () => resolve(null)))));
  const servers = tcpPorts.map((port) =>
    createServer((client) => {
      client.on('error', () => client.destroy()); // the asker leaves without ceremony
      client.once('data', () => client.end('here\n'));
    }).listen(port),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  process.stdout.write('ready\n');
}

/**
 * @param {string} address
 * @returns {Promise<Finding>}
 */
async function ask(address) {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, () => resolve(null)));
  const [first = 0, second = 0] = udpPorts;
  /** @type {string[]} */
  const heard = [];
  /** @type {() => void} */
  let wake = () => undefined;
  socket.on('message', (message) => {
    heard.push(message.toString());
    wake();
  });
  /** @param {number} port @param {string} text */
  const exchange = async (port, text) => {
    const answered = new Promise((resolve) => {
      wake = () => heard.at(-1)?.startsWith('port') && resolve(true);
    });
    socket.send(text, port, address);
    return Promise.race([answered, exchanges(address)]).then(() =>
      Number(heard.findLast((t) => t.startsWith('port'))?.slice(5) ?? 0),
    );
  };
  const late = tcp(address, 8080);
  let tcp8080 = false;
  void late.then((ok) => {
    tcp8080 = ok;
  });
  // A refused or dropped packet has no answer; the TCP exchange that follows it on the same path does.
  const port1 = await exchange(first, 'stranger');
  const strangers = heard.includes('stranger');
  const port2 = await exchange(second, 'port');
  const tcp443 = await tcp(address, 443);
  const stun443 = await tcp(address, 443, Buffer.from('000100002112a442000000000000000000000000', 'hex'));
  const own = socket.address().port;
  socket.close();
  return {
    udp: port1 > 0,
    samePort: port1 > 0 && port1 === port2,
    keptPort: port1 === own,
    strangers,
    tcp443,
    stun443,
    tcp8080,
  };
}

/**
 * Three TCP exchanges in a row: within one turn either side may look at TCP before UDP, but not three times.
 *
 * @param {string} address
 */
async function exchanges(address) {
  for (let i = 0; i < 3; i++) await tcp(address, 443);
}

/**
 * @param {string} address
 * @param {number} port
 * @param {string | Buffer} [first] what is said first
 * @returns {Promise<boolean>} whether a connection came about and was answered
 */
function tcp(address, port, first = 'hello') {
  return new Promise((resolve) => {
    const socket = createConnection({host: address, port, timeout: 2000});
    socket.write(first);
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('timeout', () => {
      socket.destroy();
      resolve(false);
    });
    socket.unref();
  });
}

const [role, address] = process.argv.slice(2);
if (role === 'echo') {
  await echo();
} else if (role === 'ask' && address) {
  process.stdout.write(`${JSON.stringify(await ask(address))}\n`);
  process.exit(0);
}
