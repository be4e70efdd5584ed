import {useEffect, useState} from 'preact/hooks';
import {useWatch} from '../hooks';
import {Table} from '../parts/mark';
import {DeviceHelp} from '../parts/notes';
import {recordPath} from '../record/calls';
import {Preview} from '../screens/door';
import {useVisit} from '../visit/visit';
import {goodbyeOf} from './endings';
import {words} from './words/words';

/** In the waiting room, until a host decides. */
export function Waiting() {
  const visit = useVisit();
  useWatch(visit.room, 'waitingWords');
  const told = visit.room.waitingWords;
  const w = words();
  return (
    <main class="between">
      <Table you={true} them={false} />
      <div class="between-table">
        <h1>{w.waiting.title}</h1>
        <p role="status">{told === '' ? w.waiting.line : w.waiting.told(told)}</p>
        <i class="pulse" />
        <Preview />
        <DeviceHelp />
        <button type="button" class="btn" onClick={() => visit.leave()}>
          {w.controls.leave}
        </button>
      </div>
    </main>
  );
}

/** The end: why, and the way back. */
export function Goodbye() {
  const visit = useVisit();
  const rejoin = (): void => visit.again(true, null);
  const w = words();
  const ending = visit.phase.value === 'left' ? {reason: 'left' as const, retry: 0} : visit.room.ending;
  const {title, line, action, button, auto} = goodbyeOf(ending ?? {reason: 'closed', retry: 0}, visit.seated.value, w);
  const seconds = useCountdown(auto, rejoin);
  const {call} = visit.room;
  // The server has a sentence of its own for hosts who give no reason; the title says it already.
  const told = ending && 'words' in ending ? (ending.words ?? '') : '';
  const said = ending?.reason === 'removed' && told !== 'a host removed you from the room' ? told : '';

  return (
    <main class="between">
      <Table you={false} them={visit.others.value.length > 0} />
      <div class="between-table">
        <h1 ref={focusOnce} tabIndex={-1}>
          {title}
        </h1>
        {said !== '' && <p>{w.ending.said(said)}</p>}
        {line && <p>{line}</p>}
        {seconds > 0 && (
          <p class="figures" role="timer">
            {w.ending.retrying(seconds)}
          </p>
        )}
        <div class="row">
          {action !== 'none' && (
            <button type="button" class="btn primary" onClick={action === 'reload' ? () => location.reload() : rejoin}>
              {button}
            </button>
          )}
          <a class="btn" href="/">
            {w.app.home}
          </a>
        </div>
        {call && (
          <a class="quiet" href={recordPath(call.id)}>
            {w.ending.record}
          </a>
        )}
      </div>
    </main>
  );
}

/** The focus was on a control that is gone: readers go on from the new heading. */
function focusOnce(heading: HTMLElement | null): void {
  heading?.focus({preventScroll: true});
}

/** Counts down from `from` and then calls `done` once; 0 counts nothing. */
function useCountdown(from: number, done: () => void): number {
  const [left, setLeft] = useState(from);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => {
      setLeft(left - 1);
      if (left === 1) done();
    }, 1000);
    return () => clearTimeout(timer);
  }, [left, done]);
  return left;
}
