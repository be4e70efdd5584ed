/** When the pictures of other people moved, by the page's own account: what a reload or a fault looks like to an eye. */

/**
 * Runs in the page before its scripts. Every frame of a remote camera that is put on the screen leaves its time in
 * `__moves`, in milliseconds since 1970; the newest 2,000 are kept.
 */
export function rememberMoves() {
  /** @type {number[]} */
  const moves = [];
  Object.defineProperty(window, '__moves', {value: moves});
  /** @type {WeakSet<Element>} */
  const watched = new WeakSet();
  /** @param {HTMLVideoElement} video */
  const follow = (video) => {
    watched.add(video);
    let asked = 0;
    const seen = () => {
      moves.push(performance.timeOrigin + performance.now());
      if (moves.length > 2000) moves.shift();
      asked = video.requestVideoFrameCallback(seen);
    };
    // Firefox forgets the question when the element gets another stream.
    const ask = () => {
      video.cancelVideoFrameCallback(asked);
      asked = video.requestVideoFrameCallback(seen);
    };
    video.addEventListener('loadedmetadata', ask);
    // The first frame of a stream, also on a page that nobody looks at.
    video.addEventListener('loadeddata', () => moves.push(performance.timeOrigin + performance.now()));
    ask();
  };
  new MutationObserver(() => {
    for (const video of document.querySelectorAll('video[data-seat][data-source="camera"]')) {
      if (!watched.has(video)) follow(/** @type {HTMLVideoElement} */ (video));
    }
  }).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-seat']});
}

/**
 * The longest time without a new frame between two moments, in milliseconds, and the first frame after the longest.
 *
 * @param {import('./person.mjs').Person} person
 * @param {number} from milliseconds since 1970
 * @returns {Promise<{gap: number, back: number} | null>} null while no frame came after `from`
 */
export function gapSince(person, from) {
  return person.page.evaluate((start) => {
    /** @type {number[]} */
    const moves = /** @type {any} */ (window).__moves;
    const last = moves.findLast((t) => t <= start) ?? start;
    const after = moves.filter((t) => t > start);
    if (after.length === 0) return null;
    let before = last;
    let worst = {gap: 0, back: 0};
    for (const t of after) {
      if (t - before > worst.gap) worst = {gap: t - before, back: t};
      before = t;
    }
    return worst;
  }, from);
}

/** The middle one. @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
