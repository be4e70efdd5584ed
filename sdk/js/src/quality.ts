/**
 * Watches how every person of a call comes through and how my own network does, tells both sides, and adapts what is
 * sent. It owns one meter for each other person, which follows the link in use.
 */
import type {Quality} from './api.js';
import type {ChannelPort, Control, ControlMessage} from './channels.js';
import type {Person} from './person.js';
import {LinkMeter} from './quality-meter.js';
import {Steady} from './quality-steady.js';
import {mine, type Told, type Verdict} from './quality-verdict.js';

/** What the watch asks of its room. */
export interface WatchPort {
  /** Everybody with a seat, me included. */
  people(): readonly Person[];
  /** Tells when people come and go; returns what stops listening. */
  onPeople(listener: () => void): () => void;
  readonly control: Control;
  readonly channels: Pick<ChannelPort, 'on'>;
  /** Takes an event for the call's record. */
  note(event: {
    kind: 'quality' | 'video-paused' | 'video-resumed';
    seat: string;
    cause: string;
    level?: 0 | 1 | 2;
    score?: number;
  }): void;
  /** The round trip to the server in milliseconds; undefined while it is not known. */
  serverRtt(): number | undefined;
}

/** Starts watching. Returns what ends it. */
export function watchQuality(port: WatchPort): () => void {
  const watch = new Watch(port);
  return () => watch.close();
}

class Watch {
  readonly #meters = new Map<string, {person: Person; meter: LinkMeter; release: () => void}>();
  readonly #told = new Map<string, string>();
  readonly #own = new Steady();
  readonly #release: (() => void)[];
  #leastRtt = Number.POSITIVE_INFINITY;
  #paused = false;

  constructor(readonly port: WatchPort) {
    this.#release = [
      port.onPeople(() => this.#follow()),
      port.control.on('quality', (seat, message) => this.#hear(seat, message)),
      port.channels.on('up', (seat) => {
        this.#told.delete(seat); // a new transport: say it again
        this.#tell();
      }),
      port.channels.on('down', (seat) => {
        const meter = this.#meters.get(seat)?.meter;
        if (meter) meter.told = null;
      }),
    ];
    this.#follow();
  }

  close(): void {
    for (const release of this.#release) release();
    for (const seat of [...this.#meters.keys()]) this.#forget(seat);
  }

  /** Gives each person a meter, and takes it from who has left. */
  #follow(): void {
    const people = new Map(this.port.people().map((person) => [person.id, person]));
    for (const [seat, {person}] of this.#meters) if (people.get(seat) !== person) this.#forget(seat);
    for (const [seat, person] of people) {
      if (this.#meters.has(seat)) continue; // mine is for what I send to the hub
      const meter = new LinkMeter(person, {
        measured: () => this.#judge(seat),
        paused: (paused, cause) => this.port.note({kind: paused ? 'video-paused' : 'video-resumed', seat, cause}),
      });
      person.meter = meter;
      const release = person.on('path', ({kind}) => {
        if (meter.broke(kind) && !person.isMe) this.#rate(seat);
      });
      this.#meters.set(seat, {person, meter, release});
    }
  }

  #forget(seat: string): void {
    const entry = this.#meters.get(seat);
    entry?.release();
    if (entry) entry.person.meter = null;
    this.#meters.delete(seat);
    this.#told.delete(seat);
  }

  /** A meter has new figures. */
  #judge(seat: string): void {
    const own = this.#meters.get(seat);
    if (!own) return;
    const now = performance.now();
    // What I send to the hub is no link like the others: it has one direction, and they the other.
    const others = own.person.isMe
      ? []
      : [...this.#meters.values()].filter(({person, meter}) => meter !== own.meter && !person.isMe && meter.fresh(now));
    own.meter.weigh({
      accessSwells: this.#swells(),
      othersLose: others.length ? others.some(({meter}) => meter.loses) : null,
      othersMiss: others.length ? others.some(({meter}) => meter.misses) : null,
    });
    if (!own.person.isMe) this.#rate(seat);
    this.#reflect(now);
    this.#tell();
  }

  /** Tells the app, and the call's record, how a person comes through. */
  #rate(seat: string): void {
    const {person, meter} = this.#meters.get(seat) ?? {};
    if (!person || !meter) return;
    this.#show(person, meter.quality);
  }

  #show(person: Person, quality: Quality): void {
    const {level, reason, sound} = quality;
    const before = person.quality;
    const moved = level !== before.level || reason !== before.reason;
    const near = Math.abs((sound ?? 0) - (before.sound ?? 0)) < 0.05;
    if (!moved && near && quality.paused === before.paused) return;
    person.rate(quality);
    if (!moved || level === null) return;
    this.port.note({
      kind: 'quality',
      seat: person.id,
      level,
      cause: reason,
      ...(sound !== undefined && {score: Math.round(sound * 100)}),
    });
  }

  /** Finds out how my own network does: as badly as the worst of its links says. */
  #reflect(now: number): void {
    const me = this.port.people().find((person) => person.isMe);
    let worst: Verdict | null = null;
    let paused = false;
    for (const {meter} of this.#meters.values()) {
      if (!meter.evidence || !meter.fresh(now)) continue;
      const verdict = mine(meter.evidence);
      if (!worst || verdict.level < worst.level) worst = verdict;
      paused ||= meter.evidence.paused;
    }
    if (!me || !worst) return;
    this.#own.take(worst, now, paused && !this.#paused);
    this.#paused = paused;
    const {level, reason} = this.#own;
    this.#show(me, {level, reason, paused, ...(worst.sound !== undefined && {sound: worst.sound})});
  }

  /** Whether the way to the server has become long: whatever makes it so lies on my own way out or in. */
  #swells(): boolean {
    const rtt = this.port.serverRtt();
    if (rtt === undefined) return false;
    this.#leastRtt = Math.min(rtt, this.#leastRtt + 1);
    return rtt > 2 * this.#leastRtt + 150;
  }

  /** Tells each of the others how my own network is, when it changed. */
  #tell(): void {
    const {level, reason} = this.#own;
    if (level === null) return;
    const me = [...this.#meters.values()].find(({person}) => person.isMe)?.meter;
    const held = me?.fresh(performance.now()) === true && me.evidence?.paused === true;
    for (const [seat, {person, meter}] of this.#meters) {
      if (person.isMe) continue;
      const message = {type: 'quality', level, reason, paused: held || (meter.evidence?.paused ?? false)};
      const text = JSON.stringify(message);
      if (this.#told.get(seat) !== text && this.port.control.send(seat, message)) this.#told.set(seat, text);
    }
  }

  /** Takes what another side says about itself; what is not of the right form is not heard. */
  #hear(seat: string, {level, reason, paused}: ControlMessage): void {
    const meter = this.#meters.get(seat)?.meter;
    if (!meter || (level !== 0 && level !== 1 && level !== 2) || typeof reason !== 'string') return;
    // Only these two words make a difference here; any other is a trouble of theirs.
    meter.told = {level, reason: reason as Told['reason'], paused: paused === true};
    this.#rate(seat);
  }
}
