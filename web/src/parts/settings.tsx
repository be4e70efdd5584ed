import {useWatch} from '../hooks';
import {useVisit} from '../visit/visit';
import {words} from '../words/words';
import {Icon} from './icon';
import {DeviceHelp} from './notes';
import {Panel} from './panel';
import {Devices} from './picker';

/** Devices while the call goes on; every choice takes effect at once. */
export function SettingsPanel({shortcuts}: {shortcuts: () => void}) {
  const visit = useVisit();
  useWatch(visit.media, 'change');
  const w = words();
  return (
    <Panel name="settings" title={w.settings.title}>
      <div class="settings">
        <DeviceHelp />
        <Devices media={visit.media} />
        <button type="button" class="btn" onClick={shortcuts}>
          <Icon name="keyboard" />
          {w.controls.shortcuts}
        </button>
      </div>
    </Panel>
  );
}
