import {useEffect, useReducer, useRef, useState} from 'preact/hooks';
import {useVisit} from '../visit/visit';
import {Icon} from './icon';
import {lineAfter, nextLook, quietLine} from './line';
import {presence} from './presence';
import {words} from './words/words';

/** Says what is wrong with my own line and what helps, and once that it is over. */
export function Connection() {
  const visit = useVisit();
  const word = useLine();
  const network = useOnLine();
  const w = words().notice;

  let title = '';
  let fix = '';
  if (word === 'healed') title = w.healed;
  else if (word === 'quiet') title = visit.others.value.length > 0 ? w.offline : w.offlineAlone;
  else if (word === 'lost') [title, fix] = network ? [w.lost.title, w.lost.fix] : [w.noNetwork.title, w.noNetwork.fix];
  else if (word === 'long') [title, fix] = [w.long.title, w.long.fix];

  useEffect(() => {
    if (title !== '') visit.herald.say(`${title} ${fix}`.trim());
  }, [title, fix, visit]);

  if (title === '') return null;
  const broken = word === 'lost' || word === 'long';
  return (
    <div
      class="notice"
      data-tone={word === 'healed' ? 'good' : 'slow'}
      data-line={word}
      data-wraps={broken || undefined}
    >
      <Icon name={word === 'healed' ? 'check' : 'offline'} />
      <p>
        {fix === '' ? title : <b>{title}</b>}
        {fix !== '' && <span>{fix}</span>}
      </p>
      {broken && <i class="pulse" />}
      {word !== 'healed' && network && <TryNow />}
    </div>
  );
}

/** How long a try has before the next one may be asked for. */
const TRY_MS = 2_000;

/** Tries at once: the page does so by itself all the time, but whoever has just mended something need not wait. */
function TryNow() {
  const {room} = useVisit();
  const [trying, setTrying] = useState(false);
  useEffect(() => {
    if (!trying) return;
    const timer = setTimeout(() => setTrying(false), TRY_MS);
    return () => clearTimeout(timer);
  }, [trying]);
  const press = (): void => {
    if (trying) return;
    setTrying(true);
    room.retry();
  };
  const w = words().notice;
  return (
    <button type="button" class="btn small" aria-disabled={trying} onClick={press}>
      {trying ? w.trying : w.tryNow}
    </button>
  );
}

/** Follows the line through what the room says, and through time. */
function useLine() {
  const visit = useVisit();
  const [, again] = useReducer((n: number) => n + 1, 0);
  const line = useRef(quietLine);
  const others = visit.others.value;
  useEffect(() => {
    const stops = others.map((person) => person.on('path', () => again(undefined)));
    return () => {
      for (const stop of stops) stop();
    };
  }, [others]);

  const now = performance.now();
  const linked = others.filter((person) => presence(person, false) === 'here').length;
  line.current = lineAfter(line.current, {online: visit.online.value, others: others.length, linked}, now);
  const {word} = line.current;
  const wait = nextLook(line.current, now);
  useEffect(() => {
    if (wait === null) return;
    const timer = setTimeout(() => again(undefined), wait + 1);
    return () => clearTimeout(timer);
  });
  useEffect(() => {
    visit.severed.value = word === 'lost' || word === 'long';
  }, [word, visit]);
  return word;
}

function useOnLine(): boolean {
  const [on, setOn] = useState(navigator.onLine);
  useEffect(() => {
    const look = (): void => setOn(navigator.onLine);
    window.addEventListener('online', look);
    window.addEventListener('offline', look);
    return () => {
      window.removeEventListener('online', look);
      window.removeEventListener('offline', look);
    };
  }, []);
  return on;
}
