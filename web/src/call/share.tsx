import {useEffect, useRef, useState} from 'preact/hooks';
import {useWatch} from '../hooks';
import {Tool} from '../parts/toggle';
import {useVisit} from '../visit/visit';
import {useDismiss} from './dismiss';
import {Icon} from './icon';
import {words} from './words/words';

const OPENER = 'share-options';

/** Share screen: one press shares as last time, the arrow beside it says as what. */
export function ShareTool() {
  const visit = useVisit();
  const {media, memory} = visit;
  const {screen} = media;
  useWatch(media, 'change');
  const [open, setOpen] = useState(false);
  if (!screen.supported) return null;
  const w = words().controls;
  const on = screen.status === 'on';
  return (
    <div class="split">
      <Tool
        label={w.share}
        icon={<Icon name="screen" />}
        pressed={on}
        onClick={() => (on ? screen.stop() : void screen.start(memory.shareKind))}
      />
      <Tool
        id={OPENER}
        label={w.shareOptions}
        icon={<Icon name="up" />}
        popup="menu"
        expanded={open}
        onClick={() => setOpen(!open)}
      />
      {open && <ShareMenu close={() => setOpen(false)} />}
    </div>
  );
}

function ShareMenu({close}: {close: () => void}) {
  const {media, memory} = useVisit();
  const element = useRef<HTMLDivElement>(null);
  useDismiss(element, OPENER, close);
  useEffect(() => element.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus(), []);
  const w = words().controls;
  const chosen = media.screen.status === 'on' ? media.screen.kind : memory.shareKind;

  const choose = (kind: 'text' | 'motion'): void => {
    memory.shareKind = kind;
    close();
    document.getElementById(OPENER)?.focus();
    void media.screen.start(kind);
  };
  const step = (e: KeyboardEvent): void => {
    if (e.key === 'Tab') close(); // the focus goes on, and nothing stays open behind it
    if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
    e.preventDefault();
    const items = [...(element.current?.querySelectorAll<HTMLElement>('[role="menuitemradio"]') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + 1) % items.length]?.focus();
  };
  const item = (kind: 'text' | 'motion', title: string, line: string) => (
    <button
      type="button"
      role="menuitemradio"
      aria-checked={chosen === kind}
      tabIndex={chosen === kind ? 0 : -1}
      onClick={() => choose(kind)}
    >
      {chosen === kind ? <Icon name="check" /> : <span class="icon" />}
      <span>
        <b>{title}</b>
        <span>{line}</span>
      </span>
    </button>
  );
  return (
    <div class="popover menu" ref={element} role="menu" aria-label={w.shareOptions} tabIndex={-1} onKeyDown={step}>
      {item('text', w.text, w.textLine)}
      {item('motion', w.motion, w.motionLine)}
    </div>
  );
}
