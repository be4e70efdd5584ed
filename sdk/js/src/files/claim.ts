/**
 * A transfer belongs to one tab at a time: the page that a reload replaces lets go of it when it is gone, and a second
 * tab with the same storage never gets it while the first one lives.
 */
export interface Claim {
  /** Resolves when it is ours. */
  readonly held: Promise<void>;
  release(): void;
}

/** Claims a name among the tabs of this browser. Without the Web Locks API everything is ours at once. */
export function claim(name: string): Claim {
  let release: () => void = () => {};
  const gone = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held = new Promise<void>((resolve) => {
    if (!globalThis.navigator?.locks) {
      resolve();
      return;
    }
    navigator.locks
      .request(`parley-file-${name}`, () => {
        resolve();
        return gone;
      })
      .catch(() => {});
  });
  return {held, release};
}
