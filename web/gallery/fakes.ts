/** Rooms and devices that exist on this page only: the SDK's interfaces, with every state a screen has to show. */

import type {
  ChatMessage,
  Device,
  Emitter,
  Ending,
  Files,
  FilesEvents,
  History,
  LinkStats,
  LocalMedia,
  LocalMediaEvents,
  LocalSource,
  LocalSourceEvents,
  MediaState,
  Network,
  NetworkLevel,
  NetworkVerdict,
  Participant,
  ParticipantEvents,
  Path,
  Quality,
  QualityHistory,
  QualitySeries,
  Reach,
  ReachWhy,
  ReactionKind,
  Role,
  Room,
  RoomData,
  RoomDataEvents,
  RoomEvents,
  RoomState,
  RoomStatus,
  SeatState,
  Source,
  SourceStatus,
  Topology,
  Transfer,
} from '@parley-rtc/sdk';
import {Channels} from '../../sdk/js/src/channels';
import {DataHub} from '../../sdk/js/src/data';

class FakeEmitter<E> implements Emitter<E> {
  readonly #listeners = new Map<keyof E, Set<(value: never) => void>>();
  on<K extends keyof E>(event: K, listener: (value: E[K]) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set.add(listener));
    return () => set.delete(listener);
  }
  emit<K extends keyof E>(event: K, value: E[K]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as (value: E[K]) => void)(value);
  }
}

const OFF: MediaState = {microphone: false, camera: false, screen: false, screenAudio: false};

export class FakePerson extends FakeEmitter<ParticipantEvents> implements Participant {
  readonly id: string;
  readonly name: string;
  role: Role = 'speaker';
  state: SeatState = 'present';
  order: number;
  isMe = false;
  media: MediaState = {...OFF, microphone: true, camera: true};
  tracks = new Map<Source, MediaStreamTrack>();
  path: Path = {kind: 'direct', rttMs: 24};
  loud = 0;
  hand: number | null = null;
  invited = false;
  note = '';
  readonly door = null;
  hub: Reach | null = null;
  hubWhy: ReachWhy | null = null;
  network: NetworkLevel | null = null;
  holds: 'bandwidth' | 'publisher' | null = null;
  quality: Quality = {level: 2, reason: 'none', sound: 4.2, paused: false};
  history: QualityHistory | null = new FakeHistory(false);

  constructor(name: string, order: number, change: Partial<FakePerson> = {}) {
    super();
    this.id = `seat-${order}`;
    this.name = name;
    this.order = order;
    Object.assign(this, change);
  }
  level(): number {
    return this.loud;
  }
  held(source: Source): 'bandwidth' | 'publisher' | null {
    return source === 'camera' ? this.holds : null;
  }
  async stats(): Promise<LinkStats> {
    const lostPercent = this.path.kind === 'relayed' ? 2.6 : 0.1;
    return {
      path: this.path,
      localCandidate: 'host',
      remoteCandidate: 'srflx',
      availableBps: 2_450_000,
      tracks: [
        {
          source: 'microphone',
          direction: 'received',
          bps: 32_400,
          lostPercent,
          jitterMs: 4,
          bufferMs: 48,
          concealedPercent: 0.2,
        },
        {
          source: 'camera',
          direction: 'received',
          bps: 1_820_000,
          lostPercent,
          bufferMs: 62,
          width: 1280,
          height: 720,
          fps: 30,
          freezes: 1,
          frozenMs: 420,
        },
        {source: 'microphone', direction: 'sent', bps: 31_800, lostPercent: 0, rttMs: 26},
        {
          source: 'camera',
          direction: 'sent',
          bps: 1_640_000,
          lostPercent: 0.4,
          rttMs: 27,
          width: 1280,
          height: 720,
          fps: 30,
          limited: 'bandwidth',
        },
      ],
    };
  }
}

/** Two minutes of a call; a bad one falls in its middle, and misses some seconds. */
export class FakeHistory implements QualityHistory {
  readonly seconds = 120;
  constructor(private readonly bad: boolean) {}
  series(name: QualitySeries): (number | null)[] {
    const wave = (i: number): number => Math.sin(i / 5) + Math.sin(i / 2.3) / 2;
    return Array.from({length: 120}, (_, i) => {
      const fell = this.bad && i > 70;
      if (i < 8 || (this.bad && i > 68 && i < 73)) return null;
      switch (name) {
        case 'receivedBps':
          return 1_700_000 + 120_000 * wave(i);
        case 'sentBps':
          return (fell ? 42_000 : 1_500_000) * (1 + 0.1 * wave(i));
        case 'receivedLost':
          return Math.max(0, 0.4 * wave(i));
        case 'sentLost':
          return fell ? 6 + 4 * wave(i) : Math.max(0, 0.6 * wave(i + 3));
        default:
          return (fell ? 240 : 26) + 8 * wave(i);
      }
    });
  }
}

