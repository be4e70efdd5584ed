/**
 * Devices that can be unplugged, taken and silenced from a test. The page's own devices stay real (or as real as the
 * browser's made-up ones): only what the system would do to them is done by hand, through the events that it would send.
 */

/** Runs in the page before its scripts. */
export function rememberPlugs() {
  const {mediaDevices} = navigator;
  if (!mediaDevices) return; // a page that may have none
  /** @type {Set<string>} labels of what is unplugged, and of what another program has */
  const gone = new Set();
  /** @type {Set<string>} */
  const taken = new Set();
  /** @type {MediaStreamTrack[]} */
  let tracks = [];
  /** @type {{label: string, id: string}[]} */
  let known = [];
  let questions = 0;

  const list = mediaDevices.enumerateDevices.bind(mediaDevices);
  const ask = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.enumerateDevices = async () => {
    const all = await list();
    known = all.map(({label, deviceId}) => ({label, id: deviceId}));
    return all.filter(({label}) => !gone.has(label));
  };
  mediaDevices.getUserMedia = async (wish = {}) => {
    questions++;
    await mediaDevices.enumerateDevices();
    for (const part of [wish.audio, wish.video]) {
      const id = /** @type {any} */ (part)?.deviceId?.exact ?? /** @type {any} */ (part)?.deviceId?.ideal;
      const label = known.find((d) => d.id === id)?.label ?? '';
      const exact = /** @type {any} */ (part)?.deviceId?.exact !== undefined;
      if (exact && gone.has(label)) throw new DOMException('gone', 'OverconstrainedError');
      if (taken.has(label)) throw new DOMException('taken', 'NotReadableError');
    }
    const stream = await ask(wish);
    tracks.push(...stream.getTracks());
    return stream;
  };
  const changed = () => mediaDevices.dispatchEvent(new Event('devicechange'));
  /** @param {string} label */
  const end = (label) => {
    for (const track of tracks.filter((t) => t.label === label && t.readyState === 'live')) {
      track.stop(); // ends it without a word to the page; the word follows
      track.dispatchEvent(new Event('ended'));
    }
    tracks = tracks.filter((t) => t.readyState === 'live');
  };
  Object.defineProperty(window, '__plugs', {
    value: {
      questions: () => questions,
      live: () => tracks.filter((t) => t.readyState === 'live').map((t) => t.label),
      labels: async (/** @type {string} */ kind) => (await list()).filter((d) => d.kind === kind).map((d) => d.label),
      unplug: (/** @type {string} */ label) => {
        gone.add(label);
        end(label);
        changed();
      },
      plug: (/** @type {string} */ label) => {
        gone.delete(label);
        changed();
      },
      take: (/** @type {string} */ label) => {
        taken.add(label);
        end(label);
      },
      free: (/** @type {string} */ label) => taken.delete(label),
      silence: (/** @type {string} */ label, /** @type {boolean} */ is) => {
        for (const track of tracks) {
          if (track.label === label) track.dispatchEvent(new Event(is ? 'mute' : 'unmute'));
        }
      },
    },
  });
}

/**
 * Does something to the plugs of a person.
 *
 * @param {import('./person.mjs').Person} person
 * @param {'unplug' | 'plug' | 'take' | 'free' | 'silence' | 'questions' | 'live' | 'labels'} what
 * @param {...(string | boolean)} args
 * @returns {Promise<any>}
 */
export function plugs(person, what, ...args) {
  return person.page.evaluate((name, given) => /** @type {any} */ (window).__plugs[name](...given), what, args);
}
