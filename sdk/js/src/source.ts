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

/** Who hears what becomes of a source, to help where the browser does not. */
export interface Watch {
  /** A track runs on this device. */
  live(track: MediaStreamTrack): void;
  /** Off by the person's will, or closed. */
  idle(): void;
  /** The track ended by itself. Returns false when nobody looks for another device. */
  ended(): boolean;
  /** The browser gave nothing. */
  refused(status: SourceStatus): void;
  /** The system or another program keeps the device silent or dark, or no longer does. */
  silenced(is: boolean): void;
  /** The person chose a device. */
  chosen(id: string): void;
}

interface Answer {
  track: MediaStreamTrack | null;
  error: unknown;
}

/** A microphone or a camera. At most one question to the browser is open; the newest wish decides what becomes of it. */
export class Capture extends Events<LocalSourceEvents> implements LocalSource {
  #status: SourceStatus = 'off';
  #track: MediaStreamTrack | null = null;
  #meter: Meter | null = null;
  #chosen: string | null;
  #using: string | null = null;
  #held = false;
  #wanted = false;
  #open = false; // a device is held, or looked for
  #closed = false;
  #choices = 0;
  #asking: Promise<unknown> | null = null;
  #expected: ReturnType<typeof setTimeout> | null = null;
  readonly #key: string;

  constructor(
    readonly source: 'microphone' | 'camera',
    readonly store: Store | null,
    readonly contexts: AudioContexts,
    readonly watch: Watch | null = null,
  ) {
    super();
    this.#key = `parley.device.${source}`;
    this.#chosen = recall(store, this.#key);
  }

  get status(): SourceStatus {
    return this.#status;
  }
  get track(): MediaStreamTrack | null {
    return this.#track;
  }
  get deviceId(): string | null {
    return this.#using ?? this.#chosen;
  }
  /** The device that the person chose at some time. */
  get chosen(): string | null {
    return this.#chosen;
  }
  /** Whether the person wants it on. */
  get wanted(): boolean {
    return this.#wanted;
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
      this.#set(this.#held ? 'held' : 'on');
      return;
    }
    await (this.#asking ?? this.#ask({id: this.#chosen, exact: false}));
  }

