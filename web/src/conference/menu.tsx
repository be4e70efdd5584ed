import type {ReactionKind} from '@parley-rtc/sdk';
import {useEffect, useRef} from 'preact/hooks';
import {useDismiss} from '../call/dismiss';
import {Icon} from '../call/icon';
import {words} from '../call/words/words';
import {useVisit} from '../visit/visit';
import {flipHand, react} from './acts';
import type {Assembly} from './assembly';
import {type ConferenceIcon, Glyph} from './icon';
import {canPip, closePip, openPip, pip} from './pip';
import {conferenceWords} from './words';

/** The id of the button that opens the menu. */
export const OPENER = 'open-more';

const KINDS: readonly ReactionKind[] = ['like', 'love', 'laugh', 'surprise', 'applause', 'celebrate'];

/** What one does less often: signs, the hand, the view, a small window, captions. */
export function Menu({assembly, close}: {assembly: Assembly; close: () => void}) {
  const visit = useVisit();
  const element = useRef<HTMLDivElement>(null);
  useDismiss(element, OPENER, close);
  useEffect(() => element.current?.querySelector<HTMLElement>('[role^="menuitem"]')?.focus(), []);
  const w = conferenceWords();
  const crowd = assembly.plan.value !== null;
  const up = (visit.people.value.find((p) => p.isMe)?.hand ?? null) !== null;
  const {view, pinned} = assembly.wishes.value;

  const pick = (act: () => void): void => {
    close();
    document.getElementById(OPENER)?.focus();
    act();
  };
  const step = (e: KeyboardEvent): void => {
    if (e.key === 'Tab') close(); // the focus goes on, and nothing stays open behind it
    const forth = e.key === 'ArrowDown' || e.key === 'ArrowRight';
    if (!forth && e.key !== 'ArrowUp' && e.key !== 'ArrowLeft') return;
    e.preventDefault();
    const items = [...(element.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + (forth ? 1 : -1) + items.length) % items.length]?.focus();
  };
  const radio = (kind: 'grid' | 'speaker', icon: ConferenceIcon, text: string) => (
    <button
      type="button"
      role="menuitemradio"
      tabIndex={-1}
      aria-checked={view === kind && pinned === ''}
      onClick={() => pick(() => assembly.show(kind))}
    >
      <Glyph name={icon} />
      <span>{text}</span>
      {view === kind && pinned === '' && <Icon name="check" />}
    </button>
  );

  return (
    <div class="popover menu more" ref={element} role="menu" aria-label={w.more} tabIndex={-1} onKeyDown={step}>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset has no place in a menu */}
      <div class="more-signs" role="group" aria-label={w.react}>
        {KINDS.map((kind) => (
          <button
            key={kind}
            type="button"
            role="menuitem"
            tabIndex={-1}
            aria-label={w.reactions[kind]}
            title={w.reactions[kind]}
            data-kind={kind}
            onClick={() => pick(() => react(visit, kind))}
          >
            <Glyph name={kind} />
          </button>
        ))}
      </div>
      <button
        type="button"
        role="menuitemcheckbox"
        aria-checked={up}
        tabIndex={-1}
        onClick={() => pick(() => flipHand(visit))}
      >
        <Glyph name="hand" />
        <span>{w.hand}</span>
        {up && <Icon name="check" />}
      </button>
      {crowd && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset has no place in a menu
        <div role="group" aria-label={w.view}>
          {radio('grid', 'grid', w.grid)}
          {radio('speaker', 'stage', w.speaker)}
        </div>
      )}
      {canPip() && (
        <button
          type="button"
          role="menuitemcheckbox"
          aria-checked={pip.value}
          tabIndex={-1}
          onClick={() => pick(() => (pip.value ? closePip() : void openPip(visit, assembly)))}
        >
          <Glyph name="window" />
          <span>{w.pip}</span>
          {pip.value && <Icon name="check" />}
        </button>
      )}
      <button
        type="button"
        role="menuitemcheckbox"
        aria-checked={assembly.captions.value}
        tabIndex={-1}
        onClick={() => pick(() => assembly.caption(!assembly.captions.value))}
      >
        <Glyph name="captions" />
        <span>
          {w.captions}
          <small>{w.captionsLine}</small>
        </span>
        {assembly.captions.value && <Icon name="check" />}
      </button>
      <button
        type="button"
        class="more-settings"
        role="menuitem"
        tabIndex={-1}
        onClick={() => pick(() => visit.show('settings'))}
      >
        <Icon name="settings" />
        <span>{words().controls.settings}</span>
      </button>
    </div>
  );
}
