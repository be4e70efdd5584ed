import type {Mesh} from '../mesh.js';
import {Hub} from './hub.js';

export {Hub};

/** Opens the hub's side of a mesh's room; `changed` hears when the ways to people are others. */
export function openHub(mesh: Mesh, changed: () => void): Hub {
  const {port, links, page, pulse} = mesh;
  return new Hub({
    send: (type, body) => port.send(type, body),
    roster: port.roster,
    servers: port.servers,
    record: port.record,
    online: () => port.online(),
    trouble: (kind, detail) => port.trouble(kind, detail, null),
    suspect: (suspected) => port.suspect(suspected),
    lavish: () => page.visible && !page.thrifty,
    joinedAt: () => port.joinedAt(),
    direct: (person) => links.get(person.session)?.shown ?? null,
    arrived: (seat, channel) => port.channels.arrived(seat, channel),
    heard: (seat, text) => port.channels.heard(seat, text),
    speakers: (seats) => port.speakers(seats),
    seal: () => port.secrecy.seal,
    changed,
    clock: () => pulse.awake,
    lag: () => pulse.lag,
  });
}
