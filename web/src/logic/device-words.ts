/** Turns the state of microphone and camera into one sentence, the fix, and what the button does. */

import type {SourceStatus} from '@parley-rtc/sdk';
import type {Words} from '../words/words';
import type {Browser} from './browser';

export interface DeviceNote {
  kind: 'asking' | 'trouble';
  /** Whose state it is; both when one sentence serves the two. */
  which: Which;
  title: string;
  fix: string;
  /** The words of the button that tries once more; null when trying again is useless before the fix. */
  again: string | null;
}

export type Which = 'microphone' | 'camera' | 'both';

type Bad = Exclude<SourceStatus, 'off' | 'on' | 'muted' | 'switching'>;

/** The worst first: what a person has to act on before the rest makes sense. */
const ORDER: readonly Bad[] = ['asking', 'insecure', 'denied', 'dismissed', 'busy', 'held', 'failed', 'missing'];

/** The one note to show for the two devices, or null when neither needs words. */
export function deviceNote(
  microphone: SourceStatus,
  camera: SourceStatus,
  browser: Browser,
  w: Words,
): DeviceNote | null {
  for (const status of ORDER) {
    const mic = microphone === status;
    const cam = camera === status;
    if (mic || cam) return note(status, mic && cam ? 'both' : mic ? 'microphone' : 'camera', browser, w);
  }
  return null;
}

function note(status: Bad, which: Which, browser: Browser, w: Words): DeviceNote {
  const p = w.permission;
  const {your, Your, the, no} = w.deviceNames[which];
  const trouble = (title: string, fix: string, again: string | null): DeviceNote => ({
    kind: 'trouble',
    which,
    title,
    fix,
    again,
  });
  switch (status) {
    case 'asking':
      return {kind: 'asking', which, title: p.asking.title(your), fix: p.asking.fix, again: null};
    case 'denied':
      return trouble(p.denied.title(Your), p.browsers[browser](the), p.again);
    case 'dismissed':
      return trouble(p.dismissed.title(your), p.dismissed.fix, p.again);
    case 'missing':
      return trouble(p.missing.title(no), p.missing.fix, p.retry);
    case 'busy':
      return trouble(p.busy.title(Your, which === 'both'), p.busy.fix, p.retry);
    case 'held':
      return trouble(p.held.title(Your, which === 'both'), p.held.fix, null);
    case 'insecure':
      return trouble(p.insecure.title(the), p.insecure.fix, null);
    case 'failed':
      return trouble(p.failed.title(Your), p.failed.fix, p.retry);
  }
}