class FakeSource extends FakeEmitter<LocalSourceEvents> implements LocalSource {
  status: SourceStatus = 'on';
  readonly expected = false;
  track: MediaStreamTrack | null = null;
  deviceId: string | null;
  constructor(
    readonly source: 'microphone' | 'camera',
    private readonly changed: () => void,
    private readonly make: () => MediaStreamTrack | null,
  ) {
    super();
    this.deviceId = `${source}-1`;
    this.track = make();
  }
  private become(status: SourceStatus): void {
    this.status = status;
    this.track =
      status === 'on' || (status === 'muted' && this.source === 'microphone') ? (this.track ?? this.make()) : null;
    this.emit('change', undefined);
    this.changed();
  }
  async start(): Promise<void> {
    this.become('on');
  }
  stop(): void {
    this.become(this.source === 'microphone' ? 'muted' : 'off');
  }
  async toggle(): Promise<void> {
    if (this.status === 'on') this.stop();
    else await this.start();
  }
  async use(id: string): Promise<void> {
    this.deviceId = id;
    this.changed();
  }
  level(): number {
    return 0.45 + 0.2 * Math.sin(performance.now() / 300);
  }
  set(status: SourceStatus): this {
    this.status = status;
    if (status !== 'on' && status !== 'muted') this.track = null;
    return this;
  }
}

class FakeScreen extends FakeEmitter<LocalSourceEvents> {
  supported = true;
  status: SourceStatus = 'off';
  track: MediaStreamTrack | null = null;
  audioTrack = null;
  kind: 'text' | 'motion' = 'text';
  constructor(private readonly changed: () => void) {
    super();
  }
  async start(kind: 'text' | 'motion'): Promise<void> {
    this.kind = kind;
    this.status = 'on';
    this.changed();
  }
  stop(): void {
    this.status = 'off';
    this.changed();
  }
}

const device = (id: string, label: string): Device => ({id, label});

export class FakeMedia extends FakeEmitter<LocalMediaEvents> implements LocalMedia {
  readonly microphone: FakeSource;
  readonly camera: FakeSource;
  readonly screen: FakeScreen;
  microphones = [device('microphone-1', 'Built-in microphone'), device('microphone-2', 'Jabra Link 380')];
  cameras = [device('camera-1', 'FaceTime HD Camera')];
  speakers = [device('speaker-1', 'MacBook Pro speakers'), device('speaker-2', 'Jabra Link 380')];
  canChooseSpeaker = true;
  speakerId = '';

  constructor(sound: () => MediaStreamTrack | null, picture: () => MediaStreamTrack | null) {
    super();
    const changed = (): void => this.emit('change', undefined);
    this.microphone = new FakeSource('microphone', changed, sound);
    this.camera = new FakeSource('camera', changed, picture);
    this.screen = new FakeScreen(changed);
  }
  attach(): () => void {
    return () => undefined;
  }
  async useSpeaker(id: string): Promise<void> {
    this.speakerId = id;
    this.emit('change', undefined);
  }
  async testTone(): Promise<void> {}
  async ask(): Promise<void> {}
  close(): void {}
}

/** Transfers that stand still, in any state. */
export class FakeFiles extends FakeEmitter<FilesEvents> implements Files {
  list: Transfer[] = [];

