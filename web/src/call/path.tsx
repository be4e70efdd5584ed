import type {LinkStats, Participant} from '@parley-rtc/sdk';
import {useEffect, useRef, useState} from 'preact/hooks';
import {useWatch} from '../hooks';
import {language} from '../words/words';
import {useDismiss} from './dismiss';
import {bitrate, percent} from './figures';
import {Icon} from './icon';
import {pathParts} from './path-words';
import {grade} from './quality';
import {words} from './words/words';

const OPENER = 'path-line';

/** How a person's media reaches us, always in sight while the controls are; it opens the numbers behind it. */
export function PathLine({person}: {person: Participant}) {
  useWatch(person, 'path');
  const [open, setOpen] = useState(false);
  const w = words();
  const parts = pathParts(person.path, w);
  const settled = person.path.kind === 'direct' || person.path.kind === 'relayed';
  // While there is no path, the tile says so; the line stays only under a hand that holds it open.
  if (!settled && !(open && parts.length > 0)) return null;
  return (
    <div class="path">
      <button
        type="button"
        id={OPENER}
        class="path-line"
        aria-expanded={open}
        aria-haspopup="dialog"
        title={w.path.details}
        onClick={() => setOpen(!open)}
      >
        {settled ? <Icon name={person.path.kind === 'direct' ? 'direct' : 'relay'} /> : <i class="pulse" />}
        <span class="figures">
          {parts.map((part, i) => (
            <span key={part}>
              {part}
              {i < parts.length - 1 && ' · '}
            </span>
          ))}
        </span>
      </button>
      {open && <Quality person={person} close={() => setOpen(false)} />}
    </div>
  );
}

/** The numbers of the link, each second, under a plain sentence. */
function Quality({person, close}: {person: Participant; close: () => void}) {
  const element = useRef<HTMLDivElement>(null);
  const [stats, setStats] = useState<LinkStats | null>(null);
  useDismiss(element, OPENER, close);

  useEffect(() => {
    let alive = true;
    const look = (): void => void person.stats().then((s) => alive && setStats(s));
    look();
    const timer = setInterval(look, 1000);
    return () => {
      alive = false;
      clearInterval(timer);
    };
  }, [person]);

  const w = words();
  const q = w.quality;
  const level = grade(stats);
  const sentence = [q.unknown, q.poor, q.fair, q.good][level];
  const {kind} = person.path;
  return (
    <div class="popover quality" ref={element} data-panel role="dialog" aria-label={q.title}>
      <div class="quality-head">
        <Bars level={level} label={q.bars(level)} />
        <p>{sentence}</p>
      </div>
      {kind === 'direct' && <p class="quiet">{q.direct(person.name)}</p>}
      {kind === 'relayed' && <p class="quiet">{q.relayed}</p>}
      {stats && <Numbers stats={stats} />}
    </div>
  );
}

function Numbers({stats: {path, audio, video}}: {stats: LinkStats}) {
  const w = words();
  const q = w.quality;
  const rate = (bps: number): string => bitrate(bps, w, language());
  const lost = (value: number): string => percent(value, w, language());
  return (
    <>
      <table class="figures">
        <thead>
          <tr>
            <td />
            <th scope="col">{q.audio}</th>
            <th scope="col">{q.video}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{q.received}</th>
            <td>{rate(audio.receivedBps)}</td>
            <td>{rate(video.receivedBps)}</td>
          </tr>
          <tr>
            <th scope="row">{q.sent}</th>
            <td>{rate(audio.sentBps)}</td>
            <td>{rate(video.sentBps)}</td>
          </tr>
          <tr>
            <th scope="row">{q.lost}</th>
            <td>{lost(audio.lostPercent)}</td>
            <td>{lost(video.lostPercent)}</td>
          </tr>
        </tbody>
      </table>
      <dl class="figures">
        <dt>{q.roundTrip}</dt>
        <dd>{path.rttMs === undefined ? '–' : w.path.ms(Math.round(path.rttMs))}</dd>
        <dt>{q.size}</dt>
        <dd>{video.width > 0 ? q.frames(video.width, video.height, Math.round(video.fps)) : '–'}</dd>
      </dl>
    </>
  );
}

function Bars({level, label}: {level: number; label: string}) {
  return (
    <span class="bars" role="img" aria-label={label} data-level={level}>
      <i />
      <i />
      <i />
    </span>
  );
}
