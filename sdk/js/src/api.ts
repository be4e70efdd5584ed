/**
 * The public shapes of the Parley JavaScript SDK: what an app sees of a room, its people, its devices and its path.
 *
 * Everything that changes is an {@link Emitter}: read the property, listen for the event, never poll. No class here
 * touches the DOM except to ask for devices.
 */

import type {ChannelPort, Control, Delivery} from './channels.js';
import type {Files} from './files/api.js';
import type {
  ByeReason,
  CallRef,
  Chat,
  Code,
  Door,
  History,
  MediaState,
  Reach,
  ReachWhy,
  ReactionKind,
  Role,
  RoomState,
  SeatState,
  Source,
  Topology,
  TopologyPolicy,
} from './wire.gen.js';

export type {
  ByeReason,
  CallRef,
  Chat,
  Code,
  Door,
  History,
  MediaState,
  Reach,
  ReachWhy,
  ReactionKind,
  Role,
  RoomState,
  SeatState,
  Source,
  Topology,
  TopologyPolicy,
};

/** A typed event source. `on` returns the function that stops listening. */
export interface Emitter<E> {
  on<K extends keyof E>(event: K, listener: (value: E[K]) => void): () => void;
}

// ---------------------------------------------------------------- room

/** Where a room session stands. */
export type RoomStatus =
  | 'connecting' // no welcome yet
  | 'lobby' // connected, not joined
  | 'joining' // join sent
  | 'waiting' // a host has to admit us
  | 'joined' // we have a seat
  | 'ended'; // over; see `ending`

/** Why a session is over, in a form that an app can put in words. */
export interface Ending {
  reason: ByeReason | 'left' | 'unreachable';
  /** Seconds after which trying again makes sense; 0 when it is useless. */
  retry: number;
  /** What the server, or the host who removed us, says to a person. */
  words?: string;
}

/** A request that the server refused. `code` is for programs, `message` is the server's words for a person. */
export interface RoomError extends Error {
  /** `cannot-encrypt`: the room is encrypted from end to end, and this browser has not what it takes. */
  code: Code | 'closed' | 'timeout' | 'cannot-encrypt';
  field?: string;
}

export interface RoomEvents {
  status: RoomStatus;
  /** The signalling socket is up (true) or being replaced (false). Media does not depend on it. */
  online: boolean;
  /** Locked, waiting room, may, role… changed. */
  info: RoomState;
  /** Somebody came, left or changed; includes me. Sorted by order. */
  people: readonly Participant[];
  /** Somebody took or left a seat, for announcements. */
  joined: Participant;
  left: {person: Participant; reason: string};
  chat: ChatMessage;
  /** Older messages came, or one was written down: {@link Room.chat} changed without anybody having spoken. */
  history: undefined;
  /** A host turned off one of my sources (already done). */
  muted: {source: Source; by: Participant | null};
  /** The media are about to take another way, or have taken it. */
  topology: Topology | null;
  /** {@link Room.speakers} changed. */
  speakers: readonly string[];
  /** Somebody, maybe me, made a sign that is to be shown for a moment. */
  reaction: {person: Participant; kind: ReactionKind};
  /** What the hosts say to those who wait, {@link Room.waitingWords}, came or changed. */
  waitingWords: string;
  /** Something went wrong that the person should know; already handled as far as possible. */
  trouble: Trouble;
}

export interface ChatMessage {
  id: string;
  /** Seat id of the sender. */
  from: string;
  name: string;
  text: string;
  /** Milliseconds since 1970. */
  at: number;
  mine: boolean;
  /** False until the server has acknowledged it. */
  sent: boolean;
  /** True while the room keeps its chat and the server has not written this down yet. */
  unsaved: boolean;
  /** Its place in the room's history; absent when it is not kept. */
  seq?: number;
}

/** A problem an app shows in words. `kind` selects the words; `detail` is for the log. */
export interface Trouble {
  kind: 'negotiation' | 'connection' | 'signalling' | 'refused';
  person?: Participant;
  detail: string;
}

