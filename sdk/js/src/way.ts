import type {Plan} from './adaptation-plan.js';
import type {Path, Source} from './api.js';
import type {Reports} from './path.js';

/** The way that leads to a person: what of theirs arrives here, and what is known about it. */
export interface Way {
  readonly path: Path;
  /** The last look at the statistics, another object each time; null without a connection. */
  readonly reports: Reports | null;
  /** What arrives, by source; whether anything is sent on it is for the seat to say. */
  track(source: Source): MediaStreamTrack | null;
  /** Loudness 0…1 of what their microphone sends now. */
  level(): number;
  /** The source that a section carries in a direction. */
  carries(mid: string, direction: 'sent' | 'received'): Source | null;
  /** What sends each source here. */
  senders(): Iterable<readonly [Source, RTCRtpSender]>;
  /** Carries a plan of adaptation out, where that is not just a matter of each sender. */
  follow?(plan: Plan): void;
  /** Why nothing of a source comes, though it is sent and shown; null when it does. */
  held?(source: Source): 'bandwidth' | 'publisher' | null;
}
