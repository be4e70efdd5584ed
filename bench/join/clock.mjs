/** The stopwatch in the page: when Join was pressed, when things happened on the way, when the first frame was there. */

/**
 * What was noticed, in milliseconds since 1970 with fractions, so that two pages of one machine compare.
 * @typedef {{at: number, what: string}} Mark
 */

/**
 * Runs in the page before any of its scripts. Marks presses, the messages of the signalling socket by type, the states
 * of peer connections, and every first frame that a remote camera shows after half a second without any.
 */
export function startClock() {
  /** @type {Mark[]} */
  let marks = [];
  let lastFrame = Number.NEGATIVE_INFINITY;
  const mark = (/** @type {string} */ what) => marks.push({at: performance.timeOrigin + performance.now(), what});
  Object.defineProperty(window, '__clock', {
    value: {
      read: () => marks,
      reset: () => {
        marks = [];
      },
    },
  });

  document.addEventListener(
    'click',
    (event) => {
      const button = event.target instanceof Element ? event.target.closest('button') : null;
      if (button) mark(`press ${button.getAttribute('aria-label') ?? button.textContent?.trim()}`);
    },
    true,
  );

  const seen = new WeakSet();
  const watch = () => {
    for (const video of document.querySelectorAll('video')) {
      if (seen.has(video) || !video.dataset.seat || video.dataset.source !== 'camera') continue;
      seen.add(video);
      const frame = () => {
        const now = performance.now();
        if (now - lastFrame > 500) mark('frame');
        lastFrame = now;
        video.requestVideoFrameCallback(frame);
      };
      video.requestVideoFrameCallback(frame);
    }
  };
  new MutationObserver(watch).observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ['data-seat', 'data-source'],
  });

  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    /** @param {string | URL} url @param {string | string[]} [protocols] */
    constructor(url, protocols) {
      super(url, protocols);
      this.addEventListener('message', ({data}) => mark(`got ${typeOf(data)}`));
    }
    /** @param {any} data */
    send(data) {
      mark(`sent ${typeOf(data)}`);
      super.send(data);
    }
  };
  const typeOf = (/** @type {unknown} */ data) => (typeof data === 'string' ? JSON.parse(data).type : 'bytes');

  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      this.addEventListener('iceconnectionstatechange', () => mark(`ice ${this.iceConnectionState}`));
      this.addEventListener('connectionstatechange', () => mark(`link ${this.connectionState}`));
    }
  };
}

/** @param {import('puppeteer-core').Page} page @returns {Promise<Mark[]>} */
export function readClock(page) {
  return page.evaluate(() => /** @type {any} */ (window).__clock.read());
}

/** @param {import('puppeteer-core').Page} page @returns {Promise<void>} */
export function resetClock(page) {
  return page.evaluate(() => /** @type {any} */ (window).__clock.reset());
}
