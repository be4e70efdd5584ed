import type {LocalMedia} from '@parley-rtc/sdk';
import {useEffect, useState} from 'preact/hooks';
import {useWatch} from '../hooks';
import {useVisit, type Visit} from '../visit/visit';
import {Switch} from './people';
import {keepPrefs, type Prefs, readPrefs} from './prefs';
import {conferenceWords} from './words';

/**
 * What the browser and the device do to picture and sound by themselves. Parley brings no model: where a browser offers
 * nothing, nothing is offered.
 */

type Effect = 'blur' | 'noise' | 'voice';

/** The constraint behind each, and the source that it is of. */
const EFFECTS = {
  blur: {constraint: 'backgroundBlur', source: 'camera'},
  noise: {constraint: 'noiseSuppression', source: 'microphone'},
  voice: {constraint: 'voiceIsolation', source: 'microphone'},
} as const;

/** Machines that have enough to do with the call itself get no blur. What a browser does not tell counts as enough. */
export function isSlow({hardwareConcurrency, deviceMemory}: Machine = navigator): boolean {
  return (hardwareConcurrency || 4) <= 2 || (deviceMemory ?? 8) <= 2;
}

interface Machine {
  readonly hardwareConcurrency: number;
  /** In gigabytes; Chromium only. */
  readonly deviceMemory?: number;
}

/** Whether a track can both do without and do with. */
export function canChoose(track: MediaStreamTrack | null, constraint: string): boolean {
  const able = (track?.getCapabilities?.() ?? {}) as Record<string, unknown>;
  const values = able[constraint];
  return Array.isArray(values) && values.includes(true) && values.includes(false);
}

function trackOf(media: LocalMedia, effect: Effect): MediaStreamTrack | null {
  return media[EFFECTS[effect].source].track;
}

/** Makes a track as it is wished; what it cannot do stays as it is. */
async function apply(track: MediaStreamTrack, constraint: string, on: boolean): Promise<void> {
  const now = (track.getSettings() as Record<string, unknown>)[constraint];
  if (now === on) return;
  try {
    // Only what changes is named in `advanced`: everything else that was asked of the device stays asked.
    await track.applyConstraints({...track.getConstraints(), [constraint]: on} as MediaTrackConstraints);
  } catch {
    // the device changed its mind; the switch shows what is
  }
}

/** Keeps the wishes of this device on every new track for as long as the visit lasts; returns what ends it. */
export function keepEffects(visit: Visit): () => void {
  const {media, room} = visit;
  const done = new Map<Effect, MediaStreamTrack>();
  const look = (): void => {
    const prefs = readPrefs();
    for (const effect of Object.keys(EFFECTS) as Effect[]) {
      const track = trackOf(media, effect);
      if (!track || done.get(effect) === track || !canChoose(track, EFFECTS[effect].constraint)) continue;
      done.set(effect, track);
      const wish = effect === 'blur' ? prefs.blur && !isSlow() : prefs[effect];
      if (effect !== 'voice' || wish) void apply(track, EFFECTS[effect].constraint, wish);
    }
  };
  const stops = [media.on('change', look)];
  look();
  const {me} = room;
  if (me) {
    stops.push(
      me.on('quality', ({reason, level}) => {
        const track = media.camera.track;
        if (reason !== 'cpu' || level === 2 || !track || !isBlurred(track)) return;
        keepPrefs({blur: false});
        void apply(track, EFFECTS.blur.constraint, false);
        visit.herald.show(conferenceWords().slow);
      }),
    );
  }
  return () => {
    for (const stop of stops) stop();
  };
}

function isBlurred(track: MediaStreamTrack): boolean {
  return (track.getSettings() as {backgroundBlur?: boolean}).backgroundBlur === true;
}

/** The switches for what this browser can do with the devices in use; nothing where there is nothing to choose. */
export function Effects() {
  const {media} = useVisit();
  useWatch(media, 'change');
  const [, again] = useState(0);
  // A system may switch these by itself, and tells the track so.
  useEffect(() => {
    const tracks = [media.camera.track, media.microphone.track].filter((t) => t !== null);
    const look = (): void => again((n) => n + 1);
    for (const track of tracks) track.addEventListener('configurationchange', look);
    return () => {
      for (const track of tracks) track.removeEventListener('configurationchange', look);
    };
  }, [media.camera.track, media.microphone.track]);
  const w = conferenceWords();
  const row = (effect: Effect, label: string, line: string) => {
    const track = trackOf(media, effect);
    const {constraint} = EFFECTS[effect];
    if (!track || !canChoose(track, constraint) || (effect === 'blur' && isSlow())) return null;
    const on = (track.getSettings() as Record<string, unknown>)[constraint] === true;
    const set = (wish: boolean): void => {
      keepPrefs({[effect]: wish} as Partial<Prefs>);
      void apply(track, constraint, wish).then(() => again((n) => n + 1));
    };
    return <Switch key={effect} label={label} line={line} on={on} set={set} />;
  };
  const rows = [
    row('blur', w.blur, w.blurLine),
    row('noise', w.noise, w.noiseLine),
    row('voice', w.voice, w.voiceLine),
  ].filter((r) => r !== null);
  const noBlur = media.camera.track !== null && !canChoose(media.camera.track, EFFECTS.blur.constraint);
  if (rows.length === 0 && !noBlur) return null;
  return (
    <section class="effects" aria-label={w.effects}>
      <h3>{w.effects}</h3>
      {rows}
      {noBlur && <p class="quiet">{w.noBlur}</p>}
    </section>
  );
}
