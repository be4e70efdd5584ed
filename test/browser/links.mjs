/**
 * What the browser itself says about a page's peer connections: the proof of media and of the path, independent of what
 * the app shows.
 */

/**
 * Runs in the page before any of its scripts and remembers every RTCPeerConnection made. The app is not changed by it
 * and cannot see a difference.
 */
export function rememberLinks() {
  const Native = window.RTCPeerConnection;
  /** @type {RTCPeerConnection[]} */
  const links = [];
  Object.defineProperty(window, '__links', {value: links});
  window.RTCPeerConnection = class extends Native {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      links.push(this);
    }
  };
}

/**
 * One end of a candidate pair.
 * @typedef {{type: string, protocol: string, relayProtocol: string, address: string, port: number}} End
 *
 * One received stream. The four media sections of a link have a fixed order: microphone, camera, screen, screen-audio.
 * @typedef {{source: string, packets: number, frames: number, width: number, height: number, energy: number}} Received
 *
 * One connected link. `hosts` are the addresses of this machine that it offered.
 * @typedef {{local: End, remote: End, hosts: string[], rttMs: number, received: Received[], sent: {source: string, packets: number}[]}} Link
 */

/**
 * Reads the connected links of a page with other people: not the one that a page in a call of two has with the hub, so
 * that a third may come.
 *
 * @param {import('puppeteer-core').Page} page
 * @returns {Promise<Link[]>}
 */
export function readLinks(page) {
  return page.evaluate(collectLinks);
}

/** Runs in the page. @returns {Promise<Link[]>} */
async function collectLinks() {
  const sources = ['microphone', 'camera', 'screen', 'screen-audio'];
  /** @type {RTCPeerConnection[]} */
  const all = /** @type {any} */ (window).__links;
  /** @type {Link[]} */
  const out = [];
  for (const pc of all) {
    if (pc.connectionState !== 'connected' || pc.getTransceivers().length === 0) continue;
    if (pc.remoteDescription?.sdp.includes('a=ice-lite')) continue; // only the hub is
    /** @type {Map<string, any>} */
    const stats = new Map();
    for (const [id, value] of /** @type {any} */ (await pc.getStats())) stats.set(id, value);
    const values = [...stats.values()];
    const transport = values.find((s) => s.type === 'transport' && s.selectedCandidatePairId);
    const pair = transport
      ? stats.get(transport.selectedCandidatePairId)
      : values.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded');
    if (!pair) continue;
    /** @param {string} id @returns {End} */
    const end = (id) => {
      const c = stats.get(id) ?? {};
      return {
        type: c.candidateType ?? '',
        protocol: c.protocol ?? '',
        relayProtocol: c.relayProtocol ?? '',
        address: c.address ?? '',
        port: c.port ?? 0,
      };
    };
    out.push({
      local: end(pair.localCandidateId),
      remote: end(pair.remoteCandidateId),
      hosts: values
        .filter((s) => s.type === 'local-candidate' && s.candidateType === 'host')
        .map((s) => s.address ?? ''),
      rttMs: (pair.currentRoundTripTime ?? 0) * 1000,
      received: values
        .filter((s) => s.type === 'inbound-rtp')
        .map((s) => ({
          source: sources[Number(s.mid)] ?? `${s.kind} ${s.mid}`,
          packets: s.packetsReceived ?? 0,
          frames: s.framesDecoded ?? 0,
          width: s.frameWidth ?? 0,
          height: s.frameHeight ?? 0,
          energy: s.totalAudioEnergy ?? 0,
        })),
      sent: values
        .filter((s) => s.type === 'outbound-rtp')
        .map((s) => ({source: sources[Number(s.mid)] ?? `${s.kind} ${s.mid}`, packets: s.packetsSent ?? 0})),
    });
  }
  return out;
}

/**
 * Who carries a link: nobody (direct) or a relay at either end. In a relayed link only one side's local candidate need
 * say so; the other end may show a peer-reflexive one.
 *
 * @param {Link} link
 * @returns {'direct' | 'relayed'}
 */
export function carrier(link) {
  return link.local.type === 'relay' || link.remote.type === 'relay' ? 'relayed' : 'direct';
}
