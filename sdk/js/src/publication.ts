import type {LocalMedia, MediaState, Source} from './api.js';

/** What a person sends: the live, unmuted local tracks by source. */
export type Publication = ReadonlyMap<Source, MediaStreamTrack>;

/** Nothing is sent. */
export const nothing: Publication = new Map();

/** The media sections of every link, in their order: kind and source never change, so a call never renegotiates. */
export const sections: readonly {source: Source; kind: 'audio' | 'video'}[] = [
  {source: 'microphone', kind: 'audio'},
  {source: 'camera', kind: 'video'},
  {source: 'screen', kind: 'video'},
  {source: 'screen-audio', kind: 'audio'},
];

/** Collects what may be sent now. */
export function publication(media: LocalMedia | null): Publication {
  const tracks = new Map<Source, MediaStreamTrack>();
  if (!media) return tracks;
  const put = (source: Source, track: MediaStreamTrack | null, on: boolean) => {
    if (on && track?.readyState === 'live') tracks.set(source, track);
  };
  put('microphone', media.microphone.track, media.microphone.status === 'on');
  put('camera', media.camera.track, media.camera.status === 'on');
  put('screen', media.screen.track, media.screen.status === 'on');
  put('screen-audio', media.screen.audioTrack, media.screen.status === 'on');
  return tracks;
}

/** Says in the words of the protocol what a publication sends, and what `media` expects to send at once. */
export function mediaState(tracks: Publication, media: LocalMedia | null = null): MediaState {
  return {
    microphone: tracks.has('microphone') || media?.microphone.expected === true,
    camera: tracks.has('camera') || media?.camera.expected === true,
    screen: tracks.has('screen'),
    screenAudio: tracks.has('screen-audio'),
  };
}

/** Whether a media state says that a source is sent. */
export function sends(state: MediaState, source: Source): boolean {
  return source === 'screen-audio' ? state.screenAudio : state[source];
}

/** Whether two media states say the same. */
export function sameMedia(a: MediaState, b: MediaState): boolean {
  return sections.every(({source}) => sends(a, source) === sends(b, source));
}
