import type {LocalSourceEvents, ScreenSource, SourceStatus} from './api.js';
import {canCapture, discard, refusal} from './capture.js';
import {Events} from './emitter.js';

/** Options that browsers know and the DOM types do not. */
interface Wishes extends DisplayMediaStreamOptions {
  systemAudio?: 'include' | 'exclude';
  surfaceSwitching?: 'include' | 'exclude';
}

/** The shared screen, with its sound where the browser gives it. */
export class Screen extends Events<LocalSourceEvents> implements ScreenSource {
  #status: SourceStatus = 'off';
  #track: MediaStreamTrack | null = null;
  #audioTrack: MediaStreamTrack | null = null;
  #kind: 'text' | 'motion' = 'text';
  #questions = 0;

  get supported(): boolean {
    return canCapture() && 'getDisplayMedia' in navigator.mediaDevices;
  }
  get status(): SourceStatus {
    return this.#status;
  }
  get track(): MediaStreamTrack | null {
    return this.#track;
  }
  get audioTrack(): MediaStreamTrack | null {
    return this.#audioTrack;
  }
  get kind(): 'text' | 'motion' {
    return this.#kind;
  }

  async start(kind: 'text' | 'motion'): Promise<void> {
    if (this.#track) {
      this.#hint(kind); // the picture goes on, only its treatment changes
      this.#set('on', true);
      return;
    }
    const question = ++this.#questions;
    this.#set('asking');
    try {
      const wishes: Wishes = {
        video: {frameRate: {ideal: kind === 'text' ? 15 : 30, max: 30}},
        audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false},
        systemAudio: 'include',
        surfaceSwitching: 'include',
      };
      if (!this.supported) throw new DOMException('no screen capture', 'NotFoundError');
      this.#take(await navigator.mediaDevices.getDisplayMedia(wishes), kind, question === this.#questions);
    } catch (error) {
      // The permission is asked for each time, so a refusal is a closed question unless the system said it.
      const status = refusal(error, 'prompt', canCapture());
      // A screen is never taken by another program.
      if (question === this.#questions) this.#set(status === 'busy' ? 'failed' : status);
    }
  }

  stop(): void {
    this.#questions++; // an open question comes to nothing
    discard(this.#track, this.#audioTrack);
    this.#track = this.#audioTrack = null;
    this.#set('off');
  }

  #take(stream: MediaStream, kind: 'text' | 'motion', wanted: boolean): void {
    const [track = null] = stream.getVideoTracks();
    const [audioTrack = null] = stream.getAudioTracks();
    if (!wanted || !track) {
      discard(...stream.getTracks());
      return;
    }
    this.#track = track;
    this.#audioTrack = audioTrack;
    this.#hint(kind);
    track.onended = () => this.stop(); // the browser's own "stop sharing"
    if (audioTrack) {
      if ('contentHint' in audioTrack) audioTrack.contentHint = 'music';
      audioTrack.onended = () => {
        this.#audioTrack = null;
        this.#set('on', true);
      };
    }
    this.#set('on', true);
  }

  #hint(kind: 'text' | 'motion'): void {
    this.#kind = kind;
    if (!this.#track) return;
    if ('contentHint' in this.#track) this.#track.contentHint = kind;
    this.#track.applyConstraints({frameRate: {ideal: kind === 'text' ? 15 : 30, max: 30}}).catch(() => {});
  }

  #set(status: SourceStatus, changed = false): void {
    if (status === this.#status && !changed) return;
    this.#status = status;
    this.emit('change', undefined);
  }
}
