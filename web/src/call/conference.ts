import {useEffect, useState} from 'preact/hooks';
import type {Visit} from '../visit/visit';

type Code = typeof import('../conference');
/** The code for three and more, and what it knows of this visit. */
export type Conferring = Code & {assembly: InstanceType<Code['Assembly']>};

/** From so many others on, the code is fetched unasked. */
const CROWD = 2;

/**
 * Fetches what three and more need, when somebody third comes, the room is on the hub, somebody makes a sign or wants
 * in, or `visit.conferring` asks for it. Null until then: a call of two does without.
 */
export function useConference(visit: Visit): Conferring | null {
  const [conferring, setConferring] = useState<Conferring | null>(null);
  const wanted = visit.conferring.value;
  const {room} = visit;

  useEffect(() => {
    const look = (): void => {
      const {kind, next} = room.info?.topology ?? {};
      const others = room.people.filter((p) => !p.isMe && p.state !== 'waiting');
      const host = room.info?.role === 'host';
      if (
        others.length >= CROWD ||
        kind === 'hub' ||
        next === 'hub' ||
        room.me?.role === 'listener' ||
        room.people.some((p) => p.hand !== null || p.hub === 'no' || (host && p.state === 'waiting'))
      )
        visit.conferring.value = true;
    };
    look();
    const want = (): void => {
      visit.conferring.value = true;
    };
    const stops = [room.on('people', look), room.on('info', look), room.on('reaction', want)];
    if (devicesChosen()) want();
    return () => {
      for (const stop of stops) stop();
    };
  }, [visit, room]);

  useEffect(() => {
    if (!wanted) return;
    let over = false;
    let stop = (): void => {};
    import('../conference').then(
      (code) => {
        if (over) return;
        const assembly = new code.Assembly(visit);
        const release = code.keepEffects(visit);
        stop = () => {
          assembly.stop();
          release();
        };
        setConferring({...code, assembly});
      },
      () => undefined, // the page is older than the server; the call goes on without
    );
    return () => {
      over = true;
      stop();
      setConferring(null);
    };
  }, [visit, wanted]);

  return conferring;
}

/** Whether this device remembers something that the devices have to be told again. */
function devicesChosen(): boolean {
  try {
    return /"(blur|voice)":true|"noise":false/.test(localStorage.getItem('parley.conference') ?? '');
  } catch {
    return false;
  }
}
