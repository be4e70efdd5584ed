/** Chromium, headless, with made-up devices. Driven over a pipe, so it may live in another network namespace. */
import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import puppeteer from 'puppeteer-core';
import {chromiumPath} from './requirement.mjs';

/**
 * What the browser says when the page asks for devices:
 * - `fake`: a moving picture and a beep, granted;
 * - `smooth`: the same at 30 frames a second instead of 15, for figures;
 * - `small`: the same with a small picture, for tests with many people;
 * - `denied`: there are devices, the person says no;
 * - `missing`: granted, but there is none;
 * - `unasked`: the person never answers (and so the browser hides local addresses behind mDNS names).
 * @typedef {'fake' | 'smooth' | 'small' | 'denied' | 'missing' | 'unasked'} Capture
 */

/**
 * A camera of 320×180 at 15 frames a second, for tests with many people: one machine encodes and draws all of them.
 *
 * @returns {string} the flag for it
 */
function smallCamera() {
  const [width, height, frames] = [320, 180, 45];
  const path = join(mkdtempSync(join(tmpdir(), 'parley-camera-')), 'small.y4m');
  const parts = [Buffer.from(`YUV4MPEG2 W${width} H${height} F15:1 Ip A1:1 C420mpeg2\n`)];
  for (let n = 0; n < frames; n++) {
    const luma = Buffer.alloc(width * height, 60);
    // A bar goes over it.
    for (let y = 40; y < 140; y++) luma.fill(220, y * width + ((n * 7) % 280), y * width + ((n * 7) % 280) + 40);
    const chroma = [Buffer.alloc((width * height) / 4, 100), Buffer.alloc((width * height) / 4, 150)];
    parts.push(Buffer.from('FRAME\n'), luma, ...chroma);
  }
  writeFileSync(path, Buffer.concat(parts));
  return `--use-file-for-fake-video-capture=${path}`;
}

/** @type {Record<Capture, string[]>} */
const captureFlags = {
  // Three cameras: the second one's pixels (Y16) are shown, but no encoder takes them.
  fake: ['--use-fake-device-for-media-stream=fps=15,device-count=3', '--use-fake-ui-for-media-stream'],
  smooth: ['--use-fake-device-for-media-stream=fps=30,device-count=3', '--use-fake-ui-for-media-stream'],
  small: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  denied: ['--use-fake-device-for-media-stream=fps=30,device-count=1', '--use-fake-ui-for-media-stream=deny'],
  missing: ['--use-fake-ui-for-media-stream'],
  unasked: [],
};

/**
 * Starts Chromium.
 *
 * @param {object} [options]
 * @param {Capture} [options.capture]
 * @param {string} [options.executable] a wrapper that runs Chromium elsewhere
 * @param {string} [options.home] the HOME it sees; its certificate store is in there
 * @param {string[]} [options.flags] more flags
 * @returns {Promise<import('puppeteer-core').Browser>}
 */
export function launchChromium({capture = 'fake', executable = chromiumPath, home, flags = []} = {}) {
  return puppeteer.launch({
    browser: 'chrome',
    executablePath: executable,
    headless: true,
    pipe: true,
    env: {...process.env, ...(home ? {HOME: home} : {})},
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
      // Several pages of one browser are several people: none of them is "in the background".
      '--disable-backgrounding-occluded-windows',
      '--disable-renderer-backgrounding',
      '--disable-background-timer-throttling',
      ...captureFlags[capture],
      ...(capture === 'small' ? [smallCamera()] : []),
      ...flags,
    ],
  });
}
