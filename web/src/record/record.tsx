import {useEffect, useMemo, useRef, useState} from 'preact/hooks';
import {Mark, Table} from '../parts/mark';
import {words as appWords, language} from '../words/words';
import {recordPath} from './calls';
import {Connections} from './connections';
import {EventTable} from './events';
import {Evidence} from './evidence';
import {takeToken, useRecord} from './load';
import {Teller} from './say';
import {Timeline} from './timeline';
import type {CallRecord, Entry, Finding} from './types';
import {words} from './words/words';

/** The page of one call's record, or why there is none to see. */
export function Record({id}: {id: string}) {
  const token = useMemo(() => takeToken(id), [id]);
  const [{state, record}, retry] = useRecord(id, token);
  const w = words();
  if (record) return <Sheet record={record} token={token} />;
  const said = state === 'loading' ? {title: w.loading, line: ''} : w[state as 'denied' | 'gone' | 'offline'];
  return (
    <main class="between">
      <Table you={false} them={false} />
      <div class="between-table">
        <h1>{said.title}</h1>
        {said.line && <p role="status">{said.line}</p>}
        {state === 'loading' && <i class="pulse" />}
        {state !== 'loading' && (
          <div class="row">
            {state === 'offline' && (
              <button type="button" class="btn primary" onClick={retry}>
                {w.again}
              </button>
            )}
            <a class="btn" href="/">
              {appWords().app.home}
            </a>
          </div>
        )}
      </div>
    </main>
  );
}

/** A record, read from the top: the verdict, who was there, how they were connected, everything that happened. */
export function Sheet({record, token}: {record: CallRecord; token: string}) {
  const w = words();
  const teller = useMemo(() => new Teller(record, w, language()), [record, w]);
  const [chosen, setChosen] = useState<readonly number[]>([]);
  const events = record.events.filter((e) => chosen.includes(e.id));
  const choose = (list: readonly Entry[]): void => setChosen(list.map((e) => e.id));
  return (
    <main class="record" data-level={record.verdict.level}>
      <Head record={record} teller={teller} />
      <Verdict record={record} teller={teller} choose={choose} />
      <Actions record={record} token={token} />
      <section aria-labelledby="timeline">
        <h2 id="timeline">{w.timeline}</h2>
        <p class="quiet no-print">
          {w.timelineHint} <span class="hidden">{w.timelineKeys}</span>
        </p>
        <Timeline record={record} teller={teller} chosen={chosen} choose={choose} />
        {events.length > 0 && <Evidence events={events} teller={teller} close={() => setChosen([])} />}
      </section>
      <Connections record={record} teller={teller} />
      <EventTable record={record} teller={teller} />
    </main>
  );
}

function Head({record, teller}: {record: CallRecord; teller: Teller}) {
  const w = words();
  const title = useRef<HTMLHeadingElement>(null);
  // Whoever came here by a link of the app goes on from the top; what had the focus is gone.
  useEffect(() => {
    if (document.activeElement === document.body) title.current?.focus({preventScroll: true});
  }, []);
  const end = record.ended ?? record.at;
  const names = new Intl.ListFormat(language(), {type: 'conjunction'}).format(record.people.map((p) => p.name));
  return (
    <header class="record-head">
      <a class="home" href="/" aria-label={appWords().app.home}>
        <Mark />
      </a>
      <div>
        <h1 ref={title} tabIndex={-1}>
          {w.title(record.room)}
        </h1>
        <p class="quiet figures">
          {teller.date(record.began)}, {teller.clock(record.began)}–{record.ended ? teller.clock(end) : '…'} ·{' '}
          {teller.long(end - record.began)} · {names}
        </p>
        {!record.ended && (
          <p class="going" role="status">
            <i class="pulse" />
            {w.going}
          </p>
        )}
      </div>
    </header>
  );
}

interface VerdictProps {
  record: CallRecord;
  teller: Teller;
  choose: (list: readonly Entry[]) => void;
}

/** How the call went, in sentences; one with a moment leads to its marks. */
function Verdict({record, teller, choose}: VerdictProps) {
  const {level, findings} = record.verdict;
  const w = words();
  const around = (f: Finding): Entry[] => {
    const at = f.at ?? 0;
    return record.events.filter(
      (e) =>
        e.at >= at - 2_000 && e.at <= at + (f.ms ?? 0) + 2_000 && (!f.seat || e.who === f.seat || e.seat === f.seat),
    );
  };
  return (
    <section class="verdict" aria-labelledby="verdict">
      <h2 id="verdict">
        <i class="lamp" data-level={level} aria-hidden="true" />
        {w.level[level]}
      </h2>
      <ul>
        {findings.map((f) => (
          <li key={`${f.code} ${f.seat} ${f.at}`}>
            {f.at && around(f).length ? (
              <button type="button" class="sentence" onClick={() => choose(around(f))}>
                {teller.finding(f)}
              </button>
            ) : (
              teller.finding(f)
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Actions({record, token}: {record: CallRecord; token: string}) {
  const w = words();
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(location.origin + recordPath(record.id, token));
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <div class="row actions no-print">
      {token && (
        <button type="button" class="btn small" title={w.copyHint} onClick={() => void copy()}>
          <span aria-live="polite">{copied ? w.copied : w.copy}</span>
        </button>
      )}
      <button type="button" class="btn small" onClick={() => window.print()}>
        {w.print}
      </button>
      <button type="button" class="btn small" onClick={() => save(record)}>
        {w.json}
      </button>
      {token && <p class="quiet">{w.copyHint}</p>}
    </div>
  );
}

function save(record: CallRecord): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(record, null, 2)], {type: 'application/json'}));
  const link = document.createElement('a');
  link.href = url;
  link.download = `call-${record.room}-${new Date(record.began).toISOString().slice(0, 10)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
