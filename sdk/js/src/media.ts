import type {Device, LocalMedia, LocalMediaEvents} from './api.js';
import {canCapture, permissionFor} from './capture.js';
import {Events} from './emitter.js';
import type {Guard} from './guard.js';
import {SpeechDetector} from './level.js';
import {pageStore, type Store} from './memory.js';
import {Screen} from './screen.js';
import {Capture, type Watch} from './source.js';
import {Speaker} from './speaker.js';

export interface MediaOptions {
  /** Where chosen devices are remembered, localStorage by default; null remembers nothing. */
  storage?: Store | null;
}

/** Opens the devices of this machine. Nothing is asked until a source is started. */
export function openMedia(options: MediaOptions = {}): LocalMedia {
  return new Devices(options.storage === undefined ? pageStore('localStorage') : options.storage);
}

/** Names devices for people; labels are hidden until a permission is given. */
export function named(found: readonly MediaDeviceInfo[], kind: MediaDeviceKind, word: string): Device[] {
  return found
    .filter((d) => d.kind === kind && d.deviceId !== 'communications')
    .map(({deviceId, label}, index) => ({id: deviceId, label: label || `${word} ${index + 1}`}));
}

class Devices extends Events<LocalMediaEvents> implements LocalMedia {
  readonly microphone: Capture;
  readonly camera: Capture;
  readonly screen = new Screen();
  #microphones: readonly Device[] = [];
  #cameras: readonly Device[] = [];
  #speakers: readonly Device[] = [];
  #context: AudioContext | null = null;
  #listening: ReturnType<typeof setInterval> | undefined;
  readonly #speech = new SpeechDetector();
  readonly #speaker: Speaker;
  readonly #refresh = () => void this.#list();
  #found: readonly MediaDeviceInfo[] = [];
  #guard: Promise<Guard | null> | null = null;
  #closed = false;

  constructor(store: Store | null) {
    super();
    const contexts = () => this.#audio();
    this.microphone = new Capture('microphone', store, contexts, this.#watch('microphone'));
    this.camera = new Capture('camera', store, contexts, this.#watch('camera'));
    this.#speaker = new Speaker(store);
    for (const source of [this.microphone, this.camera, this.screen]) source.on('change', () => this.#changed());
    if (!canCapture()) return;
    navigator.mediaDevices.addEventListener('devicechange', this.#refresh);
    this.#refresh();
  }

  get microphones(): readonly Device[] {
    return this.#microphones;
  }
  get cameras(): readonly Device[] {
    return this.#cameras;
  }
  get speakers(): readonly Device[] {
    return this.#speakers;
  }
  get canChooseSpeaker(): boolean {
    return this.#speaker.choosable;
  }
  get speakerId(): string {
    return this.#speaker.id;
  }

  attach(element: HTMLMediaElement): () => void {
    return this.#speaker.attach(element);
  }

  async useSpeaker(deviceId: string): Promise<void> {
    await this.#speaker.use(deviceId);
    this.emit('devices', undefined);
  }

  testTone(): Promise<void> {
    return this.#speaker.test(() => this.#audio());
  }

  async ask(want: {microphone: boolean; camera: boolean}, again = false): Promise<void> {
    const {microphone, camera} = this;
    if (again && want.microphone) microphone.expect();
    if (again && want.camera) camera.expect();
    const both = want.microphone && want.camera && canCapture() && !microphone.settled && !camera.settled;
    if (!both) {
      await Promise.all([want.microphone && microphone.start(), want.camera && camera.start()]);
      return;
    }
    const question = navigator.mediaDevices.getUserMedia({
      audio: microphone.constraints({id: microphone.deviceId, exact: false}),
      video: camera.constraints({id: camera.deviceId, exact: false}),
    });
    const part = (kind: 'audio' | 'video') =>
      question.then(
        (stream) => ({track: stream.getTracks().find((t) => t.kind === kind) ?? null, error: null}),
        (error: unknown) => ({track: null, error}),
      );
    await Promise.all([microphone.join(part('audio')), camera.join(part('video'))]);
    if (microphone.track || microphone.status === 'off') return;
    // One that is missing, taken or refused for good spoils the question for both. Who just said no is not asked twice.
    const permissions = await Promise.all([permissionFor('microphone'), permissionFor('camera')]);
    const saidNo = microphone.status === 'denied' || microphone.status === 'dismissed';
    if (saidNo && !permissions.includes('denied')) return;
    for (const [index, source] of [microphone, camera].entries()) {
      if (permissions[index] !== 'denied') await source.start();
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#listening);
    this.microphone.close();
    this.camera.close();
    this.screen.stop();
    if (canCapture()) navigator.mediaDevices.removeEventListener('devicechange', this.#refresh);
    void this.#context?.close();
    this.#context = null;
    void this.#guard?.then((guard) => guard?.close());
  }

  /** What the guard hears of a source. Its code comes when there is something to guard. */
  #watch(kind: 'microphone' | 'camera'): Watch {
    const on = (act: (guard: Guard) => unknown) => void this.#guarded().then((guard) => guard && act(guard));
    return {
      live: (track) => on((g) => g.of(kind).live(track)),
      idle: () => this.#guard && on((g) => g.of(kind).feed({type: 'idle'})),
      ended: () => {
        void this.#guarded().then((guard) => (guard ? guard.of(kind).ended() : this[kind].start()));
        return true;
      },
      refused: (status) => on((g) => g.of(kind).refused(status)),
      silenced: (is) => on((g) => g.of(kind).silenced(is)),
      chosen: (id) => this.#guard && on((g) => g.of(kind).feed({type: 'chosen', id})),
    };
  }

  /** The guard; null where its code cannot be had, or nobody needs it any more. */
  #guarded(): Promise<Guard | null> {
    this.#guard ??= import('./guard.js').then(
      ({Guard}) => {
        if (this.#closed) return null;
        const {microphone, camera} = this;
        const guard = new Guard({
          microphone,
          camera,
          speaker: this.#speaker,
          look: () => this.#list(),
          tell: (event) => this.emit('device', event),
        });
        guard.list(this.#found);
        return guard;
      },
      () => null,
    );
    return this.#guard;
  }

  #audio(): AudioContext | null {
    if (!this.#context && typeof AudioContext !== 'undefined') this.#context = new AudioContext();
    return this.#context;
  }

  #changed(): void {
    this.emit('change', undefined);
    this.#refresh(); // a permission that was given uncovers the labels
    const muted = this.microphone.status === 'muted';
    if (muted === (this.#listening !== undefined)) return;
    clearInterval(this.#listening);
    this.#speech.reset();
    this.#listening = muted ? setInterval(() => this.#overhear(), 100) : undefined;
  }

  #overhear(): void {
    if (this.#speech.look(this.microphone.level(), performance.now())) this.emit('speakingWhileMuted', undefined);
  }

  async #list(): Promise<void> {
    if (!canCapture()) return;
    let found: MediaDeviceInfo[];
    try {
      found = await navigator.mediaDevices.enumerateDevices();
    } catch {
      return; // the lists stay as they were
    }
    this.#found = found;
    (await this.#guard)?.list(found);
    const lists = [
      named(found, 'audioinput', 'Microphone'),
      named(found, 'videoinput', 'Camera'),
      this.canChooseSpeaker ? named(found, 'audiooutput', 'Speaker') : [],
    ] as const;
    if (JSON.stringify(lists) === JSON.stringify([this.#microphones, this.#cameras, this.#speakers])) return;
    [this.#microphones, this.#cameras, this.#speakers] = lists;
    this.emit('devices', undefined);
  }
}
