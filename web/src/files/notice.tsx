import {useVisit} from '../visit/visit';
import {language} from '../words/words';
import {TransferCard} from './card';
import type {Desk} from './desk';
import {percent, size, timeLeft} from './figures';
import {fileWords} from './words';

/** How many questions stand on the stage at a time. */
const SHOWN = 2;

/** What stands at the top of the stage: what needs an answer, and how far the rest is. */
export function FileNotices({desk}: {desk: Desk}) {
  const visit = useVisit();
  const panel = visit.panel.value;
  if (panel === 'files') return null;
  // The conversation shows the questions itself.
  const questions = panel === 'chat' ? [] : desk.questions.value.slice(0, SHOWN);
  return (
    <>
      {questions.map((transfer) => (
        <div key={transfer.id} class="notice file-notice">
          <TransferCard transfer={transfer} desk={desk} />
        </div>
      ))}
      {desk.underWay.value.length > 0 && <UnderWay desk={desk} />}
    </>
  );
}

/** How far everything is, in one line; it opens the panel. */
function UnderWay({desk}: {desk: Desk}) {
  const visit = useVisit();
  const w = fileWords();
  const all = desk.underWay.value;
  const [bytes, total, speed] = all.reduce(
    ([b, t, s], one) => [b + one.bytes, t + one.total, s + one.speedBps],
    [0, 0, 0],
  );
  const left = speed > 0 ? timeLeft(((total - bytes) / speed) * 1000, w) : '';
  return (
    <button type="button" class="notice file-progress" onClick={() => visit.show('files')}>
      <progress max={100} value={percent(bytes, total)} aria-label={w.title} />
      <span>{w.active(all.length)}</span>
      <small class="figures">
        {percent(bytes, total)} %{speed > 0 && <span class="file-speed"> · {w.speed(size(speed, language()))}</span>}
        {left && ` · ${left}`}
      </small>
    </button>
  );
}
