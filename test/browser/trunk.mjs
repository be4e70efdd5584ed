/** What the browser itself says about a page's connection with the hub; links.mjs tells of those with other people. */

/**
 * One stream that comes from the hub or goes there. Times are in milliseconds, sound in samples.
 * @typedef {{mid: string, kind: string, codec: string, packets: number, lost: number, frames: number, width: number,
 *   freezes: number, frozenMs: number, energy: number, samples: number, concealed: number, asked: number}} Stream
 *
 * The connection: how this side's end reaches the hub, the address of the hub's, and what comes and goes.
 * @typedef {{over: string, type: string, remote: string, received: Stream[], sent: Stream[]}} Trunk
 */

/**
 * Reads the connected link with the hub; null while there is none. Of several, as while one replaces another, the one that
 * receives most. The page must have been prepared with `rememberLinks`.
 *
 * @param {import('puppeteer-core').Page} page
 * @returns {Promise<Trunk | null>}
 */
export async function readTrunk(page) {
  const all = await page.evaluate(collectTrunks);
  const packets = (/** @type {Trunk} */ {received}) => received.reduce((sum, stream) => sum + stream.packets, 0);
  return all.sort((a, b) => packets(b) - packets(a))[0] ?? null;
}

/** Runs in the page. @returns {Promise<Trunk[]>} */
async function collectTrunks() {
  /** @type {RTCPeerConnection[]} */
  const links = /** @type {any} */ (window).__links;
  /** @type {Trunk[]} */
  const out = [];
  for (const pc of links) {
    if (pc.connectionState !== 'connected' || !pc.remoteDescription?.sdp.includes('a=ice-lite')) continue;
    /** @type {Map<string, any>} */
    const stats = new Map();
    for (const [id, value] of /** @type {any} */ (await pc.getStats())) stats.set(id, value);
    const values = [...stats.values()];
    const transport = values.find((s) => s.type === 'transport' && s.selectedCandidatePairId);
    const pair = stats.get(transport?.selectedCandidatePairId ?? '');
    const local = stats.get(pair?.localCandidateId ?? '');
    const remote = stats.get(pair?.remoteCandidateId ?? '');
    if (!local) continue;
    const streams = (/** @type {string} */ type) =>
      values
        .filter((s) => s.type === type)
        .map((s) => ({
          mid: s.mid ?? '',
          kind: s.kind,
          codec: stats.get(s.codecId ?? '')?.mimeType ?? '',
          packets: s.packetsReceived ?? s.packetsSent ?? 0,
          lost: s.packetsLost ?? 0,
          frames: s.framesDecoded ?? s.framesEncoded ?? 0,
          width: s.frameWidth ?? 0,
          freezes: s.freezeCount ?? 0,
          frozenMs: Math.round((s.totalFreezesDuration ?? 0) * 1000),
          energy: s.totalAudioEnergy ?? 0,
          samples: s.totalSamplesReceived ?? 0,
          concealed: (s.concealedSamples ?? 0) - (s.silentConcealedSamples ?? 0),
          asked: s.nackCount ?? 0,
        }));
    out.push({
      over: local.relayProtocol ?? local.protocol,
      type: local.candidateType,
      remote: `${remote?.address}:${remote?.port}`,
      received: streams('inbound-rtp'),
      sent: streams('outbound-rtp'),
    });
  }
  return out;
}