export interface Room extends Emitter<RoomEvents> {
  /** Data channels with the others, for what the SDK has no words for. */
  readonly channels: ChannelPort;
  /** Small messages between the SDKs at both ends, past the server. */
  readonly control: Control;
  readonly name: string;
  readonly status: RoomStatus;
  readonly ending: Ending | null;
  readonly online: boolean;
  /** Null until welcome. */
  readonly info: RoomState | null;
  /** Everybody with a seat, me included, sorted by order; those in the waiting room only for hosts (state waiting). */
  readonly people: readonly Participant[];
  readonly me: Participant | null;
  /** The key of an encrypted room, for the fragment of links to it; empty when it has none here. */
  readonly key: string;
  /** What the hosts say to us while we wait; empty when nothing. */
  readonly waitingWords: string;
  /** The record of the newest call we had a seat in: `/calls/{id}`, with the token that lets us read it. Null without one. */
  readonly call: CallRef | null;
  /** The conversation, oldest first: what this session saw and what was asked for with `earlier`. */
  readonly chat: readonly ChatMessage[];
  /** Whether the server keeps older messages than `chat` shows. */
  readonly hasEarlier: boolean;
  /** Which way the media take: from one to the other, or through the server's hub. Null where the server has none. */
  readonly topology: Topology | null;
  /** The seats of those who speak, the loudest first; empty unless the room is on the hub. */
  readonly speakers: readonly string[];
  /** What the network lets through. Checked by `warm`; `check` starts again. */
  readonly network: Network;
  /**
   * Who this browser tab was in this room before a reload, when it did not leave: join with that name takes the same
   * seat. Until then that seat, whose `id` is empty in the waiting room, is among `people` like any other.
   */
  readonly previous: {readonly id: string; readonly name: string} | null;
  /** Opens the server path and, where the room allows it, the path to the people inside; sends no media. Idempotent. */
  warm(): void;
  /** Resolves when seated (not when put into the waiting room: see status). Rejects with a RoomError. */
  join(name: string, as?: JoinAs): Promise<void>;
  /** Tries at once to reach whoever cannot be reached, the server too, instead of when it is due. */
  retry(): void;
  /** Gives the seat up; status goes back to lobby. */
  leave(): void;
  /** Closes everything. The seat is kept by the server for its grace time unless `leave` was called before. */
  close(): void;
  /**
   * Says all that the app displays of others' pictures now; call it whenever that changes. In a room on the hub nothing
   * else comes, at no more than this size. Until the first call, whatever there is counts as displayed.
   */
  show(wants: readonly Shown[]): void;
  sendChat(text: string): ChatMessage;
  /** Gets a page of older messages into `chat`. Rejects with a RoomError. */
  earlier(): Promise<void>;
  /**
   * Opens a label for a program's own data, on the most direct path; the same one again while it is open. Without
   * options everything arrives once and in order.
   */
  data(label: string, delivery?: Delivery): RoomData;
  /**
   * Opens the files that come and go, once a room; the code for it is fetched then. Offers reach only those who called
   * it, so an app that takes files calls it when it joins. Rejects when the code cannot be fetched.
   */
  files(): Promise<Files>;
  /** Raises my hand or lowers it; hosts also lower that of a `person`. Rejects with a RoomError. */
  hand(up: boolean, person?: Participant): Promise<void>;
  /** Makes a sign that everybody inside sees for a moment. More than a few at once are refused: rejects with `busy`. */
  react(kind: ReactionKind): Promise<void>;
  /** Answers an invitation to speak; a speaker who says false becomes a listener. Rejects with a RoomError. */
  speak(on: boolean): Promise<void>;
  // host only; each rejects with a RoomError when the server refuses
  lock(on: boolean): Promise<void>;
  /** `words`, up to 200 bytes, are shown to those who wait. New words for a room that has one replace the old. */
  waitingRoom(on: boolean, words?: string): Promise<void>;
  admit(person: Participant): Promise<void>;
  mute(person: Participant, source: Source): Promise<void>;
  /** `words`, up to 200 bytes, tell them why. */
  remove(person: Participant, words?: string): Promise<void>;
  /** Turns off a source of everybody who is not a host. */
  muteAll(source: Source): Promise<void>;
  /** Makes somebody a host or a listener, or takes a host's rights; listeners become speakers by {@link Room.invite}. */
  role(person: Participant, role: 'host' | 'speaker' | 'listener'): Promise<void>;
  /** Invites a listener to speak, or takes it back; it is theirs to accept with {@link Room.speak}. */
  invite(person: Participant, on: boolean): Promise<void>;
  /** Decides which way the media take. */
  setTopology(policy: TopologyPolicy): Promise<void>;
  /** For how long the room's chat is kept from now on; what is not to be kept any more is deleted. */
  keepHistory(policy: History): Promise<void>;
  /**
   * Encrypts the room from end to end with a new key, for good; only while nobody else is here. **Keep the key before you
   * ask.** A server that is away is waited for, however long, because it does then what it was asked; only when
   * {@link Room.key} is empty again was it refused.
   */
  encrypt(key: string): Promise<void>;
}

