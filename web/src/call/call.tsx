import {useEffect, useRef, useState} from 'preact/hooks';
import {Notes} from '../parts/notes';
import {useVisit} from '../visit/visit';
import {arrange} from './arrange';
import {Bar} from './bar';
import {ChatPanel} from './chat';
import type {Corner} from './corner';
import {useIdle} from './idle';
import {Invite} from './invite';
import {tellNews} from './news';
import {Notices} from './notices';
import {PathLine} from './path';
import {PeoplePanel} from './people';
import {SettingsPanel} from './settings';
import {Shortcuts} from './shortcuts';
import {HearButton, Sounds} from './sound';
import {Tile} from './tile';
import {useKeys} from './use-keys';
import {useWakeLock} from './wake';
import {words} from './words/words';

/** In the room: the others fill the stage, everything else floats over it or docks beside it and leaves again. */
export function Call() {
  const visit = useVisit();
  const stage = useRef<HTMLDivElement>(null);
  const [help, setHelp] = useState(false);
  const others = visit.others.value;
  const seated = visit.seated.value;
  const corner = visit.corner.value;
  const alone = others.length === 0;
  const panel = visit.panel.value;

  useWakeLock();
  useIdle(stage, !alone);
  useEffect(() => (seated ? tellNews(visit) : undefined), [visit, seated]);
  useKeys(visit, () => setHelp(true));

  const placed = arrange(seated ? visit.people.value : others, visit.swapped.value);
  const screen = placed.some((p) => p.source === 'screen');
  const canSwap = others.length === 1 && !screen;
  const swap = (): void => {
    visit.swapped.value = !visit.swapped.value;
  };
  const move = (to: Corner): void => {
    visit.corner.value = to;
  };
  const close = (): void => {
    visit.panel.value = null;
  };

  return (
    <div class="call" ref={stage}>
      <main
        class="stage"
        aria-label={words().stage.label}
        data-alone={alone}
        data-screen={screen}
        data-side={corner[1]}
      >
        <h1 class="hidden">{visit.room.name}</h1>
        {alone && (seated ? <Invite /> : <Back />)}
        {placed.map((p) => (
          <Tile
            key={`${p.person.id} ${p.source}`}
            placed={p}
            corner={corner}
            onCorner={move}
            onSwap={canSwap ? swap : null}
          />
        ))}
        <div class="stage-top">
          {others[0] && <PathLine person={others[0]} />}
          <Notices />
        </div>
        <HearButton />
        <Notes />
        {visit.talking.value && <p class="talking">{words().notice.talking}</p>}
        <Bar />
      </main>
      {panel === 'chat' && <ChatPanel />}
      {panel === 'people' && <PeoplePanel />}
      {panel === 'settings' && <SettingsPanel shortcuts={() => setHelp(true)} />}
      {panel !== null && <div class="sheet-shade" onClick={close} aria-hidden="true" />}
      <Sounds />
      {help && <Shortcuts close={() => setHelp(false)} />}
    </div>
  );
}

/** Coming back after a reload, before the room has said who is there. */
function Back() {
  return (
    <p class="back" role="status">
      <i class="pulse" />
      {words().door.back}
    </p>
  );
}
