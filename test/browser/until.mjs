/**
 * Waiting for the world: asks again until the answer is good. Nothing here waits for a fixed time and hopes.
 */

/** How long anything may take on a loaded two-core machine before it counts as failed, in milliseconds. */
export const patience = 30_000;

/**
 * Asks until the answer is truthy, and returns it.
 *
 * @template T
 * @param {string} what in words, for the failure
 * @param {() => T | Promise<T>} ask may throw; the last error is part of the failure
 * @param {{timeout?: number, every?: number, detail?: () => unknown}} [options] milliseconds; `detail` is asked once,
 *   on failure, and printed
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, ask, {timeout = patience, every = 50, detail} = {}) {
  const deadline = performance.now() + timeout;
  let last;
  for (;;) {
    try {
      last = await ask();
      if (last) return /** @type {NonNullable<T>} */ (last);
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) break;
    await new Promise((resolve) => setTimeout(resolve, every));
  }
  const extra = detail ? await Promise.resolve().then(detail).catch(String) : last;
  throw new Error(`waited ${timeout} ms for ${what}; last answer: ${describe(extra)}`);
}

/** @param {unknown} value */
function describe(value) {
  return value instanceof Error
    ? (value.stack ?? value.message)
    : typeof value === 'string'
      ? value
      : JSON.stringify(value, null, 1);
}