/** How one comes in. */
export interface JoinAs {
  /** Who comes and why, up to 200 bytes, for the hosts of a waiting room. */
  note?: string;
  /** As a listener, who sends nothing; hosts are hosts all the same. */
  listen?: boolean;
}

export interface RoomDataEvents {
  /** Somebody's message. `from` is their seat; the content is their word, so check it. */
  message: {from: string; data: string | ArrayBuffer};
  /** From now on this seat can be reached; what was lost with an older connection is not sent again. */
  open: string;
  /** This seat cannot be reached now. */
  close: string;
}

/** Messages between programs, peer to peer where the call is. */
export interface RoomData extends Emitter<RoomDataEvents> {
  readonly label: string;
  /** The seats that can be reached now. */
  readonly open: ReadonlySet<string>;
  /**
   * Sends up to 64 KiB to one seat, or to everybody. Returns false when somebody will not get it: not connected, or too
   * much is waiting already. Data of any other type is copied.
   */
  send(data: string | ArrayBuffer | ArrayBufferView, to?: string): boolean;
  /** How many bytes wait to leave, at most for one person: slow down while this grows. */
  buffered(to?: string): number;
  /** Closes it in both directions. */
  close(): void;
}

export interface RoomOptions {
  /** The server's base URL; the page's own origin by default. */
  server?: string;
  room: string;
  /** Host secret from the link's fragment. */
  host?: string;
  /**
   * The secret of an encrypted room, from the link's fragment (`#key=…`); {@link makeKey} makes one. It never leaves this
   * page. With it nothing is sent or played that is not encrypted from end to end.
   */
  key?: string;
  /** Devices whose tracks are sent; without it nothing is sent. */
  media?: LocalMedia;
  /** Where the seat token is kept, sessionStorage by default; null keeps nothing. */
  storage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null;
  client?: {name: string; version?: string};
}

// ---------------------------------------------------------------- people

export interface ParticipantEvents {
  /** Name, role, state, media flags. */
  change: undefined;
  /** A track came or went. */
  track: {source: Source; track: MediaStreamTrack | null};
  path: Path;
  quality: Quality;
  /** {@link Participant.held} says something else, of some source. */
  held: undefined;
  network: NetworkLevel | null;
}

export interface Participant extends Emitter<ParticipantEvents> {
  /** Seat id. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly state: SeatState;
  readonly order: number;
  readonly isMe: boolean;
  /** Set while their hand is raised: the lowest raised it first. */
  readonly hand: number | null;
  /** A listener whom a host has invited to speak and who has not answered yet. */
  readonly invited: boolean;
  /** What somebody in the waiting room said to the hosts; empty when nothing. */
  readonly note: string;
  /** By which door an encoder came that holds this seat; null for people. */
  readonly door: Door | null;
  /** Whether they reach the hub, which three and more need; null while it is not known. */
  readonly hub: Reach | null;
  /** Why they do not. */
  readonly hubWhy: ReachWhy | null;
  /** What they say they send; believe this for icons, the tracks for pictures. */
  readonly media: MediaState;
  /** The receiving tracks, by source; for me, the local ones. Present while media says so and a link exists. */
  readonly tracks: ReadonlyMap<Source, MediaStreamTrack>;
  /** How their media reaches us; for me: {kind: 'none'}. */
  readonly path: Path;
  /** Whether they are known to hold the key of an encrypted room. */
  readonly encryption: Encryption;
  /** Microphone level 0…1 right now (cheap; call it from an animation frame). */
  level(): number;
  /** How well they come through; for me, how my own network does. */
  readonly quality: Quality;
  /** The figures of the last two minutes; null before the call and for me. */
  readonly history: QualityHistory | null;
  /** The figures of the last second; null without a link. For me, what I send to the hub. */
  stats(): Promise<LinkStats | null>;
  /**
   * Why nothing comes of a source that is on and shown, when the room is on the hub: my download does not carry it, or it
   * does not arrive there. What was seen of it last stands still meanwhile.
   */
  held(source: Source): 'bandwidth' | 'publisher' | null;
  /** How bad their network is, as the hub sees it; null when it is good, and in a direct call. */
  readonly network: NetworkLevel | null;
}

/** What the hub sees of somebody's network. */
export interface NetworkLevel {
  level: QualityLevel;
  why: 'upload' | 'download' | 'loss' | 'delay';
}

/** What the app displays of somebody, and how large, in device pixels. */
export interface Shown {
  seat: string;
  source: Source;
  width: number;
  height: number;
}

/**
 * What is known of somebody's end of the encryption. `none`: the room has no key here; `pending`: no key has come yet
 * that only they can have told; `known`: they hold the room's key and what they send is encrypted from end to end;
 * `stranger`: what they say to be is not from who holds the key: they get no key of ours, and are not played.
 */
