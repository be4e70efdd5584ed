/**
 * A name server of a few lines: answers A and AAAA for the names on its command line and refuses the rest at once, so
 * that no browser waits for a time-out. `node dns.mjs lab.test=203.0.113.1,2001:db8::1 …`
 */
import {createSocket} from 'node:dgram';
import {isIPv4} from 'node:net';
import {pathToFileURL} from 'node:url';

/**
 * Answers one question (RFC 1035 §4.1).
 *
 * @param {Buffer} query
 * @param {Map<string, string[]>} names
 * @returns {Buffer | null} null when it is not a question
 */
export function answer(query, names) {
  if (query.length < 17 || query.readUInt16BE(4) === 0) return null;
  const labels = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  at += 5;
  if (at > query.length) return null;
  const type = query.readUInt16BE(at - 4);
  const addresses = names.get(labels.join('.').toLowerCase());
  const records = (addresses ?? [])
    .filter((address) => type === (isIPv4(address) ? 1 : 28))
    .map((address) => record(type, address));
  const head = Buffer.from(query.subarray(0, 12));
  // Answer, authoritative, recursion available; a name we do not have does not exist (RCODE 3).
  head.writeUInt16BE(0x8580 | (query.readUInt16BE(2) & 0x0100) | (addresses ? 0 : 3), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, query.subarray(12, at), ...records]);
}

/**
 * @param {number} type 1 for A, 28 for AAAA
 * @param {string} address
 */
function record(type, address) {
  const data = type === 1 ? Buffer.from(address.split('.').map(Number)) : ipv6(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0); // the name, by pointer to the question
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

/** @param {string} address */
function ipv6(address) {
  const [left = '', right] = address.split('::');
  const head = left ? left.split(':') : [];
  const tail = right ? right.split(':') : [];
  const groups = right === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
  const out = Buffer.alloc(16);
  for (const [i, group] of groups.entries()) out.writeUInt16BE(Number.parseInt(group, 16), i * 2);
  return out;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const names = new Map(
    process.argv.slice(2).map((entry) => {
      const [name = '', addresses = ''] = entry.split('=');
      return /** @type {[string, string[]]} */ ([name, addresses.split(',')]);
    }),
  );
  const socket = createSocket({type: 'udp6'});
  socket.on('message', (query, from) => {
    const reply = answer(query, names);
    if (reply) socket.send(reply, from.port, from.address);
  });
  socket.bind(53, '::', () => process.stdout.write('ready\n'));
}
