import type {DeviceEvent} from '@parley-rtc/sdk';
import {useEffect} from 'preact/hooks';
import type {IconName} from '../parts/icon';
import {useVisit} from '../visit/visit';
import {deviceNews} from './device-words';
import {Icon} from './icon';
import {words} from './words/words';

/** How long the news of a device stays when nobody touches it, in milliseconds. */
const STAYS_MS = 20_000;

const ICONS: Record<DeviceEvent['sources'][number], IconName> = {
  microphone: 'mic',
  camera: 'camera',
  speaker: 'speaker',
};

/** What a device did by itself, with the way back. */
export function DeviceNews({event}: {event: DeviceEvent}) {
  const visit = useVisit();
  const {media, device} = visit;
  const w = words();
  const {text, act, button} = deviceNews(event, w);
  const close = (): void => {
    if (device.value === event) device.value = null;
  };

  useEffect(() => {
    // An offer waits for its answer.
    if (event.kind === 'offered') return;
    const timer = setTimeout(close, STAYS_MS);
    return () => clearTimeout(timer);
  }, [event]);
  useEffect(() => {
    if (event.kind !== 'offered') return;
    return media.on('devices', () => {
      const all = [...media.microphones, ...media.cameras, ...media.speakers];
      if (!all.some(({id}) => Object.values(event.ids ?? {}).includes(id))) close(); // it was unplugged again
    });
  }, [event, media]);

  const press = (): void => {
    close();
    if (act === 'choose') {
      visit.panel.value = 'settings';
      return;
    }
    for (const source of event.sources) {
      const id = act === 'use' ? event.ids?.[source] : event.before?.id;
      if (id === undefined) continue;
      void (source === 'speaker' ? media.useSpeaker(id) : media[source].use(id));
    }
  };
  return (
    <div class="notice" data-wraps>
      <Icon name={ICONS[event.sources[0] ?? 'microphone']} />
      <p>{text}</p>
      {!(act === 'choose' && visit.panel.value === 'settings') && (
        <button type="button" class="btn small" onClick={press}>
          {button}
        </button>
      )}
      <button type="button" class="icon-btn" aria-label={w.app.close} onClick={close}>
        <Icon name="close" />
      </button>
    </div>
  );
}
