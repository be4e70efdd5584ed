import type {Made} from '../prepared.js';
import type {Seal} from '../veil.js';
import type {Source} from '../wire.gen.js';
import {mend} from './mending.js';

/** How many sources of sound are received at once at most; the hub chooses the loudest when there are more. */
export const soundPlaces = 8;
/** Places for pictures are made by so many at a time, up to so many. */
export const [pictureStep, maxPictures] = [4, 64];

/**
 * The sizes in which a camera's picture is sent, the smallest first. Without a mode Chromium makes one stream of layers of
 * them with VP9 and AV1, at the scale of the first.
 */
export const layers = [
  {rid: 'l', scaleResolutionDownBy: 4, scalabilityMode: 'L1T3'},
  {rid: 'm', scaleResolutionDownBy: 2, scalabilityMode: 'L1T3'},
  {rid: 'h', scaleResolutionDownBy: 1, scalabilityMode: 'L1T3'},
] as const;

/** The sections of a link with the hub: what is sent, then where it is received. */
export interface Sections {
  own: ReadonlyMap<Source, RTCRtpTransceiver>;
  sounds: RTCRtpTransceiver[];
  pictures: RTCRtpTransceiver[];
}

/**
 * Makes a connection for the hub, with its first offer set: nothing is known of the hub that it would wait for. In an
 * encrypted room each section is sealed as it is made.
 */
export function prepareHub(
  config: RTCConfiguration,
  pictures: number,
  seal: Seal | null = null,
  Connection: typeof RTCPeerConnection = RTCPeerConnection,
): {made: Made; sections: Sections} {
  const pc = new Connection({...config, ...seal?.config, bundlePolicy: 'max-bundle'});
  mend(pc);
  const control = pc.createDataChannel('parley', {negotiated: true, id: 0});
  const send = (kind: 'audio' | 'video', sendEncodings: RTCRtpEncodingParameters[] = []) =>
    sealed(pc.addTransceiver(kind, {direction: 'sendonly', ...(sendEncodings.length && {sendEncodings})}), seal);
  const own = new Map<Source, RTCRtpTransceiver>([
    ['microphone', send('audio')],
    [
      'camera',
      send(
        'video',
        layers.map((layer) => ({...layer})),
      ),
    ],
    ['screen', send('video')],
    ['screen-audio', send('audio')],
  ]);
  const sections = {
    own,
    sounds: places(pc, 'audio', soundPlaces, seal),
    pictures: places(pc, 'video', Math.min(maxPictures, pictures), seal),
  };
  const ready = pc.setLocalDescription();
  ready.catch(() => {}); // reported when it is used
  return {made: {pc, control, at: performance.now(), ready}, sections};
}

/** Adds places; what is new is in the next offer. */
export function places(
  pc: RTCPeerConnection,
  kind: 'audio' | 'video',
  count: number,
  seal: Seal | null,
): RTCRtpTransceiver[] {
  return Array.from({length: count}, () => sealed(pc.addTransceiver(kind, {direction: 'recvonly'}), seal));
}

/** Whose frames come may change, so they are everybody's: their key says whose. */
function sealed(transceiver: RTCRtpTransceiver, seal: Seal | null): RTCRtpTransceiver {
  seal?.prefer(transceiver);
  seal?.cover(transceiver, '');
  return transceiver;
}
