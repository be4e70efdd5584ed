import type {Participant, Source} from '@parley-rtc/sdk';
import {useEffect, useRef} from 'preact/hooks';
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

function Sound({person, source, track}: {person: Participant; source: Source; track: MediaStreamTrack}) {
  const visit = useVisit();
  const element = useRef<HTMLAudioElement>(null);

  useEffect(() => {
    const audio = element.current;
    return audio === null ? undefined : visit.media.attach(audio);
  }, [visit]);

  useEffect(() => {
    const audio = element.current;
    if (audio === null) return;
    audio.srcObject = new MediaStream([track]);
    audio.play().catch((error: DOMException) => {
      if (error.name === 'NotAllowedError') visit.soundHeld.value = true;
    });
    return () => {
      audio.srcObject = null;
    };
  }, [track, visit]);

  // biome-ignore lint/a11y/useMediaCaption: a live call has no captions yet
  return <audio ref={element} data-seat={person.id} data-source={source} data-sound />;
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
