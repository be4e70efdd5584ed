import {useEffect, useMemo, useRef, useState} from 'preact/hooks';
import type {Memory, Shelf} from './logic/memory';
import type {Refusal} from './logic/refusals';
import {keyOf, roomPath, routeOf, splitHost} from './logic/route';
import {Spoken} from './parts/notes';
import {Door} from './screens/door';
import {Inner, loadInner, Stale} from './screens/inner';
import {RecordPage} from './screens/record';
import {type Makers, useVisit, Visit, VisitProvider} from './visit/visit';

interface AppProps {
  memory: Memory;
  /** What this tab alone remembers. */
  tab: Shelf | null;
  makers: Makers;
}

/** The whole app: the landing page, or a room. */
export function App({memory, tab, makers}: AppProps) {
  const [route, setRoute] = useState(() => routeOf(location.pathname));
  useEffect(() => {
    const key = keyOf(location.hash);
    const look = (): void => {
      // A host link pasted over the guest link changes the fragment only, which loads nothing by itself.
      if (splitHost(location.hash).host !== '' || keyOf(location.hash) !== key) location.reload();
      else setRoute(routeOf(location.pathname));
    };
    window.addEventListener('popstate', look);
    return () => window.removeEventListener('popstate', look);
  }, [route]);
  const walked = useRef(false);
  const go = (address: string): void => {
    walked.current = true;
    history.pushState(null, '', address);
    setRoute(routeOf(location.pathname));
  };

  useEffect(() => {
    if (route.page !== 'room') delete document.documentElement.dataset.status;
    document.title = route.page === 'room' ? `${route.room} · Parley` : 'Parley';
    // The button that led here is gone, so the focus moves on to the next thing to do; no phone's keyboard jumps up.
    if (walked.current && !matchMedia('(pointer: coarse)').matches) document.getElementById('name')?.focus();
  }, [route]);

  if (route.page === 'landing') return <LandingPage memory={memory} go={go} />;
  if (route.page === 'record') return <RecordPage id={route.id} />;
  return <RoomPage key={route.room} room={route.room} memory={memory} tab={tab} makers={makers} />;
}

type Front = typeof import('./screens/landing');

/** The page that names a room. Whoever opens a room's link, which is most, does without its code. */
function LandingPage(props: Parameters<Front['Landing']>[0]) {
  const [front, setFront] = useState<Front | 'lost' | null>(null);
  useEffect(() => void import('./screens/landing').then(setFront, () => setFront('lost')), []);
  if (front === 'lost') return <Stale />;
  return front && <front.Landing {...props} />;
}

interface Arrival {
  /** Counts the visits to this room, so that coming back is a new one. */
  visit: number;
  /** Take a seat at once, with the name used before. */
  rejoin: boolean;
  refusal: Refusal | null;
}

/** One room's page. Coming back after the end is a new visit. */
function RoomPage({room, memory, tab, makers}: AppProps & {room: string}) {
  const [arrival, setArrival] = useState<Arrival>({visit: 1, rejoin: false, refusal: null});
  const visit = useMemo(() => {
    takeHost(room, memory);
    const again = (rejoin: boolean, refusal: Refusal | null): void =>
      setArrival({visit: arrival.visit + 1, rejoin, refusal});
    return new Visit({room, memory, tab, makers, again, rejoin: arrival.rejoin, refusal: arrival.refusal});
  }, [room, memory, tab, makers, arrival]);
  useEffect(() => () => visit.depart(), [visit]);
  // What lies behind the door comes in a file of its own, while the person is still in front of it.
  useEffect(() => void loadInner(), []);
  return (
    <VisitProvider value={visit}>
      <Screen />
      <Spoken />
    </VisitProvider>
  );
}

/** The screen for where the visit stands. */
export function Screen() {
  const visit = useVisit();
  const phase = visit.phase.value;
  useEffect(() => {
    document.documentElement.dataset.dark = String(phase === 'call' || phase === 'returning');
  }, [phase]);
  switch (phase) {
    case 'door':
      return <Door />;
    case 'returning':
      // The stage stands at once: who was in the call is in the call.
      return <Inner phase="call" />;
    default:
      return <Inner phase={phase} />;
  }
}

/** Moves the host secret from the address, where anybody could read it over a shoulder, into this device's memory. */
function takeHost(room: string, memory: Memory): void {
  const {host, rest} = splitHost(location.hash);
  if (host !== '') memory.setHost(room, host);
  const clean = roomPath(room) + location.search + rest;
  if (clean !== location.pathname + location.search + location.hash) history.replaceState(history.state, '', clean);
}
