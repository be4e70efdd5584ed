import {unbound} from './frame.js';
import {type Prepared, prepare} from './prepared.js';
import type {Seal} from './veil.js';

/** Which ways a transport besides the first may take: all, only relays reached by TCP or TLS, or by TLS. */
export type Ways = 'all' | 'stream' | 'tls';

/** Which transport a STUN or TURN address uses (RFC 7064, RFC 7065); null for STUN. */
export function transportOf(url: string): 'udp' | 'tcp' | 'tls' | null {
  if (url.startsWith('turns:')) return 'tls';
  if (!url.startsWith('turn:')) return null;
  return /[?&]transport=tcp\b/i.test(url) ? 'tcp' : 'udp';
}

/** The part of the servers whose addresses pass. */
export function only(servers: readonly RTCIceServer[], fits: (url: string) => boolean): RTCIceServer[] {
  return servers
    .map((server) => ({...server, urls: [server.urls].flat().filter(fits)}))
    .filter((server) => server.urls.length > 0);
}

/** Makes a transport for some ways, or with null the first one; null when the browser refuses, or no server fits. */
export function fresh(
  kind: 'offer' | 'answer',
  ways: Ways | null,
  servers: RTCIceServer[],
  trouble: (detail: string) => void,
  seal: Seal | null = null,
): Prepared | null {
  const attempt = (config: RTCConfiguration, connection: () => typeof RTCPeerConnection) => {
    try {
      return prepare(kind, config, connection(), seal);
    } catch (error) {
      trouble(`RTCPeerConnection: ${error}`);
      return null;
    }
  };
  if (ways === 'stream' || ways === 'tls') {
    const fits = (url: string) => ['tls', ways === 'tls' ? 'tls' : 'tcp'].includes(transportOf(url) ?? '');
    const iceServers = only(servers, fits);
    const prepared = iceServers.length ? attempt({iceServers, iceTransportPolicy: 'relay'}, unbound) : null;
    return prepared && {...prepared, fits};
  }
  const connection = ways === 'all' ? unbound : () => RTCPeerConnection;
  // A browser that dislikes one of the servers, such as its port, may still reach the other side without any.
  return attempt({iceServers: servers}, connection) ?? attempt({iceServers: []}, connection);
}
