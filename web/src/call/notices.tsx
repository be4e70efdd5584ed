import type {Participant} from '@parley-rtc/sdk';
import {useEffect, useRef} from 'preact/hooks';
import {useWatch} from '../hooks';
import {DeviceHelp} from '../parts/notes';
import {useVisit} from '../visit/visit';
import type {Conferring} from './conference';
import {Connection} from './connection';
import {DeviceNews} from './device-news';
import {Icon} from './icon';
import {Knocker} from './knocker';
import type {Filing} from './send-file';
import {words} from './words/words';

/** What stands at the top of the stage for as long as it is true: the line to the server, who knocks, what you share. */
export function Notices({filing, conferring}: {filing: Filing | null; conferring: Conferring | null}) {
  const visit = useVisit();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => (box.current ? keepFocus(box.current) : undefined), []);
  return (
    <div class="notices" ref={box}>
      <Connection />
      {visit.tried.value && <TriedDevice />}
      {visit.device.value !== null && <DeviceNews event={visit.device.value} />}
      {visit.isHost.value && visit.panel.value !== 'people' && visit.outside.value.length > 0 && (
        <ul class="notice knock">
          {visit.outside.value.map((person) => (
            <Knocker key={person.id} person={person} line={words().people.wantsIn(person.name)} />
          ))}
        </ul>
      )}
      {conferring && <conferring.ConferenceNotices />}
      {filing && <filing.FileNotices desk={filing.desk} />}
      <Paused />
      <Sharing />
      {visit.unshared.value !== null && <Unshared />}
    </div>
  );
}

/** Notices go by themselves: a focus that goes with one moves on to the next, or to the stage's first control. */
function keepFocus(box: HTMLElement): () => void {
  let held: EventTarget | null = null;
  const enter = (e: FocusEvent): void => {
    held = e.target;
  };
  const observer = new MutationObserver(() => {
    if (!(held instanceof Element) || held.isConnected || document.activeElement !== document.body) return;
    held = null;
    const next = box.querySelector('button') ?? document.querySelector<HTMLElement>('#open-quality, .bar button');
    next?.focus({preventScroll: true});
  });
  box.addEventListener('focusin', enter);
  observer.observe(box, {childList: true, subtree: true});
  return () => {
    box.removeEventListener('focusin', enter);
    observer.disconnect();
  };
}

/** A device that was turned on and did not come: the words for it, until it works or is put away. */
function TriedDevice() {
  const visit = useVisit();
  const {microphone, camera} = visit.media;
  useWatch(visit.media, 'change');
  const fine = ['on', 'off', 'muted', 'switching'];
  if (fine.includes(microphone.status) && fine.includes(camera.status)) return null;
  return (
    <div class="notice device">
      <DeviceHelp />
      <button
        type="button"
        class="icon-btn"
        aria-label={words().app.close}
        onClick={() => {
          visit.tried.value = false;
        }}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

/** My own picture is held back, which I cannot see on it. */
function Paused() {
  const {room} = useVisit();
  const {me} = room;
  return me && <PausedPicture me={me} />;
}

function PausedPicture({me}: {me: Participant}) {
  useWatch(me, 'quality');
  if (!me.quality.paused) return null;
  return (
    <div class="notice" data-tone="slow">
      <Icon name="camera-off" />
      <p>{words().quality.myPause}</p>
    </div>
  );
}

function Sharing() {
  const {media} = useVisit();
  useWatch(media, 'change');
  if (media.screen.status !== 'on') return null;
  const w = words().controls;
  return (
    <div class="notice">
      <Icon name="screen" />
      <p>{w.sharing}</p>
      <button type="button" class="btn small" onClick={() => media.screen.stop()}>
        {w.stopSharing}
      </button>
    </div>
  );
}

/** A screen was shared before the page was loaded again. The browser gives it back only to a hand. */
function Unshared() {
  const {media, unshared} = useVisit();
  const w = words();
  const kind = unshared.value ?? 'text';
  return (
    <div class="notice" data-wraps>
      <Icon name="screen" />
      <p>{w.notice.unshared}</p>
      <button type="button" class="btn small" onClick={() => void media.screen.start(kind)}>
        {w.notice.shareAgain}
      </button>
      <button
        type="button"
        class="icon-btn"
        aria-label={w.app.close}
        onClick={() => {
          unshared.value = null;
        }}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}
