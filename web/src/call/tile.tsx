import type {Participant} from '@parley-rtc/sdk';
import type {ComponentChildren} from 'preact';
import {useLayoutEffect, useRef} from 'preact/hooks';
import {useTurns, useWatch} from '../hooks';
import {Avatar} from '../parts/avatar';
import {isMirrored, Video} from '../parts/video';
import {useVisit} from '../visit/visit';
import type {Placed} from './arrange';
import {TileBars} from './bars';
import {type Corner, moveCorner} from './corner';
import {useDrag} from './drag';
import {Lock, Unknown} from './encryption';
import {Icon} from './icon';
import {presence} from './presence';
import {words} from './words/words';

interface TileProps {
  placed: Placed;
  corner: Corner;
  onCorner: (corner: Corner) => void;
  /** Swaps the big picture with the small one; null when there is nothing to swap. */
  onSwap: (() => void) | null;
  /** What lies over the picture. */
  children?: ComponentChildren;
}

/** One picture on the stage, big or small. It keeps its elements when it changes places, so no picture blinks. */
export function Tile({placed, corner, onCorner, onSwap, children}: TileProps) {
  const {person, source, place, index, box, main = false} = placed;
  const visit = useVisit();
  useWatch(person, 'change', 'track', 'path', 'quality');
  useWatch(visit.media, 'change');
  const element = useRef<HTMLElement>(null);
  const small = place === 'small';
  useDrag(element, small, onCorner);
  useSpeaking(element, person);
  useGlide(element, placed.box);
  const {stage: w, quality: wq} = words();

  const track = trackOf(person, source, visit.media.camera);
  const theirs = source === 'screen' ? w.screenOf(person.name) : person.name;
  const mine = source === 'screen' ? w.yourScreen : w.you;
  const name = person.isMe ? mine : theirs;
  const wasHere = useRef(false);
  const is = presence(person, wasHere.current);
  if (is === 'here') wasHere.current = true;
  // Who was seen before the line broke is seen until the new line says otherwise.
  const seen = useRef(false);
  const picture = track !== null || (seen.current && (is !== 'here' || person.media[source]));
  if (!picture) seen.current = false;
  // Only their camera is told to be paused by itself; of my own picture a notice tells.
  const paused = is === 'here' && !person.isMe && source === 'camera' && person.quality.paused && track !== null;

  return (
    <figure
      class="tile"
      ref={element}
      data-place={place}
      data-index={index}
      data-corner={corner}
      data-source={source}
      data-lost={is === 'reconnecting'}
      data-paused={paused}
      data-person={person.id}
      data-main={main}
      style={box && {left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px`}}
    >
      {picture ? (
        <Video
          track={track}
          label={name}
          source={source}
          onSeen={() => {
            seen.current = true;
          }}
          mirrored={person.isMe && source === 'camera' && track !== null && isMirrored(track)}
          {...(person.isMe ? {} : {seat: person.id})}
        />
      ) : (
        <div class="tile-off">
          <Avatar name={person.name} />
        </div>
      )}
      {children}
      {is !== 'here' && (
        <div class="tile-state">
          <i class="pulse" />
          <span>{w[is]}</span>
        </div>
      )}
      {paused && (
        <div class="tile-state tile-pause">
          <Icon name="camera-off" />
          <span>{place === 'big' ? wq.pause(person.name) : wq.pauseShort}</span>
        </div>
      )}
      {is === 'here' && <Unknown person={person} />}
      <figcaption class="plate">
        {source === 'camera' && !person.media.microphone && (
          <>
            <Icon name="mic-off" />
            <span class="hidden">{w.muted}</span>
          </>
        )}
        {source === 'camera' && person.media.microphone && <i class="voice" />}
        <Lock person={person} />
        <span class="plate-name" dir="auto">
          {name}
        </span>
        {source === 'camera' && is === 'here' && <TileBars person={person} small={place !== 'big'} />}
      </figcaption>
      {small && (
        <button
          type="button"
          class="grip"
          aria-label={`${onSwap ? w.swap : name}. ${w.tileHelp}`}
          onClick={() => element.current?.dataset.dragged === undefined && onSwap?.()}
          onKeyDown={(e) => {
            const next = moveCorner(corner, e.key);
            if (next === null) return;
            e.preventDefault();
            onCorner(next);
          }}
        />
      )}
    </figure>
  );
}

function trackOf(
  person: Participant,
  source: 'camera' | 'screen',
  camera: {status: string; track: MediaStreamTrack | null},
): MediaStreamTrack | null {
  if (person.isMe && source === 'camera') return camera.status === 'on' ? camera.track : null;
  return person.media[source] ? (person.tracks.get(source) ?? null) : null;
}

/** Lets a cell of a conference glide to its new place, by transform alone. */
function useGlide(element: {current: HTMLElement | null}, box: Placed['box']): void {
  const before = useRef(box);
  useLayoutEffect(() => {
    const from = before.current;
    before.current = box;
    if (!from || !box || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    if (from.x === box.x && from.y === box.y && from.width === box.width && from.height === box.height) return;
    const scale = `scale(${from.width / box.width}, ${from.height / box.height})`;
    element.current?.animate(
      [
        {transform: `translate(${from.x - box.x}px, ${from.y - box.y}px) ${scale}`, transformOrigin: '0 0'},
        {transform: 'none', transformOrigin: '0 0'},
      ],
      {duration: 160, easing: 'ease-out'},
    );
  });
}

/** From here on a level counts as a voice. */
const VOICE = 0.45;
/** How long the mark stays after the voice, so that it does not flicker between words, and how often one listens. */
const HOLD_MS = 450;
const LISTEN_MS = 100;

/** Marks the tile of whoever speaks, straight on the element: it changes too often for a render. */
function useSpeaking(element: {current: HTMLElement | null}, person: Participant): void {
  const until = useRef(0);
  useTurns(() => {
    const tile = element.current;
    if (tile === null) return;
    const now = performance.now();
    if (person.media.microphone && person.level() > VOICE) until.current = now + HOLD_MS;
    const speaking = String(now < until.current);
    if (tile.dataset.speaking !== speaking) tile.dataset.speaking = speaking;
  }, LISTEN_MS);
}
