import {useEffect, useRef, useState} from 'preact/hooks';
import type {Teller} from './say';
import {type Cluster, cluster, place, ticks, worst} from './scale';
import type {CallRecord, Entry, Lane, PathSpan} from './types';
import {words} from './words/words';

/** How near two marks may lie, in pixels: a finger has to hit one of them. */
const APART = 30;
/** How far apart the times of day on the axis are. */
const TICKS = 96;
/** How wide a letter of a band's words is. */
const LETTER = 7;
/** How wide a time of day is, so that none is cut off at the end. */
const LABEL = 72;

interface TimelineProps {
  record: CallRecord;
  teller: Teller;
  chosen: readonly number[];
  choose: (list: readonly Entry[]) => void;
}

/** A lane for each person over the time of the call. */
export function Timeline({record, teller, chosen, choose}: TimelineProps) {
  const [track, width] = useWidth();
  const span = {from: record.began, to: Math.max(record.ended ?? record.at, record.began + 1)};
  return (
    <div class="timeline">
      <div class="axis figures" aria-hidden="true">
        <div class="track" ref={track}>
          {ticks(span, width, TICKS)
            .filter((at) => (1 - place(at, span) / 100) * width > LABEL)
            .map((at) => (
              <span key={at} class="tick" style={{left: `${place(at, span)}%`}}>
                {teller.clock(at, span.to - span.from < 600_000)}
              </span>
            ))}
        </div>
      </div>
      {record.people.map((lane) => (
        <LaneRow key={lane.seat} {...{lane, record, teller, span, width, chosen, choose}} />
      ))}
      <Legend record={record} teller={teller} />
    </div>
  );
}

interface LaneProps extends TimelineProps {
  lane: Lane;
  span: {from: number; to: number};
  width: number;
}

function LaneRow({lane, record, teller, span, width, chosen, choose}: LaneProps) {
  const w = words();
  const style = ({from, to}: {from: number; to: number}) => ({
    left: `${place(from, span)}%`,
    width: `${place(to, span) - place(from, span)}%`,
  });
  const fits = (s: PathSpan) =>
    ((s.to - s.from) / (span.to - span.from)) * width > spanWords(s, teller).length * LETTER + 16;
  const own = record.events.filter((e) => e.who === lane.seat);
  return (
    <div class="lane">
      <h3>
        {lane.name}
        <span class="quiet">{lane.client}</span>
      </h3>
      <div class="track">
        <ol class="bands" aria-label={`${w.pathBand}, ${lane.name}`}>
          {lane.path.map((s) => (
            <li
              key={s.from}
              class="band"
              data-state={s.state}
              data-away={s.away}
              style={style(s)}
              title={spanWords(s, teller)}
            >
              <span>{fits(s) && spanWords(s, teller)}</span>
            </li>
          ))}
        </ol>
        <ol class="bands thin" aria-label={`${w.qualityBand}, ${lane.name}`}>
          {lane.quality
            .filter((s) => s.level !== undefined)
            .map((s) => (
              <li
                key={s.from}
                class="band"
                data-quality={s.level}
                style={style(s)}
                title={[w.quality[s.level ?? 2], teller.cause(s.cause)].filter(Boolean).join(' · ')}
              >
                <span>{w.quality[s.level ?? 2]}</span>
              </li>
            ))}
        </ol>
        <Marks clusters={cluster(own, span, width, APART)} label={w.lane(lane.name)} {...{teller, chosen, choose}} />
        {record.restarts?.map((at) => (
          <i key={at} class="restart" style={{left: `${place(at, span)}%`}} title={w.restart(teller.clock(at))} />
        ))}
      </div>
    </div>
  );
}

function spanWords(s: PathSpan, teller: Teller): string {
  const {path} = teller.w;
  return [path[s.state], s.protocol?.toUpperCase(), s.away && path.away].filter(Boolean).join(' · ');
}

interface MarksProps {
  clusters: readonly Cluster[];
  label: string;
  teller: Teller;
  chosen: readonly number[];
  choose: (list: readonly Entry[]) => void;
}

/** The marks of a lane: one stop for Tab, arrow keys between them. */
function Marks({clusters, label, teller, chosen, choose}: MarksProps) {
  const [current, setCurrent] = useState(0);
  const row = useRef<HTMLDivElement>(null);
  const stop = Math.min(current, clusters.length - 1);
  const move = (e: KeyboardEvent): void => {
    const to = {ArrowLeft: stop - 1, ArrowRight: stop + 1, Home: 0, End: clusters.length - 1}[e.key];
    if (to === undefined || to < 0 || to >= clusters.length) return;
    e.preventDefault();
    setCurrent(to);
    (row.current?.children[to] as HTMLElement | undefined)?.focus();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for a form
    <div ref={row} class="marks" role="group" aria-label={label} onKeyDown={move}>
      {clusters.map(({at, events}, i) => {
        const first = events[0] as Entry;
        return (
          <button
            key={first.id}
            type="button"
            class="event-mark"
            data-tone={worst(events)}
            style={{left: `${at}%`}}
            tabIndex={i === stop ? 0 : -1}
            aria-pressed={events.some((e) => chosen.includes(e.id))}
            aria-label={teller.w.marks(events.length, teller.event(first), teller.clock(first.at, true))}
            onFocus={() => setCurrent(i)}
            onClick={() => choose(events)}
          >
            <i>{events.length > 1 ? events.length : ''}</i>
          </button>
        );
      })}
    </div>
  );
}

function Legend({record, teller}: {record: CallRecord; teller: Teller}) {
  const w = words();
  const states = [...new Set(record.people.flatMap((l) => l.path.map((s) => s.state)))];
  const levels = [...new Set(record.people.flatMap((l) => l.quality.map((s) => s.level)))].filter(
    (l) => l !== undefined,
  );
  const away = record.people.some((l) => l.path.some((s) => s.away));
  return (
    <ul class="legend quiet" aria-label={w.legend}>
      {states.map((state) => (
        <li key={state}>
          <i class="band" data-state={state} />
          {w.path[state]}
        </li>
      ))}
      {away && (
        <li>
          <i class="band" data-away={true} />
          {w.path.away}
        </li>
      )}
      {record.restarts?.map((at) => (
        <li key={at}>
          <i class="restart" />
          {w.restart(teller.clock(at))}
        </li>
      ))}
      {levels.sort().map((level) => (
        <li key={level}>
          <i class="band thin" data-quality={level} />
          {w.qualityBand}: {w.quality[level]}
        </li>
      ))}
    </ul>
  );
}

/** The width of an element in pixels, as it changes. */
function useWidth(): [ref: (el: HTMLElement | null) => void, width: number] {
  const [el, setEl] = useState<HTMLElement | null>(null);
  const [width, setWidth] = useState(600);
  useEffect(() => {
    if (!el) return;
    const watcher = new ResizeObserver(() => setWidth(el.clientWidth || 600));
    watcher.observe(el);
    return () => watcher.disconnect();
  }, [el]);
  return [setEl, width];
}
