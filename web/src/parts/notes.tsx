import {useWatch} from '../hooks';
import {browserOf} from '../logic/browser';
import {deviceNote} from '../logic/device-words';
import {useVisit} from '../visit/visit';
import {words} from '../words/words';
import {Icon} from './icon';

/** The live region: everything that ears should know, once each. */
export function Spoken() {
  const {herald} = useVisit();
  return (
    <div class="hidden" aria-live="polite" aria-relevant="additions">
      {herald.spoken.value.map((note) => (
        <p key={note.id}>{note.text}</p>
      ))}
    </div>
  );
}

/** The same for eyes; hidden from readers, who have heard it. */
export function Notes() {
  const {herald} = useVisit();
  return (
    <div class="notes" aria-hidden="true">
      {herald.notes.value.map((note) => (
        <p key={note.id} class="note">
          {note.from && <b>{note.from} </b>}
          <bdi>{note.text}</bdi>
        </p>
      ))}
    </div>
  );
}

/** One sentence about microphone and camera when one needs words, told to ears too; the fix and a way to try again. */
export function DeviceHelp() {
  const {media, tried} = useVisit();
  useWatch(media, 'change');
  const {microphone, camera} = media;
  const note = deviceNote(
    microphone.status,
    camera.status,
    browserOf(navigator.userAgent, navigator.maxTouchPoints),
    words(),
  );
  if (note === null) return <div class="told" role="status" />;
  const again = (): void => {
    tried.value = true;
    void media.ask({microphone: note.which !== 'camera', camera: note.which !== 'microphone'});
  };
  return (
    <div class="told" role="status">
      <div class="help" data-tone={note.kind === 'asking' ? 'busy' : 'slow'}>
        {note.kind === 'asking' ? <i class="pulse" /> : <Icon name="warn" />}
        <div>
          <b>{note.title}</b>
          <p>{note.fix}</p>
        </div>
        {note.again && (
          <button type="button" class="btn small" onClick={again}>
            {note.again}
          </button>
        )}
      </div>
    </div>
  );
}
