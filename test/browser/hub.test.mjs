/** Real browsers on the hub's transport: ICE-lite, DTLS, SRTP both ways, data channels, an ICE restart, the goodbye. */
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {launchFirefox} from './firefox.mjs';
import {lacks, root} from './requirement.mjs';
import {until} from './until.mjs';

const skip = lacks('go', 'chromium', 'firefox');

/** @type {import('node:child_process').ChildProcess} */
let hub;
let url = '';
let dir = '';

before(async () => {
  if (skip) return;
  dir = mkdtempSync(join(tmpdir(), 'parley-hub-'));
  execFileSync('go', ['build', '-o', join(dir, 'hubserver'), './test/hubserver'], {cwd: root, stdio: 'inherit'});
  hub = spawn(join(dir, 'hubserver'), {stdio: ['ignore', 'pipe', 'inherit']});
  url = await new Promise((resolve, reject) => {
    hub.stdout?.setEncoding('utf8').once('data', (text) => resolve(text.trim()));
    hub.once('exit', (code) => reject(new Error(`hubserver ended with ${code}`)));
  });
});
after(() => {
  hub?.kill();
  if (dir) rmSync(dir, {recursive: true});
});

/** Runs in the page: a connection with sound, a picture and two channels, kept in `globalThis.call`. */
async function begin() {
  const connection = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 320, height: 240}});
  for (const track of stream.getTracks()) connection.addTransceiver(track, {direction: 'sendrecv', streams: [stream]});
  const echoes = /** @type {Record<string, unknown[]>} */ ({});
  const channels = [
    connection.createDataChannel('chat', {protocol: 'text'}),
    connection.createDataChannel('pointer', {ordered: false, maxRetransmits: 0}),
    connection.createDataChannel('agreed', {negotiated: true, id: 1000}),
  ];
  for (const channel of channels) {
    const heard = /** @type {unknown[]} */ ([]);
    echoes[channel.label] = heard;
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({data}) => heard.push(typeof data === 'string' ? data : data.byteLength);
    channel.onopen = () => {
      channel.send(`hello ${channel.label}`);
      channel.send(new Uint8Array(50_000));
    };
  }
  const video = document.createElement('video');
  video.muted = true;
  video.autoplay = true;
  document.body.append(video);
  connection.ontrack = ({track, streams}) => {
    if (track.kind === 'video') video.srcObject = streams[0] ?? new MediaStream([track]);
  };
  const call = {connection, echoes, video, channels, client: '', began: 0, connected: 0};
  connection.onconnectionstatechange = () => {
    if (connection.connectionState === 'connected' && !call.connected) call.connected = performance.now();
  };
  Object.assign(globalThis, {call});
  return true;
}

/**
 * Runs in the page: offers, and takes the hub's answer.
 *
 * @param {boolean} again
 */
async function negotiate(again) {
  const {call} = /** @type {any} */ (globalThis);
  if (again) call.connection.restartIce();
  await call.connection.setLocalDescription(await call.connection.createOffer());
  const {sdp} = call.connection.localDescription;
  const reply = await fetch(`/offer?client=${call.client}`, {method: 'POST', body: sdp});
  const answer = await reply.text();
  if (!reply.ok) throw new Error(answer);
  call.client = reply.headers.get('Client') ?? '';
  call.began ||= performance.now();
  await call.connection.setRemoteDescription({type: 'answer', sdp: answer});
}

/** Runs in the page. */
async function look() {
  const {call} = /** @type {any} */ (globalThis);
  /** @type {Record<string, any>} */
  const seen = {
    state: call.connection.connectionState,
    echoes: call.echoes,
    width: call.video.videoWidth,
    frames: 0,
    samples: 0,
    took: Math.round(call.connected - call.began),
    report: await (await fetch(`/report?client=${call.client}`)).json(),
  };
  for (const s of (await call.connection.getStats()).values()) {
    if (s.type === 'inbound-rtp' && s.kind === 'video') seen.frames = s.framesDecoded ?? 0;
    if (s.type === 'inbound-rtp' && s.kind === 'audio') seen.samples = s.totalSamplesReceived ?? s.packetsReceived ?? 0;
    if (s.type === 'transport') Object.assign(seen, {dtls: s.dtlsCipher, srtp: s.srtpCipher, role: s.dtlsRole});
  }
  return seen;
}

