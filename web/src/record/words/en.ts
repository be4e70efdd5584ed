/** The sentences of a call's record in English. */

/** What a sentence about a finding or an event is made of; everything is in words already. */
export interface Told {
  who: string;
  other: string;
  at: string;
  long: string;
  protocol: string;
  cause: string;
  count: number;
  percent: number;
}

type Say = (t: Told) => string;

const by = (cause: string): string => (cause ? ` (${cause})` : '');
const over = (protocol: string): string => (protocol ? ` over ${protocol}` : '');

export interface RecordWords {
  title(room: string): string;
  going: string;
  loading: string;
  level: {good: string; fair: string; poor: string};
  denied: {title: string; line: string};
  gone: {title: string; line: string};
  offline: {title: string; line: string};
  again: string;
  copy: string;
  copied: string;
  copyHint: string;
  json: string;
  print: string;
  timeline: string;
  timelineHint: string;
  timelineKeys: string;
  legend: string;
  path: {[state: string]: string};
  quality: string[];
  pathBand: string;
  qualityBand: string;
  restart(at: string): string;
  evidence: string;
  pick: string;
  close: string;
  connect: string;
  table: string;
  columns: {time: string; who: string; what: string; details: string};
  omitted(n: number): string;
  uncounted(n: number): string;
  and: string;
  lane(who: string): string;
  marks(n: number, first: string, at: string): string;
  server: string;
  told(who: string): string;
  facts: {[name: string]: string};
  candidate: {[type: string]: string};
  why: {[code: string]: string};
  to(who: string, other: string): string;
  finding: {[code: string]: Say};
  event: {[kind: string]: Say};
  left: {[cause: string]: Say};
  pair: {[state: string]: Say};
  way: {[kind: string]: Say};
  levels: Say[];
  cause: {[code: string]: string};
}

