import {useEffect, useMemo, useState} from 'preact/hooks';
import type {Memory} from './logic/memory';
import {routeOf, roomPath, splitHost} from './logic/route';
import {Spoken} from './parts/notes';
import {Goodbye, Returning, Waiting} from './screens/between';
import {Call} from './screens/call';
import {Door} from './screens/door';
import {Landing} from './screens/landing';
import {type Makers, useVisit, Visit, VisitProvider} from './visit/visit';

interface AppProps {
  memory: Memory;
  makers: Makers;
}

/** The whole app: the landing page, or a room. */
export function App({memory, makers}: AppProps) {
  const [route, setRoute] = useState(() => routeOf(location.pathname));
  useEffect(() => {
    const look = (): void => setRoute(routeOf(location.pathname));
    window.addEventListener('popstate', look);
    return () => window.removeEventListener('popstate', look);
  }, []);
  const go = (address: string): void => {
    history.pushState(null, '', address);
    setRoute(routeOf(location.pathname));
  };

  useEffect(() => {
    document.title = route.page === 'room' ? `${route.room} · Parley` : 'Parley';
  }, [route]);

  if (route.page === 'landing') return <Landing memory={memory} go={go} />;
  return <RoomPage key={route.room} room={route.room} memory={memory} makers={makers} />;
}

/** One room's page. Coming back after the end is a new visit. */
function RoomPage({room, memory, makers}: AppProps & {room: string}) {
  const [again, setAgain] = useState(0);
  const visit = useMemo(() => {
    takeHost(room, memory);
    return new Visit({room, memory, makers, ...(again > 0 ? {rejoin: memory.name} : {})});
  }, [room, memory, makers, again]);
  useEffect(() => () => visit.close(), [visit]);
  return (
    <VisitProvider value={visit}>
      <Screen rejoin={() => setAgain(again + 1)} />
      <Spoken />
    </VisitProvider>
  );
}

/** The screen for where the visit stands. */
export function Screen({rejoin}: {rejoin: () => void}) {
  const visit = useVisit();
  const phase = visit.phase.value;
  useEffect(() => {
    document.documentElement.dataset.dark = String(phase === 'call');
  }, [phase]);
  switch (phase) {
    case 'door':
      return <Door />;
    case 'returning':
      return <Returning />;
    case 'waiting':
      return <Waiting />;
    case 'call':
      return <Call />;
    default:
      return <Goodbye rejoin={rejoin} />;
  }
}

/** Moves the host secret from the address, where anybody could read it over a shoulder, into this device's memory. */
function takeHost(room: string, memory: Memory): void {
  const {host, rest} = splitHost(location.hash);
  if (host !== '') memory.setHost(room, host);
  const clean = roomPath(room) + location.search + rest;
  if (clean !== location.pathname + location.search + location.hash) history.replaceState(history.state, '', clean);
}
