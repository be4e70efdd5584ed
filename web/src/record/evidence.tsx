import {useEffect, useRef} from 'preact/hooks';
import {Icon} from '../parts/icon';
import type {Teller} from './say';
import {toneOf} from './scale';
import type {Entry} from './types';
import {words} from './words/words';

/** What a mark stands for, and what that rests on. */
export function Evidence({events, teller, close}: {events: readonly Entry[]; teller: Teller; close: () => void}) {
  const w = words();
  const box = useRef<HTMLElement>(null);
  const key = events.map((e) => e.id).join();
  useEffect(() => box.current?.scrollIntoView({block: 'nearest'}), [key]);
  return (
    <section
      ref={box}
      class="evidence"
      aria-label={w.evidence}
      onKeyDown={(e) => {
        if (e.key === 'Escape') close();
      }}
    >
      <header>
        <h3>{w.evidence}</h3>
        <button type="button" class="icon-btn" aria-label={w.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <ol aria-live="polite">
        {events.map((e) => (
          <li key={e.id}>
            <p>
              <time class="figures" dateTime={new Date(e.at).toISOString()}>
                {teller.clock(e.at, true)}
              </time>
              <i class="dot" data-tone={toneOf(e)} aria-hidden="true" />
              <b>{teller.event(e)}</b>
            </p>
            <Facts list={teller.facts(e)} />
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Names and values. */
export function Facts({list}: {list: readonly [string, string][]}) {
  return (
    <dl class="facts">
      {list.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="figures">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
