/** Where in the app an address leads. */

import {cleanRoomName} from './room-name';

export type Route = {page: 'landing'} | {page: 'room'; room: string} | {page: 'record'; id: string};

/** `/r/{room}` is a room, `/calls/{id}` the record of a call; everything else is the landing page. */
export function routeOf(path: string): Route {
  const id = /^\/calls\/([\w-]+)$/.exec(path)?.[1];
  if (id) return {page: 'record', id};
  const room = /^\/r\/([^/]+)\/?$/.exec(path)?.[1];
  const clean = room === undefined ? '' : cleanRoomName(room);
  return clean === '' ? {page: 'landing'} : {page: 'room', room: clean};
}

/** The address of a room's page. It is the guest link when the origin stands before it. */
export function roomPath(room: string): string {
  return `/r/${room}`;
}

/** The key of an encrypted room in a fragment, which stays there: it is in the link, and nowhere else. */
export function keyOf(fragment: string): string {
  return /[#&]key=([\w-]+)/.exec(fragment)?.[1] ?? '';
}

/** Takes `#host=…` out of a fragment: the secret, and the fragment that may stay visible. */
export function splitHost(fragment: string): {host: string; rest: string} {
  const parts = fragment.replace(/^#/, '').split('&');
  const host = parts.find((part) => part.startsWith('host='))?.slice('host='.length) ?? '';
  const rest = parts.filter((part) => part !== '' && !part.startsWith('host=')).join('&');
  return {host, rest: rest === '' ? '' : `#${rest}`};
}
