import type {SourceStatus} from '@parley-rtc/sdk';
import type {ComponentChildren} from 'preact';
import {useWatch} from '../hooks';
import {useVisit} from '../visit/visit';
import {words} from '../words/words';
import {Icon} from './icon';
import {useLevel} from './meter';

interface ToolProps {
  label: string;
  icon: ComponentChildren;
  onClick: () => void;
  /** On a toggle: whether it is on. */
  pressed?: boolean;
  /** On a button that opens something: whether it is open. */
  expanded?: boolean;
  /** The key that does the same. */
  keys?: string;
  off?: boolean;
  /** On, and yet nothing leaves. */
  held?: boolean;
  /** A count to show on it, and the words for ears; nothing at 0. */
  badge?: {count: number; words: string};
  popup?: 'menu' | 'dialog';
  id?: string;
  children?: ComponentChildren;
}

/** A button of the control bar: an icon whose name never changes; what changes is its state. */
export function Tool({
  label,
  icon,
  onClick,
  pressed,
  expanded,
  keys,
  off = false,
  held = false,
  badge,
  popup,
  id,
  children,
}: ToolProps) {
  return (
    <button
      type="button"
      class="tool"
      id={id}
      aria-description={badge?.count ? badge.words : undefined}
      data-count={badge?.count ? Math.min(badge.count, 99) : undefined}
      aria-label={label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      aria-haspopup={popup}
      aria-keyshortcuts={keys}
      title={keys ? `${label} (${keys})` : label}
      data-off={off}
      data-held={held}
      onClick={onClick}
    >
      {icon}
      {children}
    </button>
  );
}

/** Microphone and camera, the same at the door and on the stage. */
export function SourceToggles() {
  const visit = useVisit();
  const {media} = visit;
  useWatch(media, 'change');
  const w = words().device;
  // A device that the system keeps silent is still wanted: pressing turns it off.
  const isOn = (status: SourceStatus): boolean => ['on', 'held', 'switching'].includes(status);
  const live = isOn(media.microphone.status);
  const cam = isOn(media.camera.status);
  const micHeld = media.microphone.status === 'held';
  const camHeld = media.camera.status === 'held';
  const level = useLevel<HTMLElement>(() => media.microphone.level(), live);
  return (
    <>
      <Tool
        label={w.microphone}
        icon={<Icon name={live && !micHeld ? 'mic' : 'mic-off'} />}
        keys="M"
        pressed={live}
        off={!live}
        held={micHeld}
        onClick={() => visit.toggle('microphone')}
      >
        <i class="tool-level" ref={level} />
      </Tool>
      <Tool
        label={w.camera}
        icon={<Icon name={cam && !camHeld ? 'camera' : 'camera-off'} />}
        keys="V"
        pressed={cam}
        off={!cam}
        held={camHeld}
        onClick={() => visit.toggle('camera')}
      />
    </>
  );
}
