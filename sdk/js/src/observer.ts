import type {Note} from './notes.js';
import {type Report as Stat, selectedPair} from './path.js';
import type {ReportCandidate, ReportEvent, Source} from './wire.gen.js';

export {Report} from './report.js';

/** What is read of the statistics beside the path. */
interface Seen extends Stat {
  trackIdentifier?: string;
  packetsReceived?: number;
  framesDecoded?: number;
}

type Reports = Map<string, Seen>;

/** What a transport is watched for. */
export interface About {
  link: string;
  /** When the transport was begun for the other side, by performance.now(). */
  began: number;
  /** The other person's seat; empty while they have none. */
  seat(): string;
  /** When we took our seat, by performance.now(); 0 before. */
  joined(): number;
  /** What the other side sends on a track. */
  sourceOf(track: string): Source | null;
}

/** How often a fresh transport is looked at for the first packet and frame, and for how long. */
const lookMs = 100;
const looks = 150;
/** Pairs beside the winner that are told. */
const maxPairs = 8;

/** Notes how a transport comes about, and which pairs of candidates it takes, until it is closed. */
export function observe(pc: RTCPeerConnection, about: About, note: (note: Note) => void): void {
  new Observer(pc, about, note);
}

class Observer {
  #gathered = 0;
  #pair = '';
  #connected = false;
  #looks = 0;
  readonly #first = new Set<string>();
  #waiting: Note[] = []; // for the other side to have a seat

  constructor(
    readonly pc: RTCPeerConnection,
    readonly about: About,
    readonly note: (note: Note) => void,
  ) {
    pc.addEventListener('icegatheringstatechange', () => this.#gather());
    pc.addEventListener('iceconnectionstatechange', () => this.#ice());
    pc.addEventListener('connectionstatechange', () => this.#changed());
    this.#gather();
    this.#ice();
    this.#changed();
  }

  #tell(note: Note): void {
    const seat = this.about.seat();
    const timed = {...note, at: Date.now(), link: this.about.link};
    if (!seat) {
      if (this.#waiting.length < 32) this.#waiting.push(timed);
      return;
    }
    for (const early of this.#waiting.splice(0)) this.note({...early, seat});
    this.note({...timed, seat});
  }

  #gather(): void {
    if (this.pc.iceGatheringState === 'complete') void this.#candidates();
  }

  #ice(): void {
    const {iceConnectionState: state} = this.pc;
    if (state !== 'connected' && state !== 'completed') return;
    if (this.#once('ice')) this.#tell({kind: 'ice-connected', ms: performance.now() - this.about.began});
  }

  #changed(): void {
    const {connectionState: state} = this.pc;
    this.#connected = state === 'connected';
    if (!this.#connected) return;
    if (this.#once('dtls')) {
      this.#tell({kind: 'dtls-connected', ms: performance.now() - this.about.began});
      const ice = this.pc.sctp?.transport?.iceTransport;
      ice?.addEventListener?.('selectedcandidatepairchange', () => void this.#look());
      void this.#candidates();
      this.#watch();
    }
    void this.#look();
  }

  /** Looks often at first, since no event tells of the first frame; later only changes of state do. */
  #watch(): void {
    if (this.pc.connectionState === 'closed' || this.#looks++ >= looks) return;
    if (this.#connected) void this.#look();
    setTimeout(() => this.#watch(), this.#looks < 40 ? lookMs : 4 * lookMs);
  }

  async #look(): Promise<void> {
    const reports = await this.#reports();
    if (!reports || !this.#connected) return;
    this.#pairs(reports);
    this.#media(reports);
    // The other side may have taken its seat meanwhile.
    if (this.#waiting.length && this.about.seat()) this.#tell(this.#waiting.pop() as Note);
  }

  async #reports(): Promise<Reports | null> {
    if (this.pc.connectionState === 'closed') return null;
    try {
      const reports: Reports = new Map();
      (await this.pc.getStats()).forEach((report) => {
        reports.set(report.id, report);
      });
      return reports;
    } catch {
      return null; // closed meanwhile
    }
  }

  async #candidates(): Promise<void> {
    const reports = await this.#reports();
    const candidates = [...(reports?.values() ?? [])]
      .filter((r) => r.type === 'local-candidate')
      .map(candidateOf)
      .filter((c) => c !== null);
    if (candidates.length <= this.#gathered) return;
    this.#gathered = candidates.length;
    this.#tell({kind: 'gathered', candidates: candidates.slice(0, 24)});
  }

  #pairs(reports: Reports): void {
    const won = selectedPair(reports);
    const local = candidateOf(reports.get(won?.localCandidateId ?? ''));
    const remote = candidateOf(reports.get(won?.remoteCandidateId ?? ''));
    if (!won || !local || !remote) return;
    const key = JSON.stringify([local, remote]);
    if (key === this.#pair) return;
    this.#pair = key;
    let told = 0;
    for (const pair of reports.values()) {
      if (pair.type !== 'candidate-pair' || pair.id === won.id || told >= maxPairs) continue;
      const [a, b] = [
        candidateOf(reports.get(pair.localCandidateId ?? '')),
        candidateOf(reports.get(pair.remoteCandidateId ?? '')),
      ];
      if (!a || !b || pair.state === 'frozen' || pair.state === 'waiting') continue;
      told++;
      this.#tell({kind: 'pair', pair: {local: a, remote: b, state: pair.state === 'failed' ? 'failed' : 'tried'}});
    }
    this.#tell({kind: 'pair', pair: {local, remote, state: 'won'}});
  }

  /** The first packet and frame of what arrives, since Join. */
  #media(reports: Reports): void {
    const joined = this.about.joined();
    if (!joined || !this.about.seat()) return;
    for (const report of reports.values()) {
      if (report.type !== 'inbound-rtp') continue;
      const source = this.about.sourceOf(report.trackIdentifier ?? '');
      if (!source) continue;
      const event = (kind: ReportEvent['kind']) => this.#tell({kind, source, ms: performance.now() - joined});
      // Without a shared screen its section carries nothing but probes of the bandwidth.
      if (source.startsWith('screen') && !report.framesDecoded) continue;
      if (report.packetsReceived && this.#once(`packet ${source}`)) event('first-packet');
      if (report.framesDecoded && this.#once(`frame ${source}`)) event('first-frame');
    }
  }

  #once(what: string): boolean {
    if (this.#first.has(what)) return false;
    this.#first.add(what);
    return true;
  }
}

function candidateOf(report: Stat | undefined): ReportCandidate | null {
  const {candidateType: type, protocol, relayProtocol: relay, address, port}: Partial<Stat> = report ?? {};
  if (type !== 'host' && type !== 'srflx' && type !== 'prflx' && type !== 'relay') return null;
  const where = address?.includes(':') ? `[${address}]` : address;
  return {
    type,
    protocol: protocol === 'tcp' ? 'tcp' : 'udp',
    ...(where && {address: port ? `${where}:${port}` : where}),
    ...(relay && {relay}),
  };
}
