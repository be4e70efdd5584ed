/** Turns the network verdict into a line, the reason to act, and the icon that stands before it. */

import type {NetworkVerdict} from '@parley-rtc/sdk';
import type {Words} from '../words/words';

export interface NetworkLine {
  tone: 'busy' | 'good' | 'slow' | 'bad';
  title: string;
  fix: string;
}

export function networkLine(verdict: NetworkVerdict, w: Words): NetworkLine {
  const n = w.network;
  switch (verdict.kind) {
    case 'checking':
      return {tone: 'busy', ...n.checking};
    case 'udp':
      return {tone: 'good', ...(verdict.directLikely ? n.direct : n.udp)};
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
