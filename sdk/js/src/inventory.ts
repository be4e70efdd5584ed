/** The lists of devices that a browser gives, and what can be told from two of them. Pure functions. */

/** A device as it was listed. */
export interface Known {
  kind: MediaDeviceKind;
  id: string;
  /** Devices of one piece of hardware share it, such as the two ends of a headset; empty where the browser hides it. */
  group: string;
  label: string;
}

/** The name under which a browser lists the device that the system prefers. It is no device of its own. */
export const systemDefault = 'default';
const aliases = new Set([systemDefault, 'communications']);

export function inventory(found: readonly MediaDeviceInfo[]): Known[] {
  return found.map(({kind, deviceId: id, groupId: group, label}) => ({kind, id, group, label}));
}

/** Whether a list hides what is there of a kind, because there is no permission. */
export function hides(list: readonly Known[], kind: MediaDeviceKind): boolean {
  return list.some((d) => d.kind === kind && (d.id === '' || d.label === ''));
}

/** The devices that were plugged in between two lists. What a permission uncovered was there before. */
export function arrived(before: readonly Known[], now: readonly Known[]): Known[] {
  return now.filter(
    ({kind, id}) =>
      !aliases.has(id) &&
      !hides(before, kind) &&
      !hides(now, kind) &&
      !before.some((d) => d.kind === kind && d.id === id),
  );
}

/** Whether the system prefers another device of a kind than before. */
export function defaultMoved(before: readonly Known[], now: readonly Known[], kind: MediaDeviceKind): boolean {
  const [was, is] = [before, now].map((list) => list.find((d) => d.kind === kind && d.id === systemDefault));
  return !!was && !!is && was.label !== '' && (was.group !== is.group || was.label !== is.label);
}

/**
 * The devices of a list to try when `lost` is gone, the most sensible first: what the person once chose, what the
 * system prefers, the same hardware, then whatever there is. `lost` itself comes first when it is still `present`.
 */
export function successors(
  list: readonly Known[],
  lost: Known | null,
  chosen: string | null,
  present: boolean,
): readonly string[] {
  const rank = ({id, group}: Known): number => {
    if (id === lost?.id) return 0;
    if (id === chosen) return 1;
    // The system has not noticed yet that its favourite is gone.
    if (id === systemDefault) return lost && group !== '' && group === lost.group ? 4 : 2;
    return lost && group !== '' && group === lost.group ? 3 : 5;
  };
  return list
    .filter((d) => d.id !== '' && d.id !== 'communications' && (present || d.id !== lost?.id))
    .sort((a, b) => rank(a) - rank(b))
    .map((d) => d.id);
}
