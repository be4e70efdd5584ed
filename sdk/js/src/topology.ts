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
  /** The hub's side still uses the direct links, or is about to. */
  direct: boolean;
}

/**
 * Says which direct links should be there: none once the hub carries the media. The one who comes later makes the link: before Join where the room allows it, right
 * behind the join where it probably will, and otherwise when seated.
 */
export function wantedLinks(situation: Situation): Wanted {
  const {status, session, info, warm, returning, others, earlier, direct} = situation;
  const present = others.filter((o) => o.present).map((o) => o.session);
  const live = status === 'joined';
  const hub = live ? !direct : info?.topology?.kind === 'hub' || present.length > 1;
  const before = present.filter((s) => earlier.has(s));
  // Whoever makes a room more than two has no part in the direct path; the switch to the hub is told in a moment.
  const third = info?.topology !== undefined && before.length > 1;
  const early = info?.early === true && ((status === 'lobby' && warm) || status === 'joining');
  const pipelined = status === 'joining' && (info?.may === 'join' || returning);
  const ahead = !hub && (early || pipelined);
  return {
    session,
    live,
    seated: new Set((live && !hub) || ahead ? others.map((o) => o.session) : []),
    make: new Set(live ? (third || hub ? [] : before) : ahead ? present : []),
    prepare: hub ? null : live ? 'answer' : status === 'lobby' && warm && present.length ? 'offer' : null,
  };
}
