import type {NetworkVerdict} from './api.js';
import {only, transportOf} from './ways.js';

/** The ways to a relay, the best first, and how long each may take: slow networks are no blocked networks. */
const transports = [
  {kind: 'udp', patienceMs: 4_000},
  {kind: 'tcp', patienceMs: 6_000},
  {kind: 'tls', patienceMs: 8_000},
] as const;

type Transport = (typeof transports)[number]['kind'];

/**
 * Judges the addresses under which servers saw us: whether a peer may reach the same address. One socket that is seen
 * under two addresses sits behind a NAT that makes a new one for each destination (RFC 4787 §4.1). A single sight
 * cannot tell, and counts as good; none counts as bad unless UDP works, for then the address needs no translation.
 */
export function judge(candidates: readonly string[], udpWorks: boolean): boolean {
  const seen = new Map<string, string>();
  let hosts = 0;
  for (const line of candidates) {
    const [, , transport, , address, port, , type] = line.split(' ');
    if (transport?.toLowerCase() !== 'udp') continue;
    if (type === 'host' && !address?.endsWith('.local')) hosts++;
    if (type !== 'srflx') continue;
    const base = /raddr (\S+) rport (\d+)/.exec(line)?.slice(1).join(' ') ?? '';
    const hidden = base === '' || / (0|9)$/.test(base); // the browser does not tell which socket it was
    const key = hidden ? `${address}` : `${base} ${address?.includes(':') ? 6 : 4}`;
    const mapped = `${address} ${port}`;
    if (!hidden && (seen.get(key) ?? mapped) !== mapped) return false;
    seen.set(key, mapped);
  }
  return seen.size > 0 || (udpWorks && hosts > 0);
}

/** Gathers with a transport of its own until `done` says so, gathering ends or patience does; always closed after. */
async function gather(
  config: RTCConfiguration,
  patienceMs: number,
  done: (line: string) => boolean,
  stop: AbortSignal,
): Promise<string[]> {
  const lines: string[] = [];
  try {
    const pc = new RTCPeerConnection(config);
    const over = new Promise<void>((resolve) => {
      pc.onicecandidate = ({candidate}) => {
        if (candidate?.candidate) lines.push(candidate.candidate);
        if (!candidate || done(candidate.candidate)) resolve();
      };
      setTimeout(resolve, patienceMs);
      stop.addEventListener('abort', () => resolve());
    });
    pc.createDataChannel('');
    await pc
      .setLocalDescription()
      .then(() => over)
      .finally(() => pc.close());
  } catch {
    // a browser that dislikes the servers, or has no RTCPeerConnection: nothing gets through
  }
  return lines;
}

/** Resolves with false some time after one of the lesser ways got through: the better one had its chance by then. */
async function overtaken(lesser: readonly Promise<boolean>[]): Promise<boolean> {
  const start = performance.now();
  try {
    await Promise.any(lesser.map(async (way) => (await way) || Promise.reject()));
  } catch {
    return new Promise(() => {}); // none did: wait for the better one as long as it takes
  }
  return new Promise((resolve) => setTimeout(() => resolve(false), 1_500 + 2 * (performance.now() - start)));
}

const isRelay = (line: string) => / typ relay\b/.test(line);

/**
 * Tries every way to the relays, and tells what is known as soon as it is.
 *
 * @throws never: what cannot be tried does not get through
 */
export async function look(
  servers: RTCIceServer[],
  stop: AbortSignal,
  say: (verdict: NetworkVerdict) => void,
): Promise<void> {
  const found = async (kind: Transport): Promise<void> => {
    say({kind, directLikely: false});
    // Without UDP to the server there is hardly any to a peer.
    if (kind === 'udp') say({kind, directLikely: judge(await sights, true)});
  };
  const ways = transports.map(async ({kind, patienceMs}) => {
    const iceServers = only(servers, (url) => transportOf(url) === kind);
    if (!iceServers.length) return false;
    return (await gather({iceServers, iceTransportPolicy: 'relay'}, patienceMs, isRelay, stop)).some(isRelay);
  });
  const iceServers = only(servers, (url) => transportOf(url) === null || transportOf(url) === 'udp');
  const sights = gather({iceServers}, 3_000, () => false, stop);
  for (const [index, {kind}] of transports.entries()) {
    if (!(await Promise.race([ways[index], overtaken(ways.slice(index + 1))]))) continue;
    await found(kind);
    // A better way that only took its time is still the better one.
    const best = transports[(await Promise.all(ways)).indexOf(true)]?.kind ?? kind;
    if (best !== kind) await found(best);
    await sights;
    return;
  }
  // STUN may pass where TURN does not, such as when the quota is used up.
  say({kind: 'blocked', directLikely: judge(await sights, false)});
}
