import type {Participant} from '@parley-rtc/sdk';
import {useState} from 'preact/hooks';
import {useVisit} from '../visit/visit';
import {encryptRoom} from './encrypt';
import {Icon} from './icon';
import {words} from './words/words';
import './style/encryption.css';

/** The host's switch: on for good, and only while nobody else is here. */
export function EncryptionSwitch() {
  const visit = useVisit();
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState(false);
  const on = visit.info.value?.encrypted === true;
  const asked = !on && (asking || visit.room.key !== ''); // the panel may have been shut and opened meanwhile
  const late = !on && !asked && visit.people.value.length > 1;
  const w = words().encryption;
  const begin = (): void => {
    setAsking(true);
    setFailed(false);
    encryptRoom(visit.room)
      .then(
        () => visit.herald.say(w.begun),
        () => setFailed(true),
      )
      .finally(() => setAsking(false));
  };
  const line = on ? w.onLine : asked ? w.asked : failed ? w.failed : late ? w.late : w.offLine;
  return (
    <button type="button" class="switch" role="switch" aria-checked={on} disabled={on || asked || late} onClick={begin}>
      <span>
        <b>{w.switch}</b>
        <small>{line}</small>
      </span>
      <i />
    </button>
  );
}

/** Says on the invitation that the link is the key. */
export function Sealed() {
  return (
    <p class="sealed">
      <Icon name="lock" />
      {words().encryption.invite}
    </p>
  );
}

/** The mark on the plate of somebody in an encrypted room. */
export function Lock({person}: {person: Participant}) {
  const {encryption} = person;
  if (encryption === 'none') return null;
  return (
    <span class="lock" data-encryption={encryption} title={words().encryption.long[encryption]}>
      <Icon name={encryption === 'known' ? 'lock' : 'warn'} />
      <span class="hidden">{words().encryption.plate[encryption]}</span>
    </span>
  );
}

/** What stands over the tile of somebody who is not known to hold the key. */
export function Unknown({person}: {person: Participant}) {
  if (person.encryption !== 'stranger') return null;
  return (
    <div class="tile-state tile-stranger">
      <Icon name="warn" />
      <span class="stranger-long">{words().encryption.long.stranger}</span>
      <span class="stranger-short">{words().encryption.plate.stranger}</span>
    </div>
  );
}
