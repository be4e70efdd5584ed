import {loudness, rms} from './level.js';

/** Gives the page's audio context; made when first needed, for browsers want a reason. */
export type AudioContexts = () => AudioContext | null;

/** Hears one microphone, on a copy of its track that is never muted and never sent. */
export class Meter {
  readonly #ear: MediaStreamTrack;
  #analyser: AnalyserNode | null = null;
  #source: MediaStreamAudioSourceNode | null = null;
  #samples = new Float32Array(1024);

  constructor(track: MediaStreamTrack, context: AudioContext | null) {
    this.#ear = track.clone();
    this.#ear.enabled = true;
    if (!context) return;
    try {
      this.#source = context.createMediaStreamSource(new MediaStream([this.#ear]));
    } catch {
      return; // Firefox refuses a device of another sample rate; the call goes on without a meter
    }
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = this.#samples.length;
    this.#source.connect(this.#analyser);
  }

  /** Loudness 0…1 of the last twentieth of a second. */
  level(): number {
    if (!this.#analyser) return 0;
    // Without a gesture the context may have started asleep.
    if (this.#analyser.context.state === 'suspended') void (this.#analyser.context as AudioContext).resume();
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return loudness(rms(this.#samples));
  }

  close(): void {
    this.#source?.disconnect();
    this.#ear.stop();
  }
}
