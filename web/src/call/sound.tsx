import type {Participant, Source} from '@parley-rtc/sdk';
import {useEffect, useRef, useState} from 'preact/hooks';
import {useWatch} from '../hooks';
import {useVisit} from '../visit/visit';
import {Icon} from './icon';
import {words} from './words/words';

/** What others say and play. Each source has its own audio element; the pictures are silent. */
export function Sounds() {
  const visit = useVisit();
  useEffect(() => {
    const wakings = ['resume', 'visibilitychange', 'pageshow'] as const;
    for (const name of wakings) window.addEventListener(name, revive, true);
    return () => {
      for (const name of wakings) window.removeEventListener(name, revive, true);
    };
  }, []);
  return (
    <>
      {visit.others.value.map((person) => (
        <PersonSounds key={person.id} person={person} />
      ))}
    </>
  );
}

/** A browser that freezes a page, or is interrupted by a telephone call, stops what plays and does not start it again. */
function revive(): void {
  for (const media of document.querySelectorAll<HTMLMediaElement>('.call audio, .call video')) {
    if (media.paused && media.srcObject !== null) media.play().catch(() => undefined);
  }
}

function PersonSounds({person}: {person: Participant}) {
  useWatch(person, 'track');
  const sources: Source[] = ['microphone', 'screen-audio'];
  return (
    <>
      {sources.map((source) => {
        const track = person.tracks.get(source);
        return track === undefined ? null : <Sound key={source} person={person} source={source} track={track} />;
      })}
    </>
  );
}

/** How long the old track of a source is heard with the new one, in milliseconds: somebody changes to another way. */
const FADE_MS = 60;
/** How long a new track may take to begin before the old one ends all the same, in milliseconds. */
const BEGIN_MS = 1_000;

/** One source. When its track gives way to another, the two are cross-faded, so that nobody hears the change. */
function Sound({person, source, track}: {person: Participant; source: Source; track: MediaStreamTrack}) {
  const [shown, setShown] = useState([track]);
  const tracks = shown.includes(track) ? shown : [...shown.slice(-1), track];
  if (tracks !== shown) setShown(tracks);
  const forget = (old: MediaStreamTrack): void => setShown((now) => now.filter((one) => one === track || one !== old));
  return (
    <>
      {tracks.map((one) => (
        <Playing
          key={one.id}
          person={person}
          source={source}
          track={one}
          after={tracks.length > 1}
          leaving={one !== track}
          onGone={() => forget(one)}
        />
      ))}
    </>
  );
}

interface PlayingProps {
  person: Participant;
  source: Source;
  track: MediaStreamTrack;
  /** Another track is heard already: this one fades in. */
  after: boolean;
  /** Another one has taken its place: this one fades out. */
  leaving: boolean;
  onGone: () => void;
}

function Playing({person, source, track, after, leaving, onGone}: PlayingProps) {
  const visit = useVisit();
  const element = useRef<HTMLAudioElement>(null);
  const faded = useRef(after);
  const left = useRef(false);

  useEffect(() => {
    const audio = element.current;
    return audio === null ? undefined : visit.media.attach(audio);
  }, [visit]);

  useEffect(() => {
    const audio = element.current;
    if (audio === null) return;
    audio.srcObject = new MediaStream([track]);
    if (faded.current) fadeIn(audio);
    audio.play().catch((error: DOMException) => {
      if (error.name === 'NotAllowedError') visit.soundHeld.value = true;
    });
    return () => {
      audio.srcObject = null;
    };
  }, [track, visit]);

  useEffect(() => {
    const audio = element.current;
    if (audio === null) return;
    if (!leaving) return left.current ? ramp(audio, 1) : undefined;
    left.current = true;
    return fadeOut(audio, onGone);
  }, [leaving]);

  // biome-ignore lint/a11y/useMediaCaption: what is said in words is shown by the call
  return <audio ref={element} data-seat={person.id} data-source={source} data-sound />;
}

/** Changes the loudness in steps too small to hear. Where a page must not (iOS), the two just overlap. */
function ramp(audio: HTMLAudioElement, to: number, done?: () => void): () => void {
  const from = audio.volume;
  const begun = performance.now();
  const timer = setInterval(() => {
    const part = Math.min(1, (performance.now() - begun) / FADE_MS);
    audio.volume = from + (to - from) * part;
    if (part < 1) return;
    clearInterval(timer);
    done?.();
  }, 5);
  return () => clearInterval(timer);
}

function fadeIn(audio: HTMLAudioElement): void {
  audio.volume = 0;
  audio.addEventListener('playing', () => ramp(audio, 1), {once: true});
}

/** Fades out once the sound that comes after it plays; see {@link fadeIn}. Gives what ends the wait. */
function fadeOut(audio: HTMLAudioElement, gone: () => void): () => void {
  let stop: () => void = () => {};
  const next = audio.nextElementSibling;
  const begin = (): void => {
    clearTimeout(timer);
    // The new one was just begun: it is loud when this one is silent.
    stop = ramp(audio, 0, gone);
  };
  const timer = setTimeout(begin, BEGIN_MS);
  next?.addEventListener('playing', begin, {once: true});
  return () => {
    clearTimeout(timer);
    next?.removeEventListener('playing', begin);
    stop();
  };
}

/** Shown while the browser holds sound back: one touch lets it out. */
export function HearButton() {
  const visit = useVisit();
  if (!visit.soundHeld.value) return null;
  const w = words().controls;
  const hear = (): void => {
    visit.soundHeld.value = false;
    for (const audio of document.querySelectorAll<HTMLAudioElement>('audio[data-sound]')) {
      audio.play().catch(() => {
        visit.soundHeld.value = true;
      });
    }
  };
  return (
    <button type="button" class="hear" onClick={hear}>
      <Icon name="speaker" />
      <span>
        <b>{w.hear}</b>
        <small>{w.hearLine}</small>
      </span>
    </button>
  );
}