  stop(): void {
    this.#wanted = false;
    this.#unexpect();
    if (this.#track && this.source === 'microphone') {
      this.#track.enabled = false; // silent at once, whatever the senders still do
      this.#set('muted');
      return;
    }
    this.#shut();
    if (this.#status !== 'asking') this.#set('off');
  }

  toggle(): Promise<void> {
    if (this.#wanted && !troubled(this.#status)) {
      this.stop();
      return Promise.resolve();
    }
    return this.start();
  }

  async use(deviceId: string): Promise<void> {
    const choice = ++this.#choices;
    this.#remember(deviceId);
    this.watch?.chosen(deviceId);
    await this.#asking;
    if (choice !== this.#choices || this.#closed) return; // a newer one came meanwhile
    // What is off stays off; a muted microphone changes, to be there when it is needed, and another one may do better
    // than the one that is missing or taken.
    if (this.#track || this.#wanted) await this.#ask({id: deviceId, exact: true});
    else this.emit('change', undefined);
  }

  /**
   * Takes exactly this device, or any when the id is empty, for somebody who looks after the source: what is chosen stays chosen, and what runs goes
   * on until the other one does. Resolves with the refusal, or null when there was none.
   */
  async retake(id: string): Promise<SourceStatus | null> {
    await this.#asking;
    if (this.#closed || !(this.#open || this.#wanted)) return null;
    return this.#await(this.#capture({id: id || this.#chosen, exact: id !== ''}), true);
  }

  /** Says how things stand when no device can be had. */
  fail(status: SourceStatus): void {
    if (!this.#wanted) this.#shut();
    this.#let(null);
    this.#set(this.#wanted ? status : 'off', true);
  }

  /** Takes what the system does to the device: live, but nothing comes. */
  hold(held: boolean): void {
    this.#held = held;
    if (this.#track && this.#wanted) this.#set(held ? 'held' : 'on');
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
  async join(result: Promise<Answer>): Promise<void> {
    this.#wanted = true;
    await this.#await(result);
  }

  /** Lets go for good: a question that is still open comes to nothing. */
  close(): void {
    this.#closed = true;
    this.#wanted = false;
    this.#shut();
    this.#set('off');
  }

  #shut(): void {
    this.#open = false;
    this.#let(null);
    this.watch?.idle();
  }

  async #ask(choice: Choice): Promise<void> {
    const status = await this.#await(this.#capture(choice));
    if (status && this.#wanted && !this.#track) this.watch?.refused(status);
  }

  /** Asks the browser. A device of choice that cannot be had leaves the old one as it is. */
  async #capture(choice: Choice): Promise<Answer> {
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

  #await(result: Promise<Answer>, quiet = this.#track !== null): Promise<SourceStatus | null> {
    if (!quiet) this.#set('asking');
    const asking = this.#take(result, quiet).finally(() => {
      if (this.#asking === asking) this.#asking = null;
    });
    this.#asking = asking;
    return asking;
  }

  /** Takes an answer of the browser. Returns the refusal when there is no device now; null when there is one. */
  async #take(result: Promise<Answer>, quiet: boolean): Promise<SourceStatus | null> {
    const {track, error} = await result;
    if (this.#closed) {
      discard(track);
      return null;
    }
    if (!track) {
      const status = refusal(error, await permissionFor(this.source), canCapture());
      // The old device goes on when the new one cannot be had.
      if (this.#track?.readyState === 'live') this.emit('change', undefined);
      else if (!this.#wanted) this.#set('off');
      else if (!quiet) this.#set(status);
      return status;
    }
    if (!this.#wanted && this.source === 'camera') {
      discard(track);
      this.#set('off');
      return null;
    }
    this.#let(track);
    this.#open = true;
    const id = track.getSettings().deviceId ?? '';
    if (id && this.#chosen === null) this.#remember(id);
    this.#using = id || null;
    track.enabled = this.#wanted;
    track.onended = () => this.lose();
    track.onmute = () => this.watch?.silenced(true);
    track.onunmute = () => this.watch?.silenced(false);
    this.#set(this.#wanted ? 'on' : 'muted', true);
    this.watch?.live(track);
    if (track.muted) this.watch?.silenced(true);
    return null;
  }

  /** The device was unplugged or taken, or the permission was taken back. */
  lose(): void {
    if (!this.#track) return;
    this.#let(null);
    const helped = this.watch?.ended() ?? false;
    if (helped && this.#wanted) {
      // The next one is there in a moment: nobody need see it go and come again.
      this.expect();
      this.#set('switching');
    } else if (!helped && this.#wanted) void this.#ask({id: null, exact: false});
    else if (!helped) this.fail('off');
  }

  /** Replaces the track; the one before is released. */
  #let(track: MediaStreamTrack | null): void {
    discard(this.#track);
    this.#using = null;
    this.#held = false;
    this.#meter?.close();
    this.#track = track;
    this.#meter = track?.kind === 'audio' ? new Meter(track, this.contexts()) : null;
  }

  #remember(id: string): void {
    this.#chosen = id;
    remember(this.store, this.#key, id);
  }

  #unexpect(): void {
    if (this.#expected) clearTimeout(this.#expected);
    this.#expected = null;
  }

  #set(status: SourceStatus, changed = false): void {
    if (status !== 'asking' && status !== 'switching') this.#unexpect();
    if (status === this.#status && !changed) return;
    this.#status = status;
    this.emit('change', undefined);
  }
}

/** Whether pressing the button means "try again" and not "turn it off". */
function troubled(status: SourceStatus): boolean {
  return !['on', 'held', 'asking', 'switching'].includes(status);
}
