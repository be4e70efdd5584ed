import {useEffect} from 'preact/hooks';
import {useWatch} from '../hooks';
import {DeviceHelp} from '../parts/notes';
import {Devices} from '../parts/picker';
import {useVisit} from '../visit/visit';
import type {Conferring} from './conference';
import {Icon} from './icon';
import {Panel} from './panel';
import {words} from './words/words';

/** Devices while the call goes on; every choice takes effect at once. */
export function SettingsPanel({shortcuts, conferring}: {shortcuts: () => void; conferring: Conferring | null}) {
  const visit = useVisit();
  useEffect(() => {
    visit.conferring.value = true; // what devices can do by themselves is told there
  }, [visit]);
  useWatch(visit.media, 'change');
  const w = words();
  return (
    <Panel name="settings" title={w.settings.title}>
      <div class="settings">
        <DeviceHelp />
        <Devices media={visit.media} />
        {conferring && <conferring.Effects />}
        <button type="button" class="btn" onClick={shortcuts}>
          <Icon name="keyboard" />
          {w.controls.shortcuts}
        </button>
      </div>
    </Panel>
  );
}
