import type {LocalSource, LocalSourceEvents, SourceStatus} from './api.js';
import {
  type Choice,
  cameraConstraints,
  canCapture,
  discard,
  microphoneConstraints,
  permissionFor,
  refusal,
} from './capture.js';
import {Events} from './emitter.js';
import {recall, remember, type Store} from './memory.js';
import {type AudioContexts, Meter} from './meter.js';

/** How long a device that was on before a reload may take to be on again before the others are told that it is not. */
const expectMs = 3_000;

/** A microphone or a camera. At most one question to the browser is open; the newest wish decides what becomes of it. */
export class Capture extends Events<LocalSourceEvents> implements LocalSource {
  #status: SourceStatus = 'off';
  #track: MediaStreamTrack | null = null;
  #meter: Meter | null = null;
  #deviceId: string | null;
  #wanted = false;
  #closed = false;
  #choices = 0;
  #asking: Promise<void> | null = null;
  #expected: ReturnType<typeof setTimeout> | null = null;
  readonly #key: string;

  constructor(
    readonly source: 'microphone' | 'camera',
    readonly store: Store | null,
    readonly contexts: AudioContexts,
  ) {
    super();
    this.#key = `parley.device.${source}`;
    this.#deviceId = recall(store, this.#key);
  }

  get status(): SourceStatus {
    return this.#status;
  }
  get track(): MediaStreamTrack | null {
    return this.#track;
  }
  get deviceId(): string | null {
    return this.#deviceId;
  }
  get expected(): boolean {
    return this.#expected !== null;
  }
  /** Whether a question for it is open, or it is live: nothing to ask for. */
  get settled(): boolean {
    return this.#track !== null || this.#asking !== null;
  }

  async start(): Promise<void> {
    if (this.#closed) return;
    this.#wanted = true;
    if (this.#track) {
      this.#track.enabled = true;
      this.#set('on');
      return;
    }
    await (this.#asking ?? this.#ask({id: this.#deviceId, exact: false}));
  }

  stop(): void {
    this.#wanted = false;
    this.#unexpect();
    if (this.#track && this.source === 'microphone') {
      this.#track.enabled = false; // silent at once, whatever the senders still do
      this.#set('muted');
      return;
    }
    this.#let(null);
    if (this.#status !== 'asking') this.#set('off');
  }

  toggle(): Promise<void> {
    if (this.#wanted && (this.#status === 'on' || this.#status === 'asking')) {
      this.stop();
      return Promise.resolve();
    }
    return this.start();
  }

  async use(deviceId: string): Promise<void> {
    const choice = ++this.#choices;
    this.#remember(deviceId);
    await this.#asking;
    if (choice !== this.#choices || this.#closed) return; // a newer one came meanwhile
    // What is off stays off; a muted microphone changes, to be there when it is needed, and another one may do better
    // than the one that is missing or taken.
    if (this.#track || this.#wanted) await this.#ask({id: deviceId, exact: true});
    else this.emit('change', undefined);
  }

  level(): number {
    return this.#meter?.level() ?? 0;
  }

  /** Counts as there until the answer comes, `expectMs` at most. */
  expect(): void {
    this.#unexpect();
    this.#expected = setTimeout(() => {
      this.#unexpect();
      this.emit('change', undefined);
    }, expectMs);
  }

  constraints(choice: Choice): MediaTrackConstraints {
    return this.source === 'microphone' ? microphoneConstraints(choice) : cameraConstraints(choice);
  }

  /** Takes part in a question that somebody else asks for both devices; `result` never rejects. */
  join(result: Promise<{track: MediaStreamTrack | null; error: unknown}>): Promise<void> {
    this.#wanted = true;
    return this.#await(result);
  }

  /** Lets go for good: a question that is still open comes to nothing. */
  close(): void {
    this.#closed = true;
    this.#wanted = false;
    this.#let(null);
    this.#set('off');
  }

  #ask(choice: Choice): Promise<void> {
    return this.#await(this.#capture(choice));
  }

  /** Asks the browser. A device of choice that cannot be had leaves the old one as it is. */
  async #capture(choice: Choice): Promise<{track: MediaStreamTrack | null; error: unknown}> {
    if (!canCapture()) return {track: null, error: null};
    const kind = this.source === 'microphone' ? 'audio' : 'video';
    try {
      const stream = await navigator.mediaDevices.getUserMedia({[kind]: this.constraints(choice)});
      return {track: stream.getTracks()[0] ?? null, error: null};
    } catch (error) {
      if (!choice.exact || !this.#track || refusal(error, null, true) !== 'busy') return {track: null, error};
      // Phones open one camera at a time: let go of the old device, then try once more, and take any rather than none.
      this.#let(null);
      const {track} = await this.#capture(choice);
      return track ? {track, error: null} : this.#capture({id: null, exact: false});
    }
  }

  #await(result: Promise<{track: MediaStreamTrack | null; error: unknown}>): Promise<void> {
    const replacing = this.#track !== null;
    if (!replacing) this.#set('asking');
    const asking = this.#take(result, replacing).finally(() => {
      if (this.#asking === asking) this.#asking = null;
    });
    this.#asking = asking;
    return asking;
  }

  async #take(result: Promise<{track: MediaStreamTrack | null; error: unknown}>, replacing: boolean): Promise<void> {
    const {track, error} = await result;
    if (this.#closed) {
      discard(track);
      return;
    }
    if (!track) {
      // The old device goes on when the new one cannot be had.
      if (replacing && this.#track?.readyState === 'live') this.emit('change', undefined);
      else this.#set(refusal(error, await permissionFor(this.source), canCapture()));
      return;
    }
    if (!this.#wanted && this.source === 'camera') {
      discard(track);
      this.#set('off');
      return;
    }
    this.#let(track);
    const id = track.getSettings().deviceId;
    if (id) this.#remember(id);
    track.enabled = this.#wanted;
    track.onended = () => void this.#lost();
    this.#set(this.#wanted ? 'on' : 'muted', true);
  }

  /** The device was unplugged, or the permission taken back. */
  async #lost(): Promise<void> {
    this.#let(null);
    if (!this.#wanted) {
      this.#set('off');
      return;
    }
    await this.#ask({id: null, exact: false});
  }

  /** Replaces the track; the one before is released. */
  #let(track: MediaStreamTrack | null): void {
    discard(this.#track);
    this.#meter?.close();
    this.#track = track;
    this.#meter = track?.kind === 'audio' ? new Meter(track, this.contexts()) : null;
  }

  #remember(id: string): void {
    this.#deviceId = id;
    remember(this.store, this.#key, id);
  }

  #unexpect(): void {
    if (this.#expected) clearTimeout(this.#expected);
    this.#expected = null;
  }

  #set(status: SourceStatus, changed = false): void {
    if (status !== 'asking') this.#unexpect();
    if (status === this.#status && !changed) return;
    this.#status = status;
    this.emit('change', undefined);
  }
}
