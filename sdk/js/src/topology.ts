import type {RoomState, RoomStatus} from './api.js';
import type {Wanted} from './links.js';

/** What the links of a session follow from. */
export interface Situation {
  status: RoomStatus;
  session: string;
  info: RoomState | null;
  /** The app wants to be connected before Join. */
  warm: boolean;
  /** The tab had a seat here before a reload: it is let in again, whatever the room says to strangers. */
  returning: boolean;
  /** The other people's sessions, and whether they are there. */
  others: readonly {session: string; present: boolean}[];
  /** Sessions that had a seat before I had mine. */
  earlier: ReadonlySet<string>;
}

/**
 * Says which links should be there. The one who comes later makes the link: before Join where the room allows it, right
 * behind the join where it probably will, and otherwise when seated.
 */
export function wantedLinks({status, session, info, warm, returning, others, earlier}: Situation): Wanted {
  const present = others.filter((o) => o.present).map((o) => o.session);
  const live = status === 'joined';
  const early = info?.early === true && ((status === 'lobby' && warm) || status === 'joining');
  const pipelined = status === 'joining' && (info?.may === 'join' || returning);
  const ahead = early || pipelined;
  return {
    session,
    live,
    seated: new Set(live || ahead ? others.map((o) => o.session) : []),
    make: new Set(live ? present.filter((s) => earlier.has(s)) : ahead ? present : []),
    prepare: live ? 'answer' : status === 'lobby' && warm && present.length ? 'offer' : null,
  };
}
