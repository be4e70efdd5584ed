import {Panel} from '../call/panel';
import {useVisit} from '../visit/visit';
import {TransferCard} from './card';
import type {Desk} from './desk';
import {Pick} from './pick';
import {fileWords} from './words';

/** All files of this call, the newest on top. */
export function FilesPanel({desk}: {desk: Desk}) {
  const w = fileWords();
  const transfers = desk.transfers.value;
  return (
    <Panel name="files" title={w.title}>
      <div class="files">
        <Addressees desk={desk} />
        {transfers.length === 0 && desk.chosen.value.length === 0 && <p class="empty">{w.empty}</p>}
        {[...transfers].reverse().map((transfer) => (
          <TransferCard key={transfer.id} transfer={transfer} desk={desk} />
        ))}
      </div>
      <footer class="files-send">
        <Pick take={(items) => desk.send(items)}>{w.choose}</Pick>
        <Pick folder take={(items) => desk.send(items)}>
          {w.chooseFolder}
        </Pick>
        <small class="files-hint">{w.hint}</small>
      </footer>
    </Panel>
  );
}

/** Who gets what was chosen, when there are several people. */
function Addressees({desk}: {desk: Desk}) {
  const visit = useVisit();
  const w = fileWords();
  const items = desk.chosen.value;
  if (items.length === 0) return null;
  return (
    <section class="addressees" aria-label={w.to(items.length)}>
      <h3>{w.to(items.length)}</h3>
      <div class="row">
        <button type="button" class="btn small primary" onClick={() => desk.offer(items, 'all')}>
          {w.everyone}
        </button>
        {visit.others.value.map((person) => (
          <button key={person.id} type="button" class="btn small" onClick={() => desk.offer(items, person)}>
            <bdi>{person.name}</bdi>
          </button>
        ))}
        <button
          type="button"
          class="btn small"
          onClick={() => {
            desk.chosen.value = [];
          }}
        >
          {w.notNow}
        </button>
      </div>
    </section>
  );
}
