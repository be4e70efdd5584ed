/** Everything a page asks the network for, so that a test can say: no other host, and not too much. */

export class Traffic {
  constructor() {
    /** Every request's URL, WebSockets included where the browser tells. @type {string[]} */
    this.urls = [];
    /** Bytes on the wire by URL, where the browser tells. @type {Map<string, {type: string, bytes: number}>} */
    this.bytes = new Map();
  }

  /**
   * Notes what a page asks for from now on.
   *
   * @param {import('puppeteer-core').Page} page
   * @param {boolean} measure also bytes and WebSockets, which only Chromium tells
   */
  async watch(page, measure) {
    page.on('request', (request) => this.urls.push(request.url()));
    if (!measure) return;
    const session = await page.createCDPSession();
    await session.send('Network.enable');
    /** @type {Map<string, {url: string, type: string}>} */
    const open = new Map();
    session.on('Network.webSocketCreated', (event) => this.urls.push(event.url));
    session.on('Network.responseReceived', (event) =>
      open.set(event.requestId, {url: event.response.url, type: event.type}),
    );
    session.on('Network.loadingFinished', (event) => {
      const response = open.get(event.requestId);
      if (response) this.bytes.set(response.url, {type: response.type, bytes: event.encodedDataLength});
    });
  }

  /**
   * The hosts asked, other than the given one.
   *
   * @param {string} own host with port
   */
  foreign(own) {
    const hosts = this.urls.filter((url) => /^(https?|wss?):/.test(url)).map((url) => new URL(url).host);
    return [...new Set(hosts)].filter((host) => host !== own);
  }

  /** Bytes on the wire so far, by kind of resource (Document, Script, Stylesheet …). */
  totals() {
    /** @type {Record<string, number>} */
    const sum = {};
    for (const {type, bytes} of this.bytes.values()) sum[type] = (sum[type] ?? 0) + bytes;
    return sum;
  }
}
