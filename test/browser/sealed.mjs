/** What comes to a page through the hub of an encrypted room. */
import assert from 'node:assert/strict';
import {until} from './until.mjs';

/** Runs in the page: what the connection with the hub has received and opened, and how much of it is sealed. */
export async function lookAtHub() {
  /** @type {RTCPeerConnection[]} */
  const all = /** @type {any} */ (window).__links;
  const pc = all.findLast(
    (one) => one.connectionState === 'connected' && one.remoteDescription?.sdp.includes('ice-lite'),
  );
  if (!pc) return null;
  const values = [.../** @type {any} */ (await pc.getStats()).values()].filter((s) => s.type === 'inbound-rtp');
  const bare = pc.getTransceivers().filter(({direction, sender, receiver}) => {
    const half = /** @type {any} */ (direction === 'sendonly' ? sender : receiver);
    return 'transform' in half && !half.transform;
  });
  /** @param {string} kind @param {string} field @returns {Record<string, number>} by media section */
  const count = (kind, field) =>
    Object.fromEntries(
      values.filter((s) => s.kind === kind).map((s) => [String(s.mid ?? s.trackIdentifier), s[field] ?? 0]),
    );
  return {
    pictures: count('video', 'framesDecoded'),
    sounds: count('audio', 'totalAudioEnergy'),
    packets: values.reduce((sum, s) => sum + (s.packetsReceived ?? 0), 0),
    bare: bare.length,
  };
}

/**
 * Waits until so many others are seen and heard through the hub: pictures that go on, and sound that is not silence.
 *
 * @param {import('./person.mjs').Person} person
 * @param {number} others
 */
export async function sensesByHub(person, others) {
  const before = await person.page.evaluate(lookAtHub);
  /** @type {Awaited<ReturnType<typeof lookAtHub>>} */
  let now = null;
  /** @param {'pictures' | 'sounds'} what @param {number} by */
  const more = (what, by) =>
    Object.entries(now?.[what] ?? {}).filter(([mid, count]) => count >= (before?.[what][mid] ?? 0) + by).length;
  await until(
    `${person.name} to see and hear ${others} through the hub`,
    async () => {
      now = await person.page.evaluate(lookAtHub);
      return more('pictures', 5) >= others && more('sounds', 1e-6) >= others;
    },
    {timeout: 60_000, detail: async () => JSON.stringify([before, now, await person.look()])},
  );
  assert.equal(/** @type {any} */ (now).bare, 0, 'every section is sealed');
}
