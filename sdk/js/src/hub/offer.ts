import type {Made} from '../prepared.js';
import type {Source} from '../wire.gen.js';

/** How many sources of sound are received at once at most; the hub chooses the loudest when there are more. */
export const soundPlaces = 8;
/** Places for pictures are made by so many at a time, up to so many. */
export const [pictureStep, maxPictures] = [4, 64];

/** The sizes in which a camera's picture is sent, the smallest first. */
export const layers = [
  {rid: 'l', scaleResolutionDownBy: 4},
  {rid: 'm', scaleResolutionDownBy: 2},
  {rid: 'h', scaleResolutionDownBy: 1},
] as const;

/** The sections of a link with the hub: what is sent, then where it is received. */
export interface Sections {
  own: ReadonlyMap<Source, RTCRtpTransceiver>;
  sounds: RTCRtpTransceiver[];
  pictures: RTCRtpTransceiver[];
}

/** Makes a connection for the hub, with its first offer set: nothing is known of the hub that it would wait for. */
export function prepareHub(
  config: RTCConfiguration,
  pictures: number,
  Connection: typeof RTCPeerConnection = RTCPeerConnection,
): {made: Made; sections: Sections} {
  const pc = new Connection({...config, bundlePolicy: 'max-bundle'});
  const control = pc.createDataChannel('parley', {negotiated: true, id: 0});
  const send = (kind: 'audio' | 'video', sendEncodings: RTCRtpEncodingParameters[] = []) =>
    pc.addTransceiver(kind, {direction: 'sendonly', ...(sendEncodings.length && {sendEncodings})});
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
    sounds: places(pc, 'audio', soundPlaces),
    pictures: places(pc, 'video', Math.min(maxPictures, pictures)),
  };
  const ready = pc.setLocalDescription();
  ready.catch(() => {}); // reported when it is used
  return {made: {pc, control, at: performance.now(), ready}, sections};
}

/** Adds places; what is new is in the next offer. */
export function places(pc: RTCPeerConnection, kind: 'audio' | 'video', count: number): RTCRtpTransceiver[] {
  return Array.from({length: count}, () => pc.addTransceiver(kind, {direction: 'recvonly'}));
}
