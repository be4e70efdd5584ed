import {useEffect, useRef, useState} from 'preact/hooks';
import {useWatch} from '../hooks';
import {Notes} from '../parts/notes';
import {rememberRoom} from '../record/calls';
import {useVisit} from '../visit/visit';
import {arrange} from './arrange';
import {Bar} from './bar';
import {ChatPanel} from './chat';
import {useConference} from './conference';
import type {Corner} from './corner';
import {useIdle} from './idle';
import {Invite} from './invite';
import {tellNews} from './news';
import {Notices} from './notices';
import {PathLine, QualityPanel} from './path';
import {PeoplePanel} from './people';
import type {Pointers} from './point';
import {tellPauses} from './quality-news';
import {useFiling} from './send-file';
import {SettingsPanel} from './settings';
import {Shortcuts} from './shortcuts';
import {HearButton, Sounds} from './sound';
import {Tile} from './tile';
import {useKeys} from './use-keys';
import {useWakeLock} from './wake';
import {words} from './words/words';

/** What pointing at a screen needs, loaded when there is one. */
function usePointing(screen: boolean) {
  const {room} = useVisit();
  const [pointing, setPointing] = useState<(typeof import('./point') & {pointers: Pointers}) | null>(null);
  useEffect(() => {
    if (!screen) return;
    let stop = () => {};
    let over = false;
    import('./point').then(
      (point) => {
        if (over) return;
        const pointers = new point.Pointers(room);
        stop = () => pointers.stop();
        setPointing({...point, pointers});
      },
      () => undefined, // the page is older than the server; the screen is to be seen all the same
    );
    return () => {
      over = true;
      stop();
      setPointing(null);
    };
  }, [room, screen]);
  return pointing;
}

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

  useWatch(visit.media, 'change'); // my own screen comes and goes with it
  useWakeLock();
  useIdle(stage, !alone);
  useEffect(() => (seated ? tellNews(visit) : undefined), [visit, seated]);
  useEffect(() => tellPauses(visit), [visit]);
  useEffect(() => rememberRoom(visit.room), [visit]);
  const filing = useFiling(visit);
  const conferring = useConference(visit);
  const assembly = conferring?.assembly ?? null;
  const plan = assembly?.plan.value ?? null;
  useKeys(visit, {help: () => setHelp(true), hand: () => conferring?.flipHand(visit)});

  const placed = plan?.placed ?? arrange(seated ? visit.people.value : others, visit.swapped.value);
  const screen = placed.some((p) => p.source === 'screen');
  const canSwap = others.length === 1 && !screen;
  const swap = (): void => {
    visit.swapped.value = !visit.swapped.value;
  };
  const move = (to: Corner): void => {
    visit.corner.value = to;
  };
  const pointing = usePointing(placed.some((p) => p.source === 'screen'));
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
        data-crowd={plan !== null}
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
          >
            {conferring && assembly && p.place === 'cell' && <conferring.Extras placed={p} assembly={assembly} />}
            {pointing && p.source === 'screen' && (
              <pointing.Overlay
                pointers={pointing.pointers}
                screen={p.person.id}
                active={p.place === 'big' || p.main === true}
              />
            )}
          </Tile>
        ))}
        <div class="stage-top">
          {others[0] && <PathLine person={others[0]} />}
          <Notices filing={filing} conferring={conferring} />
        </div>
        <HearButton />
        <Notes />
        {visit.talking.value && <p class="talking">{words().notice.talking}</p>}
        {conferring && assembly && <conferring.StageParts assembly={assembly} />}
        <Bar filing={filing} conferring={conferring} />
      </main>
      {panel === 'chat' && <ChatPanel filing={filing} />}
      {panel === 'people' && <PeoplePanel conferring={conferring} />}
      {panel === 'files' && filing && <filing.FilesPanel desk={filing.desk} />}
      {filing && <filing.DropTarget desk={filing.desk} />}
      {panel === 'quality' && <QualityPanel />}
      {panel === 'settings' && <SettingsPanel shortcuts={() => setHelp(true)} conferring={conferring} />}
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
