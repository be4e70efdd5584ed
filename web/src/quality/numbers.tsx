import type {LinkStats, TrackStats} from '@parley-rtc/sdk';
import {language} from '../words/words';
import {bitrate, milliseconds, percent} from './figures';
import {words} from './words/words';

/** What a browser does not tell has no row. */
export function rowsOf(track: TrackStats): [string, string][] {
  const w = words();
  const {rows} = w;
  const tag = language();
  const {bps, lostPercent, jitterMs, rttMs, bufferMs, concealedPercent, width, height, fps, freezes, limited} = track;
  const found: [string, string | null][] = [
    [rows.bps, bps === undefined ? null : bitrate(bps, w, tag)],
    [rows.lost, lostPercent === undefined ? null : percent(lostPercent, w, tag)],
    [rows.jitter, jitterMs === undefined ? null : milliseconds(jitterMs, w)],
    [rows.rtt, rttMs === undefined ? null : milliseconds(rttMs, w)],
    [rows.buffer, bufferMs === undefined ? null : milliseconds(bufferMs, w)],
    [rows.concealed, concealedPercent === undefined ? null : percent(concealedPercent, w, tag)],
    [rows.size, width && height ? `${width}×${height}` : null],
    [rows.frames, fps === undefined ? null : w.perSecond(Math.round(fps))],
    [rows.freezes, freezes === undefined ? null : w.standstills(freezes, seconds(track.frozenMs ?? 0, tag))],
    [rows.limited, limited ? w.limits[limited] : null],
  ];
  return found.filter((row): row is [string, string] => row[1] !== null);
}

function seconds(ms: number, tag: string): string {
  return (ms / 1000).toLocaleString(tag, {maximumFractionDigits: 1});
}

/** All figures of a link, a short list for each track and direction that flows. */
export function Numbers({stats, name}: {stats: LinkStats; name: string}) {
  const w = words();
  const flowing = stats.tracks.filter((t) => (t.bps ?? 0) > 0);
  return (
    <details class="numbers">
      <summary>{w.figures}</summary>
      {flowing.map((track) => (
        <div key={`${track.source} ${track.direction}`}>
          <h4>
            {w.sources[track.source]} {track.direction === 'sent' ? w.toThem(name) : w.fromThem(name)}
          </h4>
          <dl class="figures">
            {rowsOf(track).map(([word, value]) => (
              <div key={word}>
                <dt>{word}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </div>
      ))}
      {stats.availableBps !== undefined && (
        <p class="quiet figures">{w.available(bitrate(stats.availableBps, w, language()))}</p>
      )}
    </details>
  );
}
