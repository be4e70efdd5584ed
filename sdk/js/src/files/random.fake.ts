/** For tests only: numbers that look random and are the same every time (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Bytes that look random and are the same every time. */
export function noise(seed: number, size: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array((size >> 2) + 1);
  for (let i = 0, state = seed * 2654435761 + 1; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, size).slice();
}

/**
 * Stands for SHA-256 where only the order of events matters: ready at once, so that a test runs the same on any machine,
 * and fast. It looks at the first kilobyte and at samples of the rest: as much as the tests damage.
 */
export async function quickDigest(_: unknown, data: BufferSource): Promise<ArrayBuffer> {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  const whole = new Uint32Array(bytes.slice(0, bytes.length & ~3).buffer);
  const sums = new Uint32Array(8).fill(bytes.length + 1);
  let [a, b] = [bytes.length, 7];
  for (let i = 0; i < whole.length; i += i < 256 ? 1 : 61) {
    const word = whole[i] ?? 0;
    a = Math.imul(a ^ word, 16777619);
    b = (b + Math.imul(word, 40503) + a) | 0;
  }
  for (const byte of bytes.subarray(bytes.length & ~3)) a = Math.imul(a ^ (byte + 1), 16777619);
  sums.set([a, b, a ^ b]);
  return sums.buffer;
}
