import {loudness} from './level.js';

/** What tells how loud the newest packet was. */
type Receiver = Partial<Pick<RTCRtpReceiver, 'getSynchronizationSources'>>;

/** Tells how loud it is on a receiver. */
export class Ear {
  #heard = {timestamp: 0, at: 0};

  /** Loudness 0…1 now. */
  level(receiver: Receiver | undefined): number {
    const source = receiver?.getSynchronizationSources?.()[0];
    if (!source) return 0;
    const now = performance.now();
    // Browsers count the time of a source from different origins, so only its standing still tells silence.
    if (source.timestamp !== this.#heard.timestamp) this.#heard = {timestamp: source.timestamp, at: now};
    return now - this.#heard.at > 500 ? 0 : loudness(source.audioLevel ?? 0);
  }
}
