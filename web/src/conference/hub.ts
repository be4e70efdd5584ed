/** What a room tells of the hub, for SDKs that know it; a call of two says nothing of it. */

import type {Participant, Room, Source} from '@parley-rtc/sdk';

/** A picture that is on the screen, and how large, in device pixels. */
export interface Shown {
  seat: string;
  source: Source;
  width: number;
  height: number;
}

interface HubRoom {
  readonly speakers?: readonly string[];
  show?(wants: readonly Shown[]): void;
  on?(event: 'speakers', listener: () => void): () => void;
}

interface HubPerson {
  held?(source: Source): 'bandwidth' | 'publisher' | null;
  readonly network?: {level: 0 | 1 | 2; why: 'upload' | 'download' | 'loss' | 'delay'} | null;
}

export type Network = NonNullable<HubPerson['network']>;

export function hubRoom(room: Room): HubRoom {
  return room as HubRoom;
}

export function hubPerson(person: Participant): HubPerson {
  return person as HubPerson;
}
