import type {ComponentChildren} from 'preact';
import {useEffect, useLayoutEffect, useRef} from 'preact/hooks';
import {type Panel as PanelName, useVisit} from '../visit/visit';
import {Icon} from './icon';
import {words} from './words/words';

interface PanelProps {
  name: PanelName;
  title: string;
  children: ComponentChildren;
}

/** A panel docks at the right of the stage, or rises over it as a sheet on a phone. */
export function Panel({name, title, children}: PanelProps) {
  const visit = useVisit();
  const element = useRef<HTMLElement>(null);

  useEffect(() => {
    const panel = element.current;
    // A phone's keyboard must not jump up by itself; everywhere else, typing can start at once.
    const first = matchMedia('(hover: hover)').matches ? panel?.querySelector('textarea') : null;
    (first ?? panel)?.focus({preventScroll: true});
    return () => {
      // The focus goes back to where it came from, unless it has moved on already.
      const focused = document.activeElement;
      if (focused === document.body || panel?.contains(focused)) {
        const opener = document.getElementById(`open-${name}`);
        // What a narrow bar has no room for is opened from the menu.
        (opener?.offsetParent ? opener : document.getElementById('open-more'))?.focus();
      }
    };
  }, [name]);

  const inside = useRef(false);
  useLayoutEffect(() => {
    // What had the focus may have gone with the person it was about.
    if (inside.current && document.activeElement === document.body) element.current?.focus({preventScroll: true});
  });

  return (
    <aside
      class="panel"
      ref={element}
      data-panel
      tabIndex={-1}
      aria-label={title}
      onFocusIn={() => {
        inside.current = true;
      }}
      onFocusOut={(e) => {
        if (e.relatedTarget !== null) inside.current = false;
      }}
    >
      <header>
        <h2>{title}</h2>
        <button
          type="button"
          class="icon-btn"
          aria-label={words().app.close}
          onClick={() => {
            visit.panel.value = null;
          }}
        >
          <Icon name="close" />
        </button>
      </header>
      {children}
    </aside>
  );
}
