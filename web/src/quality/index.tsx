/** The quality panel: a plain sentence and the next step, then the last two minutes of everybody. A file of its own. */

import './quality.css';
import type {LinkStats, Participant} from '@parley-rtc/sdk';
import {useEffect, useReducer, useState} from 'preact/hooks';
import {Bars} from '../call/bars';
import {words as callWords} from '../call/words/words';
import {useVisit} from '../visit/visit';
import {language} from '../words/words';
import {Multiples} from './multiples';
import {Numbers} from './numbers';
import {headline, theirSentence} from './sentences';
import {words} from './words/words';

export {speak} from './words/words';

/** Draws again every second, as often as there are new figures. */
function useSeconds(): void {
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const timer = setInterval(again, 1000, undefined);
    return () => clearInterval(timer);
  }, []);
}

export function Quality() {
  const visit = useVisit();
  useSeconds();
  const w = words();
  const others = visit.others.value;
  const {level, title, fix} = headline(visit.room.me?.quality ?? null, others, w);
  return (
    <div class="quality">
      <div class="quality-head">
        <Bars level={level} label={level === null ? w.unknown : callWords().quality.bars[level]} />
        <p>
          <b>{title}</b>
          {fix && <span>{fix}</span>}
        </p>
      </div>
      {others.map((person) => (
        <PersonQuality key={person.id} person={person} alone={others.length === 1} />
      ))}
    </div>
  );
}

/** One person: bars, what is wrong, small multiples, and all figures on demand. */
function PersonQuality({person, alone}: {person: Participant; alone: boolean}) {
  const w = words();
  const [stats, setStats] = useState<LinkStats | null>(null);
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
  const {history, quality, path, name} = person;
  const {level, sound} = quality;
  return (
    <section class="quality-person" aria-label={name}>
      <header>
        <h3 dir="auto">{name}</h3>
        {sound !== undefined && (
          <span class="figures">{w.sound(sound.toLocaleString(language(), {maximumFractionDigits: 1}))}</span>
        )}
        <Bars level={level} label={level === null ? w.unknown : callWords().quality.bars[level]} />
      </header>
      {!alone && level !== 2 && <p>{theirSentence(quality, name, w).title}</p>}
      {history && (
        <>
          <p class="quiet legend">
            <span>{w.minutes}</span>
            <span data-line="0">
              <i />
              {w.received}
            </span>
            <span data-line="1">
              <i />
              {w.sent}
            </span>
          </p>
          <Multiples history={history} />
        </>
      )}
      {path.kind === 'direct' && <p class="quiet">{w.direct(name)}</p>}
      {path.kind === 'relayed' && <p class="quiet">{w.relayed}</p>}
      {stats && <Numbers stats={stats} name={name} />}
    </section>
  );
}