export const en: RecordWords = {
  title: (room) => `Call in ${room}`,
  going: 'The call is going on',
  loading: 'Fetching the record…',
  level: {good: 'It went well', fair: 'It went, with trouble', poor: 'It went badly'},
  denied: {
    title: 'This record is not yours to read',
    line: 'Only people who had a seat in the call can read it. Open it on the device you called with, or ask one of them for a link.',
  },
  gone: {title: 'This record is gone', line: 'Records are kept for a while after the call and then dropped.'},
  offline: {title: 'The server does not answer', line: 'Check your connection, then try again.'},
  again: 'Try again',
  copy: 'Copy link',
  copied: 'Link copied',
  copyHint: 'Whoever has this link can read this record.',
  json: 'Save as JSON',
  print: 'Print',
  timeline: 'Who was there, and how',
  timelineHint: 'Choose a mark to see what it rests on.',
  timelineKeys: 'Arrow keys move between the marks of a lane.',
  legend: 'What the colours mean',
  path: {
    alone: 'alone',
    unknown: 'not known',
    connecting: 'connecting',
    direct: 'direct',
    relayed: 'relayed',
    hub: 'through the server',
    lost: 'no connection',
    away: 'without the server',
  },
  quality: ['bad', 'fair', 'good'],
  pathBand: 'Path',
  qualityBand: 'Quality',
  restart: (at) => `The server restarted at ${at}`,
  evidence: 'Evidence',
  pick: 'Choose a mark on the timeline.',
  close: 'Close',
  connect: 'How they were connected',
  table: 'Everything that happened',
  columns: {time: 'Time', who: 'Who', what: 'What', details: 'Details'},
  omitted: (n) => `${n} less important events were left out.`,
  uncounted: (n) => `${n} more people came than a record keeps.`,
  and: 'and',
  lane: (who) => `Events of ${who}`,
  marks: (n, first, at) => (n === 1 ? `${at}: ${first}` : `${at}: ${n} events, first: ${first}`),
  server: 'The server saw it',
  told: (who) => `${who}’s program told it`,
  facts: {
    source: 'Track',
    path: 'Path',
    server: 'Relay',
    ms: 'Duration',
    cause: 'Reason given',
    local: 'Own end',
    remote: 'Other end',
    candidates: 'Candidates',
    link: 'Link',
    score: 'Sound, 1 to 5',
    relay: 'Reached over',
    sent: 'Relayed from them',
    received: 'Relayed to them',
    heard: 'Reached the server',
    from: 'Told by',
    gathered: 'Gathered',
    tried: 'Pairs tried besides',
    failed: 'of these without an answer',
    won: 'The pair that won',
    why: 'Why',
    ice: 'Until a pair answered',
    dtls: 'Until it was encrypted',
    packet: 'Join to first packet',
    frame: 'Join to first picture',
    restarts: 'Restarts',
    replaced: 'Replacements',
    client: 'Program',
    address: 'Network',
    clock: 'Clock',
    fast: 'fast by',
    slow: 'slow by',
    right: 'right',
  },
  candidate: {host: 'own address', srflx: 'address seen by STUN', prflx: 'address found on the way', relay: 'relay'},
  why: {
    'same-network': 'Both ends reach each other at their own addresses.',
    'through-nat': 'The address translators let a direct path through.',
    'udp-blocked': 'This network lets no UDP out, so the relay was reached another way.',
    'their-udp': 'The other person’s network lets no UDP out.',
    'no-direct': 'No direct pair answered, so the relay won.',
    'relay-only': 'Only relayed candidates were offered.',
  },
  to: (who, other) => `${who} to ${other}`,
  finding: {
    alone: () => 'Nobody else came.',
    'no-connection': (t) => `${t.who} and ${t.other} got no connection with each other.`,
    'unknown-path': (t) => `How ${t.who} and ${t.other} were connected is not known: their programs did not say.`,
    direct: (t) => `${t.who} and ${t.other} were connected directly.`,
    relayed: (t) => `${t.who} and ${t.other} were relayed${over(t.protocol)}.`,
    'udp-blocked': (t) => `${t.who}’s network blocked UDP; relayed${over(t.protocol)}.`,
    'relay-only': (t) =>
      `${t.who} and ${t.other} were relayed${over(t.protocol)}, because a program offered nothing else.`,
    'no-direct': (t) => `No direct way led from ${t.who} to ${t.other}; relayed${over(t.protocol)}.`,
    'gap-changed': (t) => `${t.long} gap at ${t.at} when ${t.who} changed networks.`,
    'gap-lost': (t) => `${t.long} gap at ${t.at} when ${t.who}’s network was gone.`,
    'gap-asleep': (t) => `${t.long} gap at ${t.at} while ${t.who}’s device slept.`,
    'gap-reloaded': (t) => `${t.long} gap at ${t.at} when ${t.who} loaded the page again.`,
    'gap-both': (t) => `${t.long} gap at ${t.at} when both ${t.who} and ${t.other} lost the server.`,
    'gap-path': (t) => `${t.long} gap at ${t.at} on the way between ${t.who} and ${t.other}.`,
    'gap-server': (t) => `${t.long} gap at ${t.at} when the server restarted.`,
    'more-gaps': (t) => `${t.count} more short ${t.count === 1 ? 'gap' : 'gaps'}, ${t.long} together.`,
    lost: (t) => `${t.who} lost the connection at ${t.at} and did not come back.`,
    removed: (t) => `A host removed ${t.who} at ${t.at}.`,
    away: (t) => `${t.who} was without the server for ${t.long} at ${t.at}.`,
    restart: (t) => `The server restarted at ${t.at}.`,
    slow: (t) => `It took ${t.long} until ${t.who} heard and saw ${t.other}.`,
    poor: (t) => `The connection was bad for ${t.who} for ${t.long}, ${t.percent} % of the time${by(t.cause)}.`,
    'video-paused': (t) => `${t.who}’s video was paused for ${t.long} so that the sound could go on${by(t.cause)}.`,
    device: (t) => `A device of ${t.who}’s failed at ${t.at}${by(t.cause)}.`,
    'no-interruption': () => 'There was no interruption.',
    hub: (t) => `${t.count} people talked through the server.`,
    'switch-gap': (t) => `${t.who} heard nothing for ${t.long} when the call changed its way at ${t.at}.`,
    'switch-failed': (t) => `The call could not change its way at ${t.at}, because of ${t.who}’s network.`,
  },
  event: {
    joined: (t) => `${t.who} took a seat`,
    away: (t) => `${t.who} lost the server`,
    back: (t) => `${t.who} has the server again`,
    gathered: (t) => `${t.who} found out ${t.count} ways to be reached`,
    'ice-connected': (t) => `A path to ${t.other} answered`,
    'dtls-connected': (t) => `Encrypted with ${t.other}`,
    'first-packet': (t) => `First packet from ${t.other}`,
    'first-frame': (t) => `First picture from ${t.other}`,
    stalled: (t) => `Nothing is heard from ${t.other} any more`,
    restart: (t) => `${t.who} looks for a new path to ${t.other}`,
    replaced: (t) => `Another transport to ${t.other} took over`,
    recovered: (t) => `${t.other} is heard again after ${t.long}`,
    'video-paused': (t) => `${t.who}’s video paused to keep the sound`,
    'video-resumed': (t) => `${t.who}’s video goes on`,
    device: (t) => `Trouble with a device of ${t.who}’s`,
    'signalling-lost': (t) => `${t.who}’s program noticed that the server is gone`,
    'signalling-back': (t) => `${t.who}’s program reached the server again`,
    switching: () => 'The call begins to change its way',
    'switch-end': () => 'The change of way is over',
    switched: (t) => `${t.who}’s program changed over`,
    transfer: (t) => `A transfer of files between ${t.who} and ${t.other}`,
    'relay-allocated': (t) => `${t.who} got an address at the relay${over(t.protocol)}`,
    'relay-permitted': (t) => `${t.who}’s address at the relay can be used`,
    'relay-refused': (t) => `The relay refused ${t.who}${by(t.cause)}`,
    'relay-ended': (t) => `${t.who}’s address at the relay${over(t.protocol)} is gone`,
    note: (t) => `${t.who}: ${t.cause}`,
  },
  left: {
    left: (t) => `${t.who} left`,
    removed: (t) => `A host removed ${t.who}`,
    expired: (t) => `${t.who} did not come back in time`,
  },
  pair: {
    won: (t) => `The pair that carries the media to ${t.other}`,
    tried: (t) => `A pair to ${t.other} that was tried too`,
    failed: (t) => `A pair to ${t.other} that did not answer`,
  },
  way: {
    direct: (t) => `Direct to ${t.other}`,
    relayed: (t) => `Relayed to ${t.other}${over(t.protocol)}`,
    hub: (t) => `Through the server to ${t.other}`,
    lost: (t) => `The path to ${t.other} is lost`,
    connecting: (t) => `Connecting to ${t.other}`,
  },
  levels: [
    (t) => `Bad quality with ${t.other}${by(t.cause)}`,
    (t) => `Fair quality with ${t.other}${by(t.cause)}`,
    (t) => `Good quality with ${t.other}`,
  ],
  cause: {
    none: '',
    reloaded: 'loaded the page again',
    'network-changed': 'another network',
    asleep: 'the device slept',
    'upload-small': 'their upload is too small',
    'download-small': 'their download is too small',
    loss: 'packets were lost',
    delay: 'a long way',
    jitter: 'packets came unevenly',
    'relay-tcp': 'relayed over TCP or TLS',
    cpu: 'the machine did not keep up',
    'peer-forbidden': 'an address that it does not send to',
    'peer-unreachable': 'an address that it cannot send to',
    'too-many': 'too many addresses at once',
    'server-full': 'no address is free',
    expired: 'the credentials are too old',
    'their-network': 'the other one’s network',
    'their-device': 'the other one’s machine',
    reconnecting: 'reconnecting',
    started: 'it began',
    resumed: 'it went on',
    done: 'all of it arrived',
    declined: 'it was refused',
    cancelled: 'it was cancelled',
    unanswered: 'nobody answered',
  },
};
