import {useState} from 'preact/hooks';
import {Tool} from '../parts/toggle';
import {useVisit} from '../visit/visit';
import type {Conferring} from './conference';
import {Icon} from './icon';
import {words} from './words/words';

/** More: what one does less often, whose code comes at the first press. */
export function MoreTool({conferring}: {conferring: Conferring | null}) {
  const visit = useVisit();
  const [open, setOpen] = useState(false);
  const press = (): void => {
    visit.conferring.value = true;
    setOpen(!open);
  };
  return (
    <div class="split more-tool">
      <Tool
        id="open-more"
        label={words().controls.more}
        icon={<Icon name="more" />}
        popup="menu"
        expanded={open}
        onClick={press}
      />
      {open && conferring && <conferring.Menu assembly={conferring.assembly} close={() => setOpen(false)} />}
    </div>
  );
}

/** My hand, within reach where there is room for it; a narrow bar leaves it to the menu. */
export function HandTool({conferring}: {conferring: Conferring}) {
  const visit = useVisit();
  const up = visit.people.value.some((p) => p.isMe && p.hand !== null);
  return (
    <span class="wide-only hand-tool">
      <Tool
        label={words().controls.hand}
        icon={<conferring.Glyph name="hand" />}
        keys="H"
        pressed={up}
        onClick={() => conferring.flipHand(visit)}
      />
    </span>
  );
}