  put(change: Partial<Transfer> & {name: string; sizes: number[]}): void {
    const {sizes, ...rest} = change;
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const folder = sizes.length > 1 ? `${change.name}/` : '';
    const hash = change.state === 'done' ? 'b1946ac92492d2347c6235b4d2611184d7e1a3c0f4c1f35e9f9a51d3b8c0a9e2' : null;
    this.list.push({
      id: `t${this.list.length}`,
      direction: 'in',
      seat: 'seat-2',
      person: 'Ann Okafor',
      files: sizes.map((size, i) => ({path: folder ? `${folder}bed ${i + 1}.jpg` : change.name, size, hash})),
      total,
      bytes: 0,
      at: Date.UTC(2026, 10, 21, 9, 43),
      state: 'moving',
      mine: false,
      pausedBy: 'nobody',
      reason: '',
      obstacle: null,
      speedBps: 0,
      leftMs: null,
      reopens: false,
      saved: false,
      freed: false,
      carried: 0,
      ...rest,
    });
  }
  offer(): readonly Transfer[] {
    return [];
  }
  async accept(): Promise<void> {}
  refuse(): void {}
  pause(): void {}
  resume(): void {}
  cancel(): void {}
  async retry(): Promise<void> {}
  redirect(): void {}
  content(): Blob | null {
    return null;
  }
  async save(): Promise<void> {}
  markSaved(): void {}
  remove(id: string): void {
    this.list = this.list.filter((one) => one.id !== id);
    this.emit('list', this.list);
  }
  close(): void {}
}

class FakeNetwork extends FakeEmitter<{change: NetworkVerdict}> implements Network {
  verdict: NetworkVerdict = {kind: 'udp', directLikely: true};
  check(): void {
    this.verdict = {kind: 'checking', directLikely: false};
    this.emit('change', this.verdict);
  }
}

export class FakeRoom extends FakeEmitter<RoomEvents> implements Room {
  name = 'garden-table';
  status: RoomStatus = 'lobby';
  ending: Ending | null = null;
  online = true;
  info: RoomState | null = {name: 'garden-table', exists: true, may: 'join', role: 'speaker'};
  people: FakePerson[] = [];
  chat: ChatMessage[] = [];
  readonly network = new FakeNetwork();
  readonly channels = new Channels();
  readonly control = this.channels.control;
  previous: {id: string; name: string} | null = null;
  call: {id: string; token: string} | null = null;
  waitingWords = '';
  topology: Topology | null = null;
  speakers: readonly string[] = [];
  /** What the page said that it shows. */
  shown: readonly object[] = [];
  show(wants: readonly object[]): void {
    this.shown = wants;
  }

  get me(): FakePerson | null {
    return this.people.find((p) => p.isMe) ?? null;
  }
  warm(): void {}
  async join(): Promise<void> {
    this.become('joined');
  }
  retry(): void {}
  leave(): void {
    this.become('lobby');
  }
  close(): void {}
  become(status: RoomStatus): void {
    this.status = status;
    this.emit('status', status);
  }
  sendChat(text: string): ChatMessage {
    const message = {
      id: `m${this.chat.length}`,
      from: 'seat-1',
      name: 'Robin',
      text,
      at: Date.now(),
      mine: true,
      sent: false,
      unsaved: false,
    };
    this.chat = [...this.chat, message];
    this.emit('chat', message);
    return message;
  }
  readonly hasEarlier = false;
  async earlier(): Promise<void> {}
  readonly transfers = new FakeFiles();
  async files(): Promise<Files> {
    return this.transfers;
  }
  /** What others say on the data that the page opened last. */
  heard = new FakeEmitter<RoomDataEvents>();
  data(label: string): RoomData {
    const data = new DataHub(this.channels).open(label, {});
    data.on = this.heard.on.bind(this.heard);
    return data;
  }
  async keepHistory(history: History): Promise<void> {
    this.change({history});
  }
  private change(info: Partial<RoomState>): void {
    if (this.info) this.info = {...this.info, ...info};
    if (this.info) this.emit('info', this.info);
  }
  async lock(locked: boolean): Promise<void> {
    this.change({locked});
  }
  async waitingRoom(waitingRoom: boolean): Promise<void> {
    this.change({waitingRoom});
  }
  async admit(): Promise<void> {}
  async mute(): Promise<void> {}
  async remove(): Promise<void> {}
  async hand(up: boolean, {id}: {id: string} = this.me ?? {id: ''}): Promise<void> {
    const last = Math.max(0, ...this.people.map((p) => p.hand ?? 0));
    const person = this.people.find((p) => p.id === id);
    if (person) person.hand = up ? last + 1 : null;
    person?.emit('change', undefined);
    this.emit('people', this.people);
  }
  async react(kind: ReactionKind): Promise<void> {
    if (this.me) this.emit('reaction', {person: this.me, kind});
  }
  async speak(): Promise<void> {}
  async muteAll(): Promise<void> {}
  async role(): Promise<void> {}
  async invite(): Promise<void> {}
  async setTopology(): Promise<void> {}
}
