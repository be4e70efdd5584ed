/** Whose network is bad and why, and who cannot reach the hub: in plain words. */

import type {Participant} from '@parley-rtc/sdk';
import {conferenceWords} from './words';

/** What is wrong with somebody's network, as the hub sees it; empty when nothing is, or nothing is known. */
export function networkWords(person: Participant): string {
  const {network} = person;
  if (!network || network.level === 2) return '';
  const w = conferenceWords();
  return person.isMe ? w.myNetwork[network.why] : w.network[network.why](person.name);
}

/** Why no third person can come in, and what to do about it; null while nothing is in the way. */
export function noHubWords(
  people: readonly Participant[],
  host: string,
  listed: (names: string[]) => string,
): {title: string; fix: string} | null {
  const stuck = people.filter((p) => p.hub === 'no' && p.state !== 'waiting');
  const [first] = stuck;
  if (first === undefined) return null;
  const w = conferenceWords().noHub;
  const me = stuck.find((p) => p.isMe);
  const why = (me ?? first).hubWhy ?? 'failed';
  const fix = why === 'blocked' ? w.blocked(host) : w[why];
  return {title: me ? w.me : w.who(listed(stuck.map((p) => p.name))), fix};
}
