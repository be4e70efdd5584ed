/** Chromium, headless, with made-up devices. Driven over a pipe, so it may live in another network namespace. */
import puppeteer from 'puppeteer-core';
import {chromiumPath} from './requirement.mjs';

/**
 * What the browser says when the page asks for devices:
 * - `fake`: a moving picture and a beep, granted;
 * - `denied`: there are devices, the person says no;
 * - `missing`: granted, but there is none;
 * - `unasked`: the person never answers (and so the browser hides local addresses behind mDNS names).
 * @typedef {'fake' | 'denied' | 'missing' | 'unasked'} Capture
 */

/** @type {Record<Capture, string[]>} */
const captureFlags = {
  // Three cameras: the second one's pixels (Y16) are shown, but no encoder takes them.
  fake: ['--use-fake-device-for-media-stream=fps=30,device-count=3', '--use-fake-ui-for-media-stream'],
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
      ...flags,
    ],
  });
}
