/** The path line: how a person's media reaches us, and never more than is true. */

import type {Encryption, Path} from '@parley-rtc/sdk';
import type {Words} from './words/words';

/** Its parts in order, to be joined with middle dots; empty when there is nothing to say. */
export function pathParts(path: Path, w: Words, encryption: Encryption = 'none'): string[] {
  const p = w.path;
  const sealed = encryption === 'none' ? p.encrypted : w.encryption.path[encryption];
  switch (path.kind as string) {
    case 'none':
      return [];
    case 'connecting':
      return [p.connecting];
    case 'lost':
      return [p.lost];
    case 'direct':
      return [p.direct, sealed, ...time(path, w)];
    case 'relayed': {
      const by = path.server ? p.relayedBy(path.server) : p.relayed;
      const over = path.protocol ? ` ${p.over[path.protocol]}` : '';
      return [by + over, sealed, ...time(path, w)];
    }
    default:
      return encryption === 'none' ? [p.hub, ...time(path, w)] : [p.hub, sealed, ...time(path, w)];
  }
}

function time(path: Path, w: Words): string[] {
  return path.rttMs === undefined ? [] : [w.path.ms(Math.round(path.rttMs))];
}
