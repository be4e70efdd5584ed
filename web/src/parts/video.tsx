import {useEffect, useLayoutEffect, useRef} from 'preact/hooks';
import {shapeOf} from '../logic/shape';

interface VideoProps {
  track: MediaStreamTrack;
  label: string;
  /** As in a mirror, for one's own face. */
  mirrored?: boolean;
  /** The seat it comes from; absent for local previews. */
  seat?: string;
  source: 'camera' | 'screen';
}

/**
 * A silent picture. Sound has elements of its own, so that pictures can come and go without touching it. A camera
 * covers its box, a screen is shown whole.
 */
export function Video({track, label, mirrored = false, seat, source}: VideoProps) {
  const element = useRef<HTMLVideoElement>(null);

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
    const box = video?.parentElement;
    if (!video || !box || source === 'screen') return;
    const shape = (): void => {
      const whole = box.clientWidth / box.clientHeight;
      const wanted = shapeOf(video.videoWidth / video.videoHeight, whole);
      video.style.setProperty('--seen-width', wanted < whole ? `${(100 * wanted) / whole}%` : '100%');
      video.dataset.low = String(wanted > whole);
      video.style.setProperty('--seen-height', wanted > whole ? `${(100 * whole) / wanted}%` : '100%');
    };
    const observer = new ResizeObserver(shape);
    observer.observe(box);
    video.addEventListener('resize', shape);
    return () => {
      observer.disconnect();
      video.removeEventListener('resize', shape);
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
    />
  );
}

/** Whether one's own camera should look like a mirror: yes, unless it looks away from the person. */
export function isMirrored(track: MediaStreamTrack): boolean {
  return track.getSettings().facingMode !== 'environment';
}
