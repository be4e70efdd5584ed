/**
 * Writes the offers of the installed browsers to internal/sdp/testdata, where the tests of the parser read them:
 * `node test/browser/offers.mjs`. To be run again when a new browser writes its offers otherwise.
 */
import {writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {launchChromium} from './chromium.mjs';
import {launchFirefox} from './firefox.mjs';
import {root} from './requirement.mjs';

/**
 * Runs in the page.
 *
 * @param {'plain' | 'simulcast' | 'receive' | 'again'} kind
 */
async function offer(kind) {
  const connection = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: true});
  const [audio] = stream.getAudioTracks();
  const [video] = stream.getVideoTracks();
  const layers = ['q', 'h', 'f'].map((rid, i) => ({rid, scaleResolutionDownBy: 4 >> i}));
  if (kind !== 'receive' && audio && video) {
    connection.addTransceiver(audio, {direction: 'sendrecv', streams: [stream]});
    connection.addTransceiver(
      video,
      kind === 'plain'
        ? {direction: 'sendrecv', streams: [stream]}
        : {direction: 'sendonly', streams: [stream], sendEncodings: layers},
    );
  }
  if (kind === 'receive' || kind === 'simulcast') {
    for (let i = 0; i < 3; i++) {
      connection.addTransceiver('audio', {direction: 'recvonly'});
      connection.addTransceiver('video', {direction: 'recvonly'});
    }
  }
  connection.createDataChannel('control');
  if (kind === 'again') {
    // Answered by another connection, then the picture stopped: its section stays, with port 0.
    const other = new RTCPeerConnection();
    await connection.setLocalDescription();
    if (connection.localDescription) await other.setRemoteDescription(connection.localDescription);
    await other.setLocalDescription();
    if (other.localDescription) await connection.setRemoteDescription(other.localDescription);
    connection.getTransceivers()[1]?.stop();
    const {sdp} = await connection.createOffer({iceRestart: true});
    other.close();
    connection.close();
    return sdp ?? '';
  }
  const {sdp} = await connection.createOffer();
  connection.close();
  return sdp ?? '';
}

const server = createServer((_, answer) => answer.setHeader('Content-Type', 'text/html').end('<title>offers</title>'));
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
const address = server.address();
const port = typeof address === 'object' ? address?.port : 0;
for (const [name, launch] of Object.entries({chromium: launchChromium, firefox: launchFirefox})) {
  const browser = await launch();
  const page = await browser.newPage();
  await page.goto(`http://localhost:${port}/`);
  for (const kind of /** @type {const} */ (['plain', 'simulcast', 'receive', 'again'])) {
    const sdp = await page.evaluate(offer, kind);
    // Addresses of the machine that made it are nobody's business; the rest stays as it was, byte for byte.
    const lines = sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:'));
    writeFileSync(`${root}internal/sdp/testdata/${name}-${kind}.sdp`, lines.join('\r\n'));
  }
  await browser.close();
}
server.close();