export type Encryption = 'none' | 'pending' | 'known' | 'stranger';

/** The way media takes to a person. */
export interface Path {
  kind: 'none' | 'connecting' | 'direct' | 'relayed' | 'hub' | 'lost';
  /** How we reach the relay, when relayed, or the hub. */
  protocol?: 'udp' | 'tcp' | 'tls';
  /** The relay's host name, when relayed. */
  server?: string;
  /** Round-trip time in milliseconds; absent while unknown. */
  rttMs?: number;
}

/** The figures of a link over the last second. */
export interface LinkStats {
  path: Path;
  localCandidate: string;
  remoteCandidate: string;
  /** The browser's own estimate of what can leave, in bits per second; Chromium only. */
  availableBps?: number;
  /** What has flowed on this link, either way. */
  tracks: readonly TrackStats[];
}

/** One track in one direction over the last second. What a browser does not tell is absent, never a guess. */
export interface TrackStats {
  source: Source;
  direction: 'sent' | 'received';
  /** Bits per second, without what the network adds. */
  bps?: number;
  /** Packets that did not arrive; of what we send, as the other side last reported. */
  lostPercent?: number;
  jitterMs?: number;
  /** Round trip by the other side's report; sent tracks only. */
  rttMs?: number;
  width?: number;
  height?: number;
  /** Frames a second, decoded or encoded. */
  fps?: number;
  /** Times and milliseconds that the picture stood still since the link came up; received tracks only. */
  freezes?: number;
  frozenMs?: number;
  /** Sound that had to be made up; received tracks only. */
  concealedPercent?: number;
  /** How long what arrives waits for what is late, on average. */
  bufferMs?: number;
  /** What holds the encoder back; sent tracks only. */
  limited?: 'cpu' | 'bandwidth' | 'other';
}

/** 0 bad, 1 fair, 2 good. */
export type QualityLevel = 0 | 1 | 2;

/** The one thing that explains a level below good. The app has words for each of them. */
export type QualityReason =
  | 'none'
  | 'upload-small' // what I send does not fit
  | 'download-small' // what I am sent does not fit
  | 'loss' // packets vanish, whatever the rate
  | 'delay' // a long way
  | 'jitter' // packets come in fits and starts, as on a weak Wi-Fi
  | 'relay-tcp' // a relay over TCP or TLS: one late packet holds up all
  | 'cpu' // this machine does not keep up
  | 'their-network'
  | 'their-device'
  | 'reconnecting';

/** How well a person comes through; for me, how well my own network and machine do. */
export interface Quality {
  /** Null until something was measured. */
  level: QualityLevel | null;
  reason: QualityReason;
  /** Mean opinion score of the sound by the E-model (ITU-T G.107), 1…4.5. For me: what the others hear. */
  sound?: number;
  /** Their picture is paused to keep the sound; for me: mine is, on some link. */
  paused: boolean;
}

/** The figures that are kept for two minutes. Lost ones are percentages, `receivedLost` of what arrives here. */
export type QualitySeries = 'receivedBps' | 'sentBps' | 'receivedLost' | 'sentLost' | 'rttMs';

export interface QualityHistory {
  /** How many values a series has, one a second. */
  readonly seconds: number;
  /** Oldest first; null where nothing was measured. */
  series(name: QualitySeries): readonly (number | null)[];
}

// ---------------------------------------------------------------- devices

/** The state of one local source. The app has words for each of them. */
export type SourceStatus =
  | 'off' // not wanted
  | 'asking' // the browser is asking the person now
  | 'on' // live and unmuted
  | 'muted' // live device, nothing sent (microphone only: cameras are released when off)
  | 'held' // live and wanted, but the system or another program keeps it silent or dark
  | 'switching' // its device was lost, the next one is being taken
  | 'denied' // the person or the browser's policy said no
  | 'dismissed' // the person closed the question without an answer
  | 'missing' // there is no such device
  | 'busy' // another program has it
  | 'insecure' // the page is not in a secure context
  | 'failed'; // anything else

export interface LocalSourceEvents {
  change: undefined;
}

