/** Files as a person handles them in the page, and what the browser says crossed the network. */
import {until} from './until.mjs';

/**
 * Chooses files with a button, as if in the browser's own list.
 *
 * @param {import('./person.mjs').Person} person
 * @param {string[]} paths
 * @param {string} [button]
 */
export async function offerFiles(person, paths, button = 'Send file') {
  if (person.browser === 'chromium') {
    const [chooser] = await Promise.all([person.page.waitForFileChooser(), person.press(button)]);
    await chooser.accept(paths);
    return;
  }
  // WebDriver BiDi hands files to the field itself.
  const field = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (
    await person.page.waitForSelector(`input[type="file"][aria-label="${button}"]`)
  );
  await field.uploadFile(...paths);
}

/**
 * Lets the downloads of a person's browser go to a folder. Chromium only.
 *
 * @param {import('./person.mjs').Person} person
 * @param {string} folder
 */
export async function downloadsTo(person, folder) {
  const session = await person.page.createCDPSession();
  await session.send('Browser.setDownloadBehavior', {
    behavior: 'allow',
    downloadPath: folder,
    browserContextId: person.context.id ?? '',
  });
}

/**
 * The cards of all transfers that can be seen, with the whole hash where there is one.
 *
 * @param {import('./person.mjs').Person} person
 * @returns {Promise<{name: string, text: string, hash: string | null}[]>}
 */
export function transfers(person) {
  return person.page.evaluate(() =>
    [...document.querySelectorAll('.transfer')].map((card) => ({
      name: card.getAttribute('aria-label') ?? '',
      text: card.textContent ?? '',
      hash: card.querySelector('.transfer-hash')?.getAttribute('title') ?? null,
    })),
  );
}

/**
 * Waits until the card of a transfer says something.
 *
 * @param {import('./person.mjs').Person} person
 * @param {string} name
 * @param {RegExp} words
 */
export function reads(person, name, words) {
  return until(
    `${person.name}'s card of ${name} to say ${words}`,
    async () => words.test((await transfers(person)).find((one) => one.name === name)?.text ?? ''),
    {detail: async () => JSON.stringify(await transfers(person)), timeout: 120_000},
  );
}

/**
 * Counts, before any script of the page runs, what comes in on the channels that carry files. The app is not changed.
 *
 * @param {import('puppeteer-core').Page} page
 */
export async function countTransfers(page) {
  await page.evaluateOnNewDocument(() => {
    // The SDK makes some of its connections in a frame of the page; they are counted together.
    const top = /** @type {any} */ (window.top);
    top.__files ??= {bytes: 0, confirmed: new Set(), repeated: []};
    const seen = top.__files;
    const Native = window.RTCPeerConnection;
    /** @param {RTCDataChannel} channel */
    const watch = (channel) => {
      if (channel.protocol !== 'parley.file.v1') return;
      channel.addEventListener('message', ({data}) => {
        if (typeof data === 'string') return;
        const view = new DataView(data);
        if (view.getUint8(0) !== 1) return;
        seen.bytes += data.byteLength - 16;
        const chunk = `${channel.label} ${view.getUint32(4)} ${view.getUint32(8)}`;
        if (seen.confirmed.has(chunk)) seen.repeated.push(chunk);
      });
      const send = channel.send.bind(channel);
      channel.send = (/** @type {any} */ data) => {
        if (typeof data === 'string') {
          const {type, file, chunk, have = []} = JSON.parse(data);
          if (type === 'have') seen.confirmed.add(`${channel.label} ${file} ${chunk}`);
          for (const one of have)
            for (const [from, to] of one.ranges)
              for (let c = from; c < to; c++) seen.confirmed.add(`${channel.label} ${one.file} ${c}`);
        }
        send(data);
      };
    };
    window.RTCPeerConnection = class extends Native {
      /** @param {RTCConfiguration} [configuration] */
      constructor(configuration) {
        super(configuration);
        this.addEventListener('datachannel', ({channel}) => watch(channel));
      }
      /** @param {string} label @param {RTCDataChannelInit} [init] */
      createDataChannel(label, init) {
        if (init?.protocol === 'parley.file.v1') top.__carrier = this;
        return super.createDataChannel(label, init);
      }
    };
  });
}

/**
 * What came in so far: bytes of files, and the chunks that came although their receipt was confirmed.
 *
 * @param {import('./person.mjs').Person} person
 * @returns {Promise<{bytes: number, repeated: string[]}>}
 */
export function deliveries(person) {
  return person.page.evaluate(() => {
    const {bytes, repeated} = /** @type {any} */ (window).__files;
    return {bytes, repeated};
  });
}

/**
 * Breaks the connection that carries a file, at the sender's end.
 *
 * @param {import('./person.mjs').Person} sender
 */
export function breakCarrier(sender) {
  return sender.page.evaluate(() => /** @type {any} */ (window).__carrier.close());
}
