import type {Participant} from '@parley-rtc/sdk';
import {useEffect, useState} from 'preact/hooks';
import {useWatch} from '../hooks';
import {DeviceHelp} from '../parts/notes';
import {useVisit} from '../visit/visit';
import {Icon} from './icon';
import {Knocker} from './people';
import type {Filing} from './send-file';
import {words} from './words/words';

/** What stands at the top of the stage for as long as it is true: the line to the server, who knocks, what you share. */
export function Notices({filing}: {filing: Filing | null}) {
  const visit = useVisit();
  return (
    <div class="notices">
      <Connection />
      {visit.tried.value && <TriedDevice />}
      {visit.isHost.value && visit.panel.value !== 'people' && visit.outside.value.length > 0 && (
        <ul class="notice knock">
          {visit.outside.value.map((person) => (
            <Knocker key={person.id} person={person} line={words().people.wantsIn(person.name)} />
          ))}
        </ul>
      )}
      {filing && <filing.FileNotices desk={filing.desk} />}
      <Paused />
      <Sharing />
    </div>
  );
}

/** Short interruptions heal before anybody reads about them. */
const PATIENCE_MS = 1200;
const HEALED_MS = 3000;

/** Says that the line to the server is down, and once that it is back. */
function Connection() {
  const visit = useVisit();
  const online = visit.online.value;
  const [shown, setShown] = useState<'no' | 'down' | 'healed'>('no');
  const network = useOnLine();

  useEffect(() => {
    if (!online) {
      const timer = setTimeout(() => setShown('down'), PATIENCE_MS);
      return () => clearTimeout(timer);
    }
    setShown((was) => (was === 'down' ? 'healed' : 'no'));
    const timer = setTimeout(() => setShown('no'), HEALED_MS);
    return () => clearTimeout(timer);
  }, [online]);

  const w = words().notice;
  const text =
    shown === 'healed' ? w.healed : !network ? w.noNetwork : visit.others.value.length > 0 ? w.offline : w.offlineAlone;
  useEffect(() => {
    if (shown !== 'no') visit.herald.say(text);
  }, [shown, text, visit]);

  if (shown === 'no') return null;
  return (
    <div class="notice" data-tone={shown === 'down' ? 'slow' : 'good'}>
      <Icon name={shown === 'down' ? 'offline' : 'check'} />
      <p>{text}</p>
    </div>
  );
}

function useOnLine(): boolean {
  const [on, setOn] = useState(navigator.onLine);
  useEffect(() => {
    const look = (): void => setOn(navigator.onLine);
    window.addEventListener('online', look);
    window.addEventListener('offline', look);
    return () => {
      window.removeEventListener('online', look);
      window.removeEventListener('offline', look);
    };
  }, []);
  return on;
}

/** A device that was turned on and did not come: the words for it, until it works or is put away. */
function TriedDevice() {
  const visit = useVisit();
  const {microphone, camera} = visit.media;
  useWatch(visit.media, 'change');
  const fine = ['on', 'off', 'muted'];
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
