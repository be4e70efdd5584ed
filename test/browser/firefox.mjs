/** Firefox, headless, with made-up devices, driven by WebDriver BiDi. */
import puppeteer from 'puppeteer-core';
import {firefoxPath} from './requirement.mjs';

/**
 * Starts Firefox.
 *
 * @param {object} [options]
 * @param {string} [options.executable] a wrapper that runs Firefox elsewhere
 * @param {number} [options.port] of BiDi; by default any
 * @param {string} [options.profile] a profile directory; by default a fresh one
 * @returns {Promise<import('puppeteer-core').Browser>}
 */
export function launchFirefox({executable = firefoxPath, port, profile} = {}) {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: executable,
    headless: true,
    ...(port ? {debuggingPort: port} : {}),
    ...(profile ? {userDataDir: profile} : {}),
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.autoplay.default': 0,
      // Headless and alone, it may show the addresses that a person who granted the camera shows anyway.
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      // A hub that listens on 127.0.0.1 only is reached from there only.
      'media.peerconnection.ice.loopback': true,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      'browser.safebrowsing.malware.enabled': false,
      'browser.safebrowsing.phishing.enabled': false,
      'toolkit.telemetry.enabled': false,
    },
  });
}
