/** What a device did by itself, in a sentence, and the way back. */

import type {DeviceEvent} from '@parley-rtc/sdk';
import type {Words} from './words/words';

export interface DeviceNewsWords {
  text: string;
  /** What the button does: take what is offered, go back to what was used before, or look at the lists. */
  act: 'use' | 'back' | 'choose';
  button: string;
}

/** The events that have words of their own; the others are told by the state of the device. */
export function deviceNews({kind, sources, device, before}: DeviceEvent, w: Words): DeviceNewsWords {
  const d = w.devices;
  const source = sources[0] ?? 'microphone';
  const name = device === null ? d.systemSpeaker : plainLabel(device.label);
  switch (kind) {
    case 'offered':
      return {text: d.offered(name), act: 'use', button: d.use};
    case 'returned':
      return before === null
        ? {text: d.returned(name), act: 'choose', button: d.choose}
        : {text: d.returned(name), act: 'back', button: d.back};
    case 'followed':
      return {text: `${d.followed} ${d.now[source](name)}`, act: 'choose', button: d.choose};
    default: {
      const gone = before === null ? '' : `${d.gone(plainLabel(before.label))} `;
      return {text: gone + d.now[source](name), act: 'choose', button: d.choose};
    }
  }
}

/** A label without the numbers of its maker, which say nothing to people. */
export function plainLabel(label: string): string {
  return label.replace(/\s*\([0-9a-f]{4}:[0-9a-f]{4}\)$/i, '');
}