for (const [name, launch] of Object.entries({Chromium: launchChromium, Firefox: launchFirefox})) {
  test(`${name} meets the hub: VP8 and Opus come back, messages too, and a restart goes unnoticed`, {
    skip,
  }, async (t) => {
    const browser = await launch();
    try {
      const page = await browser.newPage();
      await page.goto(url.replace('127.0.0.1', 'localhost'));
      await page.evaluate(begin);
      await page.evaluate(negotiate, false);
      /** @type {Record<string, any>} */
      let seen = {};
      const sees = (/** @type {string} */ what, /** @type {() => boolean} */ ok) =>
        until(what, async () => {
          seen = await page.evaluate(look);
          return ok();
        }).catch((error) => {
          throw new Error(`${error.message}: ${JSON.stringify(seen)}`);
        });
      await sees('picture and sound to come back', () => seen.width === 320 && seen.frames > 20 && seen.samples > 20);
      await sees('messages to come back', () => Object.values(seen.echoes).every((heard) => heard.length === 2));
      for (const label of ['chat', 'pointer', 'agreed']) {
        assert.deepEqual(seen.echoes[label].map(String).sort(), ['50000', `hello ${label}`].sort());
      }
      assert.equal(seen.report.profile, 'SRTP_AEAD_AES_128_GCM');
      assert.equal(seen.report.stats.Refused, 0);
      t.diagnostic(
        `connected ${seen.took} ms after the answer, handshake ${seen.report.handshakeMillis} ms, ${seen.dtls}, ${seen.srtp}`,
      );

      const {frames} = seen;
      const {Checks: checks} = seen.report.stats.ICE;
      await page.evaluate(negotiate, true);
      await sees(
        'media to go on after the restart',
        () => seen.frames > frames + 20 && seen.report.stats.ICE.Checks > checks,
      );
      assert.equal(seen.state, 'connected');
      assert.equal(seen.report.failure, 'no failure');

      // The goodbye: the hub knows at once, without a timeout.
      const ended = await page.evaluate(async () => {
        const {call} = /** @type {any} */ (globalThis);
        call.connection.close();
        for (let i = 0; i < 100; i++) {
          const {ended} = await (await fetch(`/report?client=${call.client}`)).json();
          if (ended) return ended;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return 'nothing';
      });
      assert.equal(ended, 'EOF');
    } finally {
      await browser.close();
    }
  });
}

/** Runs in the page: three layers of a picture, and six places to receive on. */
async function beginLayers() {
  const connection = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 640, height: 480}});
  for (const track of stream.getAudioTracks()) connection.addTransceiver(track, {direction: 'sendonly'});
  for (const track of stream.getVideoTracks()) {
    const sendEncodings = ['q', 'h', 'f'].map((rid, i) => ({
      rid,
      scaleResolutionDownBy: 4 >> i,
      maxBitrate: 100_000 << i,
    }));
    connection.addTransceiver(track, {direction: 'sendonly', sendEncodings});
  }
  for (let i = 0; i < 3; i++) {
    connection.addTransceiver('audio', {direction: 'recvonly'});
    connection.addTransceiver('video', {direction: 'recvonly'});
  }
  Object.assign(globalThis, {call: {connection, client: '', began: 0}});
}

for (const [name, launch] of Object.entries({Chromium: launchChromium, Firefox: launchFirefox})) {
  test(`${name} sends layers to the hub, and takes its places in the same answer`, {skip}, async (t) => {
    const browser = await launch();
    try {
      const page = await browser.newPage();
      await page.goto(url.replace('127.0.0.1', 'localhost'));
      await page.evaluate(beginLayers);
      await page.evaluate(negotiate, false);
      /** @type {Record<string, number>} */
      let layers = {};
      await until('two layers at least', async () => {
        layers = await page.evaluate(async () => {
          const {call} = /** @type {any} */ (globalThis);
          return (await (await fetch(`/report?client=${call.client}`)).json()).layers ?? {};
        });
        return Object.values(layers).filter((n) => n > 10).length >= 2;
      }).catch((error) => {
        throw new Error(`${error.message}: ${JSON.stringify(layers)}`);
      });
      const directions = await page.evaluate(() => {
        const {call} = /** @type {any} */ (globalThis);
        return call.connection.getTransceivers().map((/** @type {RTCRtpTransceiver} */ x) => x.currentDirection);
      });
      assert.deepEqual(directions, ['sendonly', 'sendonly', ...Array(6).fill('recvonly')]);
      t.diagnostic(`packets by layer: ${JSON.stringify(layers)}`);
    } finally {
      await browser.close();
    }
  });
}
