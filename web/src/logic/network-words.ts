/** Turns the network verdict into a line, the reason to act, and the icon that stands before it. */

import type {NetworkVerdict} from '@parley-rtc/sdk';
import type {Words} from '../words/words';

export interface NetworkLine {
  tone: 'busy' | 'good' | 'slow' | 'bad';
  title: string;
  fix: string;
}

/** `near` says that the server is on this very machine, to which some browsers (Firefox) make no relay path. */
export function networkLine({kind, directLikely}: NetworkVerdict, w: Words, near = false): NetworkLine {
  const n = w.network;
  switch (near && kind === 'blocked' ? 'no-relay' : kind) {
    case 'checking':
      return {tone: 'busy', ...n.checking};
    case 'udp':
      return {tone: 'good', ...(directLikely ? n.direct : n.udp)};
    case 'tcp':
      return {tone: 'slow', ...n.tcp};
    case 'tls':
      return {tone: 'slow', ...n.tls};
    case 'blocked':
      return {tone: 'bad', ...n.blocked};
    case 'no-relay':
      return {tone: 'slow', ...n['no-relay']};
  }
}