/** Microphone or camera. */
export interface LocalSource extends Emitter<LocalSourceEvents> {
  readonly source: 'microphone' | 'camera';
  readonly status: SourceStatus;
  /**
   * Asked for by a page that came back and had it before: as good as there, and told to the others as sent, so that
   * nobody sees it go and come again. Ends with the answer, or after three seconds.
   */
  readonly expected: boolean;
  /** The live track, also while muted; null when there is none. */
  readonly track: MediaStreamTrack | null;
  /**
   * The device in use; without one, the chosen one, remembered on this machine; null when none is known. A device that
   * is taken because the chosen one is gone does not replace it in the memory.
   */
  readonly deviceId: string | null;
  /** Asks if needed and turns it on. Never rejects: see status. */
  start(): Promise<void>;
  /** Turns it off. The microphone's device is kept so that it comes back at once and can notice speaking while muted. */
  stop(): void;
  toggle(): Promise<void>;
  /** Switches to another device, in a call without a gap where the browser can. */
  use(deviceId: string): Promise<void>;
  /** Microphone only: level 0…1 of what it hears, muted or not. */
  level(): number;
}

export interface ScreenSource extends Emitter<LocalSourceEvents> {
  readonly supported: boolean;
  readonly status: SourceStatus;
  readonly track: MediaStreamTrack | null;
  readonly audioTrack: MediaStreamTrack | null;
  /** text: sharp, few frames. motion: smooth. */
  readonly kind: 'text' | 'motion';
  /** Must be called from a user gesture. Never rejects: see status. */
  start(kind: 'text' | 'motion'): Promise<void>;
  stop(): void;
}

export interface Device {
  id: string;
  /** Never empty: the browser's label, or a numbered word while labels are hidden. */
  label: string;
}

/** Something that happened to a device by itself, already dealt with as far as possible. The app has words for it. */
export interface DeviceEvent {
  /**
   * - `switched`: `before` is gone or does not work, `device` is used instead; a `device` of null is the system's default;
   * - `lost`: `before` is gone and nothing took its place; the status says why;
   * - `returned`: the chosen one is back and in use again, `before` is what was used meanwhile;
   * - `followed`: the system prefers another device now, and the source follows the system;
   * - `offered`: `device` was plugged in and is not used; `use` takes it;
   * - `silenced` and `heard`: the system or another program keeps it silent or dark, and no longer does;
   * - `revoked`: the permission was taken back.
   */
  kind: 'switched' | 'lost' | 'returned' | 'followed' | 'offered' | 'silenced' | 'heard' | 'revoked';
  /** What it concerns. A headset that is offered has two ends. */
  sources: readonly ('microphone' | 'camera' | 'speaker')[];
  device: Device | null;
  before: Device | null;
  /** The ids under which the sources take an offered device. */
  ids?: Partial<Record<'microphone' | 'camera' | 'speaker', string>>;
}

export interface LocalMediaEvents {
  /** A device failed, came or went. */
  device: DeviceEvent;
  /** The lists changed (plugged, unplugged, permission given). */
  devices: undefined;
  /** Any of the sources changed. */
  change: undefined;
  /** The person speaks into a muted microphone; at most once in ten seconds. */
  speakingWhileMuted: undefined;
}

/** The devices of this machine and what we send from them. One per page; it outlives rooms. */
export interface LocalMedia extends Emitter<LocalMediaEvents> {
  readonly microphone: LocalSource;
  readonly camera: LocalSource;
  readonly screen: ScreenSource;
  readonly microphones: readonly Device[];
  readonly cameras: readonly Device[];
  /** Empty where the browser cannot choose a speaker. */
  readonly speakers: readonly Device[];
  readonly canChooseSpeaker: boolean;
  /** The one in use; '' is the system's default, also while the chosen one is gone. */
  readonly speakerId: string;
  /** Plays an element on the chosen speaker, now and after each change; returns what lets go of it. */
  attach(element: HTMLMediaElement): () => void;
  /** Remembers the speaker and applies it to every element given to `attach`. */
  useSpeaker(deviceId: string): Promise<void>;
  /** Plays a short tone on the chosen speaker. */
  testTone(): Promise<void>;
  /**
   * Asks for both devices in one question (one prompt), as far as they exist. `again` says that they were on before a
   * reload. Never rejects.
   */
  ask(want: {microphone: boolean; camera: boolean}, again?: boolean): Promise<void>;
  close(): void;
}

// ---------------------------------------------------------------- network

/** What the network between here and the server lets through; says nothing about the pair. */
export interface NetworkVerdict {
  kind: 'checking' | 'udp' | 'tcp' | 'tls' | 'blocked' | 'no-relay';
  /** A public address was seen whose port our NAT keeps for different destinations, as far as it can be told. */
  directLikely: boolean;
}

/** A {@link NetworkVerdict} that changes while it is being found out. */
export interface Network extends Emitter<{change: NetworkVerdict}> {
  readonly verdict: NetworkVerdict;
  /** Looks again, with fresh transports. Nothing happens while a check is running. */
  check(): void;
}
