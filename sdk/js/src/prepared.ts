import type {Source} from './api.js';
import {sections} from './publication.js';
import type {Seal} from './veil.js';

/** A connection that is made, and what any of them has. */
export interface Made {
  pc: RTCPeerConnection;
  /** The channel for small messages. */
  control: RTCDataChannel;
  /** When it was made, by performance.now(). */
  at: number;
  /** Its description is set. */
  ready: Promise<void>;
  /** Which of the servers it may use; absent when all. */
  fits?: (url: string) => boolean;
}

/** A transport made in advance, gathering while nobody needs it. */
export interface Prepared extends Made {
  /** The channel that shows that the path is alive: nothing is sent twice on it. */
  beat: RTCDataChannel;
  kind: 'offer' | 'answer';
}

/**
 * Makes a transport before its peer is known. To offer, the description is set already, so that candidates are gathered
 * in both browsers. To answer, a candidate pool does the same where the browser has one (Firefox gathers on answering).
 */
export function prepare(
  kind: 'offer' | 'answer',
  config: RTCConfiguration,
  Connection: typeof RTCPeerConnection = RTCPeerConnection,
  seal: Seal | null = null,
): Prepared {
  const pc = new Connection({
    ...config,
    ...seal?.config,
    bundlePolicy: 'max-bundle',
    iceCandidatePoolSize: kind === 'answer' ? 1 : 0,
  });
  const control = pc.createDataChannel('parley', {negotiated: true, id: 0});
  const beat = pc.createDataChannel('beat', {negotiated: true, id: 1, ordered: false, maxRetransmits: 0});
  const at = performance.now();
  if (kind === 'answer') return {pc, control, beat, kind, at, ready: Promise.resolve()};
  const streams = pairStreams();
  for (const {kind: media, source} of sections) {
    const transceiver = pc.addTransceiver(media, {direction: 'sendrecv', streams: [streams(source)]});
    seal?.prefer(transceiver);
  }
  const ready = pc.setLocalDescription();
  ready.catch(() => {}); // reported when it is used
  return {pc, control, beat, kind, at, ready};
}

/** Microphone and camera share a stream, and so do a screen and its sound: browsers keep a stream's tracks in step. */
export function pairStreams(): (source: Source) => MediaStream {
  const [person, screen] = [new MediaStream(), new MediaStream()];
  return (source) => (source === 'microphone' || source === 'camera' ? person : screen);
}
