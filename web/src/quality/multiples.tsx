import type {QualityHistory, QualitySeries} from '@parley-rtc/sdk';
import {language} from '../words/words';
import {Chart, type Values} from './chart';
import {bitrate, milliseconds, percent} from './figures';
import {words} from './words/words';

interface Multiple {
  title: string;
  /** What is drawn, with the word for it; one line needs none. */
  lines: readonly {name: QualitySeries; word: string}[];
  least: number;
  format: (value: number) => string;
}

function multiples(): Multiple[] {
  const w = words();
  const tag = language();
  return [
    {
      title: w.rate,
      lines: [
        {name: 'receivedBps', word: w.received},
        {name: 'sentBps', word: w.sent},
      ],
      least: 100_000,
      format: (v) => bitrate(v, w, tag),
    },
    {
      title: w.lost,
      lines: [
        {name: 'receivedLost', word: w.received},
        {name: 'sentLost', word: w.sent},
      ],
      least: 5,
      format: (v) => percent(v, w, tag),
    },
    {title: w.roundTrip, lines: [{name: 'rttMs', word: ''}], least: 100, format: (v) => milliseconds(v, w)},
  ];
}

/** One person's rate, loss and round trip, each in a small chart of its own. */
export function Multiples({history}: {history: QualityHistory}) {
  return (
    <div class="multiples">
      {multiples().map(({title, lines, least, format}) => {
        const series = lines.map(({name}) => history.series(name));
        const label = lines.map(({word}, i) => told(word ? `${title}, ${word}` : title, series[i] ?? [], format));
        return (
          <div key={title} class="multiple">
            <h4>{title}</h4>
            <Chart series={series} least={least} label={label.join(' ')} />
            <p class="figures" aria-hidden="true">
              {lines.map(({name, word}, i) => (
                <span key={name} data-line={i}>
                  {lines.length > 1 && <i title={word} />}
                  {shown(series[i] ?? [], format)}
                </span>
              ))}
            </p>
          </div>
        );
      })}
    </div>
  );
}

/** The newest value, as long as it is of these last seconds. */
function newest(values: Values): number | null {
  return values.slice(-5).findLast((v) => v !== null) ?? null;
}

function shown(values: Values, format: (value: number) => string): string {
  const now = newest(values);
  return now === null ? '–' : format(now);
}

/** A line in words: now, the least and the most. */
export function told(what: string, values: Values, format: (value: number) => string): string {
  const w = words();
  const known = values.filter((v) => v !== null);
  const now = newest(values);
  if (now === null) return w.empty(what);
  return w.chart(what, format(now), format(Math.min(...known)), format(Math.max(...known)));
}
