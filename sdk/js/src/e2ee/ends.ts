/** How many links are remembered. */
const maxLinks = 256;
/** How many things wait for one of them. */
const maxWaiting = 64;

interface Link {
  mine?: {own: string[]; peer: string[]};
  theirs?: {own: readonly string[]; peer: readonly string[]};
  /** An end was described anew: the handshake was with whom it was described as first, so somebody between us did that. */
  moved?: boolean;
  broken?: (why: string) => void;
  /** What waits until it is trusted. */
  waiting?: (() => void)[];
}

/**
 * The ends of links, as both sides see them. Descriptions pass through the server, which could put itself between two
 * people; their certificates' fingerprints, compared by sealed words, tell.
 */
export class Ends {
  readonly #links = new Map<string, Link>();

  constructor(
    readonly tell: (session: string, link: string, own: readonly string[], peer: readonly string[]) => void,
    readonly changed: () => void,
  ) {}

  described(session: string, id: string, pc: RTCPeerConnection, broken: (why: string) => void): void {
    const [own, peer] = [fingerprints(pc.localDescription?.sdp), fingerprints(pc.remoteDescription?.sdp)];
    if (!own.length || !peer.length) return;
    const link = this.#link(session, id);
    link.broken = broken;
    if (!link.mine) {
      link.mine = {own, peer};
      this.tell(session, id, own, peer);
    } else if (same(link.mine.own, own) && same(link.mine.peer, peer)) return;
    else link.moved = true;
    this.#judge(link);
  }

  /** Takes what the other side of a link sees, which may be before we see anything. */
  told(session: string, id: string, own: readonly string[], peer: readonly string[]): void {
    const link = this.#link(session, id);
    link.theirs = {own, peer};
    this.#judge(link);
  }

  /** Somebody is known now: what could not be told before is told. */
  met(session: string): void {
    for (const [key, {mine}] of this.#links) {
      const [whose = '', id = ''] = key.split(' ');
      if (whose === session && mine) this.tell(session, id, mine.own, mine.peer);
    }
  }

  /** Does something as soon as a link is trusted. */
  whenTrusted(session: string, id: string, go: () => void): void {
    const link = this.#link(session, id);
    link.waiting ??= [];
    if (link.waiting.length < maxWaiting) link.waiting.push(go);
  }

  trusts(session: string, id: string): boolean {
    const link = this.#links.get(`${session} ${id}`);
    return link !== undefined && agrees(link) === true;
  }

  #link(session: string, id: string): Link {
    const key = `${session} ${id}`;
    const link = this.#links.get(key) ?? {};
    this.#links.delete(key); // the newest last
    this.#links.set(key, link);
    for (const old of this.#links.keys()) if (this.#links.size > maxLinks) this.#links.delete(old);
    return link;
  }

  #judge(link: Link): void {
    const verdict = agrees(link);
    if (verdict === false) link.broken?.('its ends are not those that the two sides know: somebody is between them');
    if (verdict === null) return;
    this.changed();
    if (verdict) for (const go of link.waiting?.splice(0) ?? []) go();
  }
}

/** Whether both sides see the same two ends; null while one has not said. */
function agrees({mine, theirs, moved}: Link): boolean | null {
  if (moved) return false;
  if (!mine || !theirs) return null;
  return same(mine.own, theirs.peer) && same(mine.peer, theirs.own);
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one) => b.includes(one));
}

/** The fingerprints of a description (RFC 8122), each once. */
export function fingerprints(sdp = ''): string[] {
  const all = Array.from(
    sdp.matchAll(/^a=fingerprint:(\S+) (\S+)/gm),
    ([, hash = '', value = '']) => `${hash.toLowerCase()} ${value.toUpperCase()}`,
  );
  return [...new Set(all)].sort();
}
