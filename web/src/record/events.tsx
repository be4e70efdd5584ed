import {useEffect, useRef} from 'preact/hooks';
import type {Teller} from './say';
import type {CallRecord} from './types';
import {words} from './words/words';

/** The whole record as a table, for readers and for paper. */
export function EventTable({record, teller}: {record: CallRecord; teller: Teller}) {
  const w = words();
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => openForPaper(box.current), []);
  return (
    <section class="events">
      <details ref={box}>
        <summary>
          <h2>{w.table}</h2>
          <span class="quiet figures">{record.events.length}</span>
        </summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
        <section class="scroller" tabIndex={0} aria-label={w.table}>
          <table>
            <thead>
              <tr>
                <th scope="col">{w.columns.time}</th>
                <th scope="col">{w.columns.who}</th>
                <th scope="col">{w.columns.what}</th>
                <th scope="col">{w.columns.details}</th>
              </tr>
            </thead>
            <tbody>
              {record.events.map((e) => (
                <tr key={e.id}>
                  <td class="figures">{teller.clock(e.at, true)}</td>
                  <td>{teller.name(e.who)}</td>
                  <td>{teller.event(e)}</td>
                  <td>
                    {teller.facts({...e, link: ''}).map(([name, value]) => (
                      <div key={name}>
                        <span class="quiet">{name}:</span> {value}
                      </div>
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        {!!record.omitted && <p class="quiet">{w.omitted(record.omitted)}</p>}
        {!!record.uncounted && <p class="quiet">{w.uncounted(record.uncounted)}</p>}
      </details>
    </section>
  );
}

/** Paper has nothing to click: the table is open on it. Returns what ends that. */
function openForPaper(details: HTMLDetailsElement | null): (() => void) | undefined {
  if (!details) return;
  let before = details.open;
  const open = (): void => {
    before = details.open;
    details.open = true;
  };
  const restore = (): void => {
    details.open = before;
  };
  window.addEventListener('beforeprint', open);
  window.addEventListener('afterprint', restore);
  return () => {
    window.removeEventListener('beforeprint', open);
    window.removeEventListener('afterprint', restore);
  };
}
