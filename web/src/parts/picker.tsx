import type {Device, LocalMedia} from '@parley-rtc/sdk';
import {useState} from 'preact/hooks';
import {useWatch} from '../hooks';
import {words} from '../words/words';
import {Icon, type IconName} from './icon';
import {Meter} from './meter';

interface PickerProps {
  label: string;
  icon: IconName;
  devices: readonly Device[];
  chosen: string;
  /** What stands first when nothing from the list is chosen. */
  fallback: string | null;
  choose: (id: string) => void;
}

/** One device list: the browser's own select, which every keyboard, reader and phone knows. */
function Picker({label, icon, devices, chosen, fallback, choose}: PickerProps) {
  const known = devices.some((d) => d.id === chosen);
  return (
    <label class="picker">
      <Icon name={icon} />
      <span class="hidden">{label}</span>
      <select
        value={known ? chosen : ''}
        disabled={devices.length === 0}
        onChange={(e) => choose(e.currentTarget.value)}
      >
        {(!known || fallback === words().device.systemDefault) && <option value="">{fallback}</option>}
        {devices.map((d) => (
          <option key={d.id} value={d.id}>
            {d.label}
          </option>
        ))}
      </select>
      <Icon name="down" />
    </label>
  );
}

/** Microphone with its meter, camera, and the speaker with a test tone where the browser can choose one. */
export function Devices({media}: {media: LocalMedia}) {
  useWatch(media, 'devices', 'change');
  const w = words().device;
  const [testing, setTesting] = useState(false);
  const missing = (list: readonly Device[]): string => (list.length === 0 ? w.none : w.unknown);
  const listening = media.microphone.track !== null;

  const test = async (): Promise<void> => {
    setTesting(true);
    await media.testTone().catch(() => undefined);
    setTesting(false);
  };

  return (
    <div class="devices">
      <Picker
        label={w.microphone}
        icon="mic"
        devices={media.microphones}
        chosen={media.microphone.deviceId ?? ''}
        fallback={missing(media.microphones)}
        choose={(id) => void media.microphone.use(id)}
      />
      <Meter label={w.level} read={() => media.microphone.level()} active={listening} />
      <Picker
        label={w.camera}
        icon="camera"
        devices={media.cameras}
        chosen={media.camera.deviceId ?? ''}
        fallback={missing(media.cameras)}
        choose={(id) => void media.camera.use(id)}
      />
      <div class="speaker">
        {media.canChooseSpeaker && (
          <Picker
            label={w.speaker}
            icon="speaker"
            devices={media.speakers.filter((d) => d.id !== '' && d.id !== 'default')}
            chosen={media.speakerId}
            fallback={w.systemDefault}
            choose={(id) => void media.useSpeaker(id)}
          />
        )}
        <button type="button" class="btn" aria-label={w.test} disabled={testing} onClick={() => void test()}>
          {!media.canChooseSpeaker && <Icon name="speaker" />}
          {media.canChooseSpeaker ? w.testShort : w.test}
        </button>
      </div>
    </div>
  );
}
