import {useEffect, useLayoutEffect, useRef} from 'preact/hooks';
import {shapeOf} from '../logic/shape';

interface VideoProps {
  /** Null while the line is broken: the last picture stands still. */
  track: MediaStreamTrack | null;
  label: string;
  /** As in a mirror, for one's own face. */
  mirrored?: boolean;
  /** The seat it comes from; absent for local previews. */
  seat?: string;
  source: 'camera' | 'screen';
  /** Hears that there is something to see. */
  onSeen?: () => void;
}

/** How wide a still is at most: it is dimmed anyway. */
const STILL_WIDTH = 960;

/** Puts the present frame on a canvas, which then stands in for the video. */
function keepStill(video: HTMLVideoElement, canvas: HTMLCanvasElement): void {
  const {videoWidth, videoHeight} = video;
  if (videoWidth === 0) return;
  canvas.width = Math.min(STILL_WIDTH, videoWidth);
  canvas.height = (canvas.width * videoHeight) / videoWidth;
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
  canvas.hidden = false;
}

/**
 * A silent picture. Sound has elements of its own, so that pictures can come and go without touching it. A camera
 * covers its box, a screen is shown whole. Between two tracks, the last frame of the old one stays until the first of
 * the new one is there.
 */
export function Video({track, label, mirrored = false, seat, source, onSeen}: VideoProps) {
  const seen = useRef(onSeen);
  seen.current = onSeen;
  const element = useRef<HTMLVideoElement>(null);
  const still = useRef<HTMLCanvasElement>(null);

  useLayoutEffect(() => {
    const video = element.current;
    const canvas = still.current;
    if (video === null || canvas === null || track === null) return;
    video.srcObject = new MediaStream([track]);
    // The first frame is there. (A page that nobody looks at is told of no frames, but of this.)
    const begin = (): void => {
      canvas.hidden = true;
      seen.current?.();
    };
    video.addEventListener('loadeddata', begin);
    // A silent video is never refused; an abort only means that the next track came at once.
    video.play().catch(() => undefined);
    return () => {
      video.removeEventListener('loadeddata', begin);
      if (canvas.hidden) keepStill(video, canvas);
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
      for (const picture of [video, still.current]) {
        picture?.style.setProperty('--seen-width', wanted < whole ? `${(100 * wanted) / whole}%` : '100%');
        picture?.style.setProperty('--seen-height', wanted > whole ? `${(100 * whole) / wanted}%` : '100%');
        if (picture) picture.dataset.low = String(wanted > whole);
      }
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
    <>
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
      <canvas ref={still} class="video" hidden data-source={source} data-mirrored={mirrored} />
    </>
  );
}

/** Whether one's own camera should look like a mirror: yes, unless it looks away from the person. */
export function isMirrored(track: MediaStreamTrack): boolean {
  return track.getSettings().facingMode !== 'environment';
}
