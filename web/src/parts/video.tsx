import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';
import {fitOf} from '../logic/arrange';

interface VideoProps {
  track: MediaStreamTrack;
  label: string;
  /** As in a mirror, for one's own face. */
  mirrored?: boolean;
  /** The seat it comes from; absent for local previews. */
  seat?: string;
  source: 'camera' | 'screen';
}

/** A silent picture. Sound has elements of its own, so that pictures can come and go without touching it. */
export function Video({track, label, mirrored = false, seat, source}: VideoProps) {
  const element = useRef<HTMLVideoElement>(null);
  const [fit, setFit] = useState<'cover' | 'contain'>('cover');

  useLayoutEffect(() => {
    const video = element.current;
    if (video === null) return;
    video.srcObject = new MediaStream([track]);
    // A silent video is never refused; an abort only means that the next track came at once.
    video.play().catch(() => undefined);
    return () => {
      video.srcObject = null;
    };
  }, [track]);

  useEffect(() => {
    const video = element.current;
    if (video === null || source === 'screen') return;
    const judge = (): void =>
      setFit(fitOf(video.videoWidth / video.videoHeight, video.clientWidth / video.clientHeight));
    const observer = new ResizeObserver(judge);
    observer.observe(video);
    video.addEventListener('resize', judge);
    return () => {
      observer.disconnect();
      video.removeEventListener('resize', judge);
    };
  }, [source]);

  return (
    <video
      ref={element}
      class="video"
      aria-label={label}
      muted
      autoPlay
      playsInline
      data-seat={seat}
      data-source={source}
      data-mirrored={mirrored}
      data-fit={source === 'screen' ? 'contain' : fit}
    />
  );
}

/** Whether one's own camera should look like a mirror: yes, unless it looks away from the person. */
export function isMirrored(track: MediaStreamTrack): boolean {
  return track.getSettings().facingMode !== 'environment';
}
