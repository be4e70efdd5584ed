import type {DeviceEvent, SourceStatus} from './api.js';
import {permissionFor} from './capture.js';
import {type Action, nothing, type Source, type SourceEvent, step} from './failover.js';
import {arrived, hides, inventory, type Known} from './inventory.js';
import type {Capture} from './source.js';
import type {Speaker} from './speaker.js';

/** A device that is silent for less than this was only slow, in milliseconds. */
const silentMs = 1_000;

/** How long a fresh list is waited for, in milliseconds. */
const lookMs = 1_000;

type Kind = 'microphone' | 'camera';
const kinds: Record<Kind | 'speaker', MediaDeviceKind> = {
  microphone: 'audioinput',
  camera: 'videoinput',
  speaker: 'audiooutput',
};

/** What the guard asks of the devices it looks after. */
export interface GuardPort {
  readonly microphone: Capture;
  readonly camera: Capture;
  readonly speaker: Speaker;
  /** Has the browser list its devices again, for `list`. */
  look(): Promise<void>;
  tell(event: DeviceEvent): void;
}

/** Looks after the devices of a page: takes the next one when one fails, and tells what it did. */
export class Guard {
  readonly #wards: Record<Kind, Ward>;
  #list: readonly Known[] = [];
  readonly #release: (() => void)[] = [];
  readonly #wake = () => {
    if (document.visibilityState === 'visible') for (const ward of this.#all) ward.wake();
  };

