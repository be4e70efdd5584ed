/** Bare pages of another site, with no SDK of ours: one publishes by WHIP, the other plays by WHEP. */
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {createServer} from 'node:http';
import {test} from 'node:test';
import {launchChromium} from './chromium.mjs';
import {lacks, parleyPath} from './requirement.mjs';
import {Server} from './server.mjs';
import {until} from './until.mjs';

const skip = lacks('parley', 'chromium');

/**
 * Runs in the page: what docs/whip.md shows for a bare page.
 *
 * @param {string} url
 * @param {string} token
 * @param {boolean} publishes
 */
async function begin(url, token, publishes) {
  const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const video = document.createElement('video');
  video.muted = true;
  video.autoplay = true;
  document.body.append(video);
  const streams = /** @type {string[]} */ ([]);
  pc.ontrack = (event) => {
    streams.push(event.streams[0]?.id ?? '');
    video.srcObject = event.streams[0] ?? null;
  };
  if (publishes) {
    const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 320, height: 240}});
    for (const track of stream.getTracks()) pc.addTransceiver(track, {direction: 'sendonly', streams: [stream]});
  } else {
    pc.addTransceiver('audio', {direction: 'recvonly'});
    pc.addTransceiver('video', {direction: 'recvonly'});
  }
  await pc.setLocalDescription();
  const headers = {'Content-Type': 'application/sdp', Authorization: `Bearer ${token}`};
  const response = await fetch(url, {method: 'POST', headers, body: pc.localDescription?.sdp ?? ''});
  const text = await response.text();
  if (response.status !== 201) throw new Error(`${response.status} ${text}`);
  await pc.setRemoteDescription({type: 'answer', sdp: text});
  const session = response.headers.get('Location') ?? '';
  Object.assign(globalThis, {call: {pc, video, streams, session, token, answer: text}});
  return {session, tag: response.headers.get('ETag'), links: response.headers.get('Link')};
}

/** Runs in the page: how it goes. */
async function figures() {
  const {pc, video, streams} = /** @type {any} */ (globalThis).call;
  const result = {state: pc.connectionState, width: video.videoWidth, frames: 0, sound: 0, streams};
  for (const report of (await pc.getStats()).values()) {
    if (report.type !== 'inbound-rtp') continue;
    if (report.kind === 'video') result.frames += report.framesDecoded ?? 0;
    else result.sound += report.packetsReceived ?? 0;
  }
  return result;
}

/** Runs in the page: restarts ICE by PATCH. */
async function restart() {
  const {call} = /** @type {any} */ (globalThis);
  await call.pc.setLocalDescription(await call.pc.createOffer({iceRestart: true}));
  const wanted = /^a=(ice-ufrag|ice-pwd|mid|group)/;
  const lines = call.pc.localDescription.sdp.split('\r\n');
  const first = lines.findIndex((/** @type {string} */ line) => line.startsWith('m='));
  const second = lines.findIndex(
    (/** @type {string} */ line, /** @type {number} */ i) => i > first && line.startsWith('m='),
  );
  const head = lines
    .slice(0, second)
    .filter((/** @type {string} */ line) => wanted.test(line) || line.startsWith('m='));
  const response = await fetch(call.session, {
    method: 'PATCH',
    headers: {'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*'},
    body: `${head.join('\r\n')}\r\n`,
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  let answer = call.answer;
  for (const key of ['ice-ufrag', 'ice-pwd']) {
    const value = new RegExp(`a=${key}:(\\S+)`).exec(text)?.[1];
    answer = answer.replaceAll(new RegExp(`a=${key}:\\S+`, 'g'), `a=${key}:${value}`);
  }
  await call.pc.setRemoteDescription({type: 'answer', sdp: answer});
  return response.headers.get('ETag');
}

/** Runs in the page: ends the session. */
async function end() {
  return (await fetch(/** @type {any} */ (globalThis).call.session, {method: 'DELETE'})).status;
}

test('a bare page plays what another one publishes', {skip}, async (t) => {
  const server = await Server.start();
  const site = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>bare</title>');
  });
  await new Promise((resolve) => {
    site.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  const address = /** @type {import('node:net').AddressInfo} */ (site.address());
  const browser = await launchChromium();
  /** @param {string[]} flags */
  const pass = (...flags) => {
    const printed = execFileSync(
      parleyPath,
      ['token', 'tea', '--data', server.data, '--server', server.url, ...flags],
      {encoding: 'utf8'},
    );
    return {url: /Address\s+(\S+)/.exec(printed)?.[1] ?? '', token: /token\s+(\S+)/.exec(printed)?.[1] ?? ''};
  };
  try {
    const open = async () => {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${address.port}/`);
      return page;
    };
    const [camera, screen] = [await open(), await open()];
    const encoder = pass('--encoder', 'Stage');
    const player = pass('--player');
    assert.match(encoder.url, /\/whip\/tea$/);
    assert.match(player.url, /\/whep\/tea$/);
    await assert.rejects(screen.evaluate(begin, player.url, 'nonsense', false), /401/);
    await assert.rejects(screen.evaluate(begin, player.url, player.token, false), /409/);
    await camera.evaluate(begin, encoder.url, encoder.token, true);
    await until('the encoder to be connected', async () => (await camera.evaluate(figures)).state === 'connected');
    const began = performance.now();
    const made = await screen.evaluate(begin, player.url, player.token, false);
    assert.match(made.session, /\/whep\/tea\/s\//);
    assert.match(made.links ?? '', /rel="ice-server"/);
    const first = await until('pictures and sound', async () => {
      const now = await screen.evaluate(figures);
      return now.frames > 10 && now.sound > 20 && now.width === 320 ? now : null;
    });
    t.diagnostic(`${Math.round(performance.now() - began)} ms to the eleventh picture`);
    assert.equal(new Set(first.streams).size, 1, 'sound and picture are of one stream');
    const tag = await screen.evaluate(restart);
    assert.notEqual(tag, made.tag);
    await until('more pictures after a restart of ICE', async () => {
      const now = await screen.evaluate(figures);
      return now.state === 'connected' && now.frames > first.frames + 10;
    });
    assert.equal(await screen.evaluate(end), 200);
    assert.equal(await screen.evaluate(end), 404);
    assert.equal(await camera.evaluate(end), 200);
    await until('the encoder to hear of its end', async () => (await camera.evaluate(figures)).state !== 'connected');
  } finally {
    await browser.close();
    site.close();
    await server.stop();
  }
});
