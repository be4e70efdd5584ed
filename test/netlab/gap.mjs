/** How long a page received nothing: the figure that every fault is judged by. */

/**
 * What a page received: the longest stretch without, in milliseconds, since `start`, and when something came for the
 * first time after `mark`. `shown` is what the picture on the page did, whatever link it came by.
 * @typedef {{audio: number, video: number, shown: number, back: number | null,
 *   sockets: {at: number, what: string}[]}} Gap
 */

/** Runs in the page before any of its scripts, after rememberLinks. */
export function rememberGaps() {
  const kinds = /** @type {const} */ (['audio', 'video', 'shown']);
  const now = () => performance.now();
  const state = {
    last: {audio: now(), video: now(), shown: now()},
    longest: {audio: 0, video: 0, shown: 0},
    marked: /** @type {number | null} */ (null),
    back: /** @type {number | null} */ (null),
    since: 0,
    sockets: /** @type {{at: number, what: string}[]} */ ([]),
  };
  /** @param {'audio' | 'video' | 'shown'} kind @param {number} at */
  const came = (kind, at) => {
    if (at <= state.last[kind]) return;
    state.longest[kind] = Math.max(state.longest[kind], at - Math.max(state.last[kind], state.since));
    state.last[kind] = at;
    if (kind === 'audio' && state.marked !== null && at > state.marked) state.back ??= at - state.marked;
  };
  /** Those of the page, and of the frames that it makes. @returns {RTCPeerConnection[]} */
  const links = () => [window, ...Array.from(window.frames)].flatMap((w) => /** @type {any} */ (w).__links ?? []);
  if (window !== window.top) return;
  /**
   * What a receiver last said, and when it is asked again while nothing is missed. To ask costs the page's thread a wait
   * for another one, a third of its time when all are asked all the time; the stamps are exact however late they are read.
   * @type {WeakMap<RTCRtpReceiver, {stamp: number, rest: number}>}
   */
  const sources = new WeakMap();
  const restMs = {audio: 50, video: 150, silent: 200};
  const missedMs = 100;
  const listen = (/** @type {boolean} */ all) => {
    for (const link of links()) {
      if (link.connectionState === 'closed') continue;
      for (const receiver of link.getReceivers()) {
        const kind = /** @type {'audio' | 'video'} */ (receiver.track.kind);
        const known = sources.get(receiver) ?? {stamp: 0, rest: 0};
        if (!all && now() < known.rest && now() - state.last[kind] < missedMs) continue;
        const stamp = receiver.getSynchronizationSources?.()[0]?.timestamp ?? 0;
        const fresh = stamp !== known.stamp;
        sources.set(receiver, {stamp, rest: now() + restMs[fresh ? kind : 'silent']});
        if (fresh) came(kind, Math.min(now(), stamp - performance.timeOrigin));
      }
    }
  };
  /** @type {Element | null} */
  let watched = null;
  setInterval(() => {
    listen(false);
    const video = document.querySelector('video[data-seat][data-source="camera"]');
    if (!(video instanceof HTMLVideoElement) || video === watched) return;
    watched = video;
    const next = () => {
      if (video !== watched) return;
      came('shown', now());
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  }, 15);
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    /** @param {string | URL} url @param {string | string[]} [protocols] */
    constructor(url, protocols) {
      super(url, protocols);
      state.sockets.push({at: now(), what: 'open'});
      this.addEventListener('message', ({data}) => {
        if (/^\{"type":"welcome"/.test(data)) {
          state.sockets.push({
            at: now(),
            what: /"resumed":true/.test(data) ? 'resumed' : /"reset":true/.test(data) ? 'reset' : 'welcome',
          });
        }
      });
    }
  };
  Object.assign(window, {
    __gap: {
      start() {
        listen(true);
        state.since = now();
        state.marked = state.back = null;
        state.sockets.length = 0;
        for (const kind of kinds) state.longest[kind] = 0;
      },
      mark() {
        state.marked = now();
        state.back = null;
      },
      read() {
        listen(true);
        const at = now();
        const longest = kinds.map((kind) => [
          kind,
          Math.round(Math.max(state.longest[kind], at - Math.max(state.last[kind], state.since))),
        ]);
        const sockets = state.sockets.map((s) => ({...s, at: Math.round(s.at - state.since)}));
        return {...Object.fromEntries(longest), back: state.back === null ? null : Math.round(state.back), sockets};
      },
      /** Whether a direct link and one over a stream to the relay are both up: the state of rest of two homes. */
      async settled() {
        let [direct, stream] = [false, false];
        for (const link of links()) {
          if (link.connectionState !== 'connected' || link.getTransceivers().length === 0) continue;
          const stats = [.../** @type {any} */ (await link.getStats()).values()];
          const transport = stats.find((s) => s.type === 'transport');
          const pair = transport?.selectedCandidatePairId
            ? stats.find((s) => s.id === transport.selectedCandidatePairId)
            : stats.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded');
          const local = stats.find((s) => s.id === pair?.localCandidateId);
          const remote = stats.find((s) => s.id === pair?.remoteCandidateId);
          if (local?.relayProtocol && local.relayProtocol !== 'udp') stream = true;
          else if (local && local.candidateType !== 'relay' && remote?.candidateType !== 'relay') direct = true;
        }
        return direct && stream && this.flows();
      },
      /** Whether sound and picture both came just now. */
      flows() {
        listen(true);
        const at = now();
        return at - state.last.audio < 200 && at - state.last.video < 400;
      },
    },
  });
}

/** @param {import('puppeteer-core').Page} page @param {'start' | 'mark'} what */
export function tell(page, what) {
  return page.evaluate((name) => /** @type {any} */ (window).__gap[name](), what);
}

/** @param {import('puppeteer-core').Page} page @returns {Promise<Gap>} */
export function readGap(page) {
  return page.evaluate(() => /** @type {any} */ (window).__gap.read());
}

/** @param {import('puppeteer-core').Page} page @returns {Promise<boolean>} */
export function flows(page) {
  return page.evaluate(() => /** @type {any} */ (window).__gap.flows());
}

/** @param {import('puppeteer-core').Page} page @returns {Promise<boolean>} */
export function settled(page) {
  return page.evaluate(() => /** @type {any} */ (window).__gap.settled());
}