  constructor(readonly port: GuardPort) {
    this.#wards = {microphone: new Ward(port.microphone, port), camera: new Ward(port.camera, port)};
    for (const [name, target] of [
      ['visibilitychange', document],
      ['resume', document],
      ['pageshow', window],
    ] as const) {
      target.addEventListener(name, this.#wake);
      this.#release.push(() => target.removeEventListener(name, this.#wake));
    }
  }

  get #all(): Ward[] {
    return Object.values(this.#wards);
  }

  of(kind: Kind): Ward {
    return this.#wards[kind];
  }

  /** Takes what the browser lists now. */
  list(found: readonly MediaDeviceInfo[]): void {
    const before = this.#list;
    this.#list = inventory(found);
    const fresh = before.length > 0 ? arrived(before, this.#list) : [];
    for (const ward of this.#all) ward.list(this.#list);
    this.#hear(before, fresh);
    this.#offer(fresh);
  }

  close(): void {
    for (const release of this.#release) release();
    for (const ward of this.#all) ward.close();
  }

  /** The chosen speaker went or came back. */
  #hear(before: readonly Known[], fresh: readonly Known[]): void {
    const {speaker} = this.port;
    const outputs = this.#list.filter((d) => d.kind === kinds.speaker && d.label !== '');
    if (!speaker.choosable || speaker.chosen === '' || outputs.length === 0) return;
    const find = (list: readonly Known[]) => list.find((d) => d.kind === kinds.speaker && d.id === speaker.chosen);
    const device = find(outputs);
    if (!device === (speaker.id === '')) return;
    void speaker.notice(device !== undefined);
    if (!device) this.#tell('switched', 'speaker', null, find(before) ?? null);
    else if (fresh.includes(device)) this.#tell('returned', 'speaker', device, null);
  }

  /** Offers what was plugged in and is of use, both ends of a headset in one word. */
  #offer(fresh: readonly Known[]): void {
    const {port} = this;
    const useful = fresh.filter(({kind, id}) => {
      if (kind === kinds.speaker) return port.speaker.choosable && port.speaker.chosen !== id;
      const source = kind === kinds.microphone ? 'microphone' : 'camera';
      return this.#wards[source].running && port[source].chosen !== id && port[source].deviceId !== id;
    });
    const [first] = useful;
    if (!first) return;
    const together = useful.filter((d) => d === first || (d.group !== '' && d.group === first.group));
    const ids: NonNullable<DeviceEvent['ids']> = {};
    for (const [source, kind] of Object.entries(kinds)) {
      const end = together.find((d) => d.kind === kind);
      if (end) ids[source as Kind | 'speaker'] = end.id;
    }
    const sources = Object.keys(ids) as (Kind | 'speaker')[];
    port.tell({kind: 'offered', sources, device: {id: first.id, label: first.label}, before: null, ids});
  }

  #tell(kind: DeviceEvent['kind'], source: Kind | 'speaker', device: Known | null, before: Known | null): void {
    this.port.tell({kind, sources: [source], device: plain(device), before: plain(before)});
  }
}

function plain(known: Known | null): DeviceEvent['device'] {
  return known && {id: known.id, label: known.label};
}

/** One source under guard: carries out what the state machine says. */
class Ward {
  #state: Source;
  readonly #queue: SourceEvent[] = [];
  #busy = false;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #silent = false;
  #permission: PermissionStatus | null = null;
  /** What the browser said about the permission while the device ran. */
  #granted: PermissionState | null = null;

  constructor(
    readonly capture: Capture,
    readonly port: Pick<GuardPort, 'look' | 'tell'>,
  ) {
    this.#state = {...nothing, chosen: capture.chosen};
    void this.#heed();
  }

  /** Whether a device runs. */
  get running(): boolean {
    return this.#state.phase === 'live';
  }

  feed(event: SourceEvent): void {
    this.#queue.push(event);
    if (this.#busy) return; // what an action causes comes after it
    this.#busy = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const [state, actions] = step(this.#state, next);
      this.#state = state;
      if (state.phase !== 'waiting') clearTimeout(this.#pause);
      for (const action of actions) this.#act(action);
    }
    this.#busy = false;
  }

  list(all: readonly Known[]): void {
    const list = all.filter((d) => d.kind === kinds[this.capture.source]);
    const {using, phase} = this.#state;
    this.feed({type: 'list', list});
    // Some browsers take their time to end the track of a device that is gone.
    if (phase !== 'live' || !using || hides(list, using.kind)) return;
    if (!list.some((d) => d.id === using.id)) this.capture.lose();
  }

  /** A track runs: what was wrong with the one before is over. */
  live(track: MediaStreamTrack): void {
    const {deviceId: id = '', groupId: group = ''} = track.getSettings();
    clearTimeout(this.#silence);
    this.#silent = false;
    void permissionFor(this.capture.source).then((state) => {
      this.#granted = state;
    });
    const device = {kind: kinds[this.capture.source], id, group, label: track.label};
    this.feed({type: 'live', device, at: performance.now()});
  }

  /** The track ended. */
  async ended(): Promise<void> {
    // The news of a device that ends is often faster than that of the list, which a hidden page may not get at all.
    const enough = new Promise((resolve) => setTimeout(resolve, lookMs));
    const [permission] = await Promise.all([this.#allowed(), Promise.race([this.port.look(), enough])]);
    const {using, list} = this.#state;
    const present = using !== null && (hides(list, using.kind) || list.some((d) => d.id === using.id));
    this.feed({type: 'ended', present, permission, at: performance.now()});
  }

  /** The permission, if it tells anything: Firefox allows a device for a while and still says that it would ask. */
  async #allowed(): Promise<PermissionState | null> {
    const state = await permissionFor(this.capture.source);
    return state === 'prompt' && this.#granted !== 'granted' ? null : state;
  }

  async refused(status: SourceStatus): Promise<void> {
    this.feed({type: 'refused', status, permission: await permissionFor(this.capture.source)});
  }

  /** The system keeps the device silent, or lets it go again. A moment of it is not worth a word. */
  silenced(is: boolean): void {
    clearTimeout(this.#silence);
    if (is === this.#silent) return;
    const become = () => {
      this.#silent = is;
      this.capture.hold(is);
      if (this.capture.wanted) this.#tell(is ? 'silenced' : 'heard', null, this.#state.using);
    };
    if (is) this.#silence = setTimeout(become, silentMs);
    else become();
  }

  wake(): void {
    if (this.capture.track?.readyState === 'ended') this.capture.lose();
    this.feed({type: 'woke'});
  }

  close(): void {
    clearTimeout(this.#pause);
    clearTimeout(this.#silence);
    if (this.#permission) this.#permission.onchange = null;
  }

  /** Listens to the permission, where the browser lets it be heard. */
  async #heed(): Promise<void> {
    try {
      this.#permission = await navigator.permissions.query({name: this.capture.source as PermissionName});
    } catch {
      return;
    }
    const permission = this.#permission;
    permission.onchange = () => {
      const {phase} = this.#state;
      this.feed({type: 'permission', state: permission.state});
      // Refused before anybody looked after it, and allowed now: what was asked for is taken.
      const {wanted, status} = this.capture;
      const said = status === 'denied' || status === 'dismissed';
      if (permission.state === 'granted' && phase === 'idle' && wanted && said) void this.capture.start();
    };
  }

  #act(action: Action): void {
    switch (action.do) {
      case 'ask':
        void this.#ask(action.id);
        break;
      case 'wait':
        // Jitter, so that two pages that lost the same device do not ask in step for ever.
        this.#pause = setTimeout(() => this.feed({type: 'due'}), action.ms * (0.8 + 0.4 * Math.random()));
        break;
      case 'status':
        this.capture.fail(action.status);
        break;
      case 'tell':
        this.#tell(action.kind, action.device, action.before);
    }
  }

  async #ask(id: string): Promise<void> {
    const status = await this.capture.retake(id);
    if (status) await this.refused(status);
    // What ran before may have ended while another one was tried.
    if (this.running && this.capture.track?.readyState !== 'live') this.capture.lose();
  }

  #tell(kind: DeviceEvent['kind'], device: Known | null, before: Known | null): void {
    this.port.tell({kind, sources: [this.capture.source], device: plain(device), before: plain(before)});
  }
}
