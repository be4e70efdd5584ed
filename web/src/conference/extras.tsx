import {useEffect, useRef} from 'preact/hooks';
import type {Placed} from '../call/arrange';
import {Bars} from '../call/bars';
import {Icon} from '../call/icon';
import {useWatch} from '../hooks';
import {useVisit} from '../visit/visit';
import type {Assembly} from './assembly';
import {Glyph} from './icon';
import {keyOf} from './plan';
import {conferenceWords} from './words';

/** What lies over somebody's picture in a conference: the hand, a sign, why nothing comes, and the pin. */
export function Extras({placed, assembly}: {placed: Placed; assembly: Assembly}) {
  const {person, source} = placed;
  const element = useRef<HTMLDivElement>(null);
  const camera = source === 'camera';
  useShape(element, assembly, camera && !person.isMe ? person.id : '');
  const rank = camera ? assembly.hands.value.indexOf(person) + 1 : 0;
  const sign = camera ? assembly.signs.value.findLast((s) => s.seat === person.id) : undefined;
  const w = conferenceWords();
  return (
    <div class="extras" ref={element}>
      {sign && (
        <span class="sign" key={sign.id} aria-hidden="true" data-kind={sign.kind}>
          <Glyph name={sign.kind} />
        </span>
      )}
      <Held placed={placed} />
      {camera && (
        <div class="marks">
          {rank > 0 && (
            <span class="raised" role="img" aria-label={w.handOf(rank)}>
              <Glyph name="hand" />
              {rank}
            </span>
          )}
          {!person.isMe && <Weak person={person} />}
        </div>
      )}
      <Pin placed={placed} assembly={assembly} />
    </div>
  );
}

/** Tells the conference what shape the picture has. */
function useShape(element: {current: HTMLElement | null}, assembly: Assembly, seat: string): void {
  useEffect(() => {
    const tile = element.current?.parentElement;
    if (!tile || seat === '') return;
    const look = (): void => {
      const video = tile.querySelector('video');
      if (video) assembly.shaped(seat, video.videoWidth, video.videoHeight);
    };
    look();
    const events = ['resize', 'loadeddata'];
    for (const event of events) tile.addEventListener(event, look, true); // of the video: they do not bubble
    return () => {
      for (const event of events) tile.removeEventListener(event, look, true);
    };
  }, [element, assembly, seat]);
}

/** Why a picture that is on stands still. */
function Held({placed: {person, source}}: {placed: Placed}) {
  useWatch(person, 'change', 'track', 'held');
  const held = person.isMe ? null : person.held(source);
  if (held === null || (source === 'camera' && person.quality.paused)) return null;
  const w = conferenceWords();
  return (
    <div class="tile-state tile-pause">
      <Icon name="camera-off" />
      <span>{held === 'bandwidth' ? w.heldBandwidth : w.heldPublisher(person.name)}</span>
    </div>
  );
}

/** Their network is bad, as the hub sees it, and our own figures do not say so already. */
function Weak({person}: {person: Placed['person']}) {
  const visit = useVisit();
  useWatch(person, 'quality', 'network');
  const {network} = person;
  if (!network || network.level === 2 || (person.quality.level ?? 2) < 2) return null;
  const words = conferenceWords().network[network.why](person.name);
  return (
    <button type="button" class="weak" aria-label={words} title={words} onClick={() => visit.show('quality')}>
      <Bars level={network.level} />
    </button>
  );
}

function Pin({placed, assembly}: {placed: Placed; assembly: Assembly}) {
  const {person} = placed;
  const w = conferenceWords();
  const pinned = assembly.wishes.value.pinned === keyOf(placed);
  const label = (pinned ? w.unpin : w.pin)(person.name);
  return (
    <button
      type="button"
      class="pin"
      data-on={pinned}
      aria-label={label}
      title={label}
      onClick={() => assembly.pin(placed)}
    >
      <Glyph name="pin" />
    </button>
  );
}
