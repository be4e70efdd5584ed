import {useEffect, useState} from 'preact/hooks';
import {useWatch} from '../hooks';
import {listed} from '../logic/numbers';
import {type Refusal, refusalAhead} from '../logic/refusals';
import {Avatar} from '../parts/avatar';
import {Icon} from '../parts/icon';
import {Mark} from '../parts/mark';
import {NetworkLine} from '../parts/network';
import {DeviceHelp} from '../parts/notes';
import {Devices} from '../parts/picker';
import {SourceToggles} from '../parts/toggle';
import {isMirrored, Video} from '../parts/video';
import {useVisit} from '../visit/visit';
import {words} from '../words/words';

/** Before joining: see yourself, hear nothing yet, know who is inside and what the network will do. */
export function Door() {
  const visit = useVisit();
  const w = words();
  return (
    <main class="door">
      <header class="door-head">
        <a class="home" href="/" aria-label={w.app.home}>
          <Mark />
        </a>
        <h1>{visit.room.name}</h1>
      </header>
      <Preview />
      <section class="door-side">
        <Inside />
        <JoinForm />
        <NetworkLine network={visit.room.network} />
      </section>
      <section class="door-devices">
        <DeviceHelp />
        <Devices media={visit.media} />
      </section>
    </main>
  );
}

/** One's own picture, mirrored, with the two switches on it. */
export function Preview() {
  const visit = useVisit();
  const {camera} = visit.media;
  useWatch(visit.media, 'change');
  const w = words().device;
  return (
    <div class="preview">
      {camera.status === 'on' && camera.track ? (
        <Video track={camera.track} label={w.preview} source="camera" mirrored={isMirrored(camera.track)} />
      ) : (
        <div class="preview-off">
          {visit.memory.name ? <Avatar name={visit.memory.name} /> : <Icon name="camera-off" />}
          <p>{w.cameraOff}</p>
        </div>
      )}
      <div class="preview-tools">
        <SourceToggles />
      </div>
    </div>
  );
}

/** Who is in the room, or why there is no way in. */
function Inside() {
  const visit = useVisit();
  const w = words();
  const info = visit.info.value;
  const late = useLate(info === null);
  const last = visit.refusal.value;
  const removed = last === 'removed' || visit.memory.wasRemoved(visit.room.name, Date.now());
  const refusal: Refusal | null = last ?? refusalAhead(info, removed);

  if (refusal !== null) {
    const {title, fix} = w.refused[refusal];
    return (
      <div class="help" data-tone="bad" role="alert">
        <Icon name={refusal === 'locked' ? 'lock' : 'warn'} />
        <div>
          <b>{title}</b>
          <p>{fix}</p>
        </div>
      </div>
    );
  }
  const others = visit.others.value;
  const names = (away: boolean) => others.filter((p) => (p.state === 'away') === away).map((p) => p.name);
  const [here, away] = [names(false), names(true)];
  let line = w.door.connecting;
  if (info === null) line = late || !visit.online.value ? w.door.slow : w.door.connecting;
  else if (info.may === 'knock') line = w.door.knock;
  else if (others.length > 0)
    line = [
      here.length > 0 && w.door.here(listed(here, w), here.length),
      away.length > 0 && w.door.away(listed(away, w)),
    ]
      .filter(Boolean)
      .join(' ');
  else line = info.may === 'create' ? w.door.opens : w.door.empty;
  return (
    <div class="inside" aria-live="polite">
      {others.map((p) => (
        <Avatar key={p.id} name={p.name} />
      ))}
      <p>
        {line}
        {info?.role === 'host' && info.may !== 'create' && <span> {w.door.hostHere}</span>}
      </p>
    </div>
  );
}

function JoinForm() {
  const visit = useVisit();
  const w = words().door;
  const [name, setName] = useState(visit.memory.name);
  const [nameless, setNameless] = useState(false);
  const [note, setNote] = useState('');
  const joining = visit.status.value === 'joining';
  const knocks = visit.info.value?.may === 'knock';

  const join = (e: Event): void => {
    e.preventDefault();
    setNameless(name.trim() === '');
    if (name.trim() === '') document.getElementById('name')?.focus();
    else if (!joining) void visit.join(name.trim(), knocks ? note : '');
  };

  return (
    <form class="join" onSubmit={join} noValidate>
      <label for="name">{w.name}</label>
      <div class="row">
        <input
          id="name"
          class="field"
          value={name}
          autocomplete="nickname"
          aria-invalid={nameless}
          aria-describedby={nameless ? 'nameless' : undefined}
          onInput={(e) => setName(e.currentTarget.value)}
        />
        <button type="submit" class="btn primary" aria-label={w.join} aria-disabled={joining}>
          {joining ? w.joining : w.join}
        </button>
      </div>
      {knocks && (
        <input
          class="field note-field"
          value={note}
          maxLength={100}
          aria-label={w.note}
          placeholder={w.note}
          onInput={(e) => setNote(e.currentTarget.value)}
        />
      )}
      {nameless && (
        <p id="nameless" class="hint bad">
          {w.nameNeeded}
        </p>
      )}
    </form>
  );
}

/** True once something has taken longer than a person expects. */
function useLate(waiting: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!waiting) return;
    const timer = setTimeout(() => setLate(true), 4000);
    return () => clearTimeout(timer);
  }, [waiting]);
  return late;
}
