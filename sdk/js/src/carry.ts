/** What is known of the two transports of a pair when it is decided which of them carries our media. */
export interface Choice {
  /** The one that carries it now. */
  using: 'main' | 'spare';
  /** Something is heard on it. */
  main: boolean;
  spare: boolean;
  /** Where the other side says that its media flows. */
  told: 'main' | 'spare';
  /** The maker leads back to the main link; the other side follows. */
  leads: boolean;
  /** For how long the main link has been well in both directions, in milliseconds. */
  steadyMs: number;
  /** How long that has to be before it is believed. */
  holdMs: number;
}

/** Chooses the transport that carries our media: the spare as soon as the main one is silent, and back when it is stable. */
export function carry({using, main, spare, told, leads, steadyMs, holdMs}: Choice): 'main' | 'spare' {
  if (!spare) return main ? 'main' : using;
  if (!main) return 'spare';
  if (using === 'main') return told === 'spare' ? 'spare' : 'main'; // the other side does not hear us
  if (leads) return steadyMs >= holdMs ? 'main' : 'spare';
  return told === 'main' ? 'main' : 'spare';
}

/** How long the main link has to be stable, after so many times on the spare. */
export function holdMs(times: number): number {
  return Math.min(60_000, 1_500 * 2 ** times);
}
