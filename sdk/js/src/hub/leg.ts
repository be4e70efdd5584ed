import type {Plan} from '../adaptation-plan.js';
import type {Path, Source} from '../api.js';
import {Ear} from '../ear.js';
import type {Reports} from '../path.js';
import type {Way} from '../way.js';
import type {HubLink} from './link.js';

/** The way to somebody through the hub: the places that show them. */
export class Leg implements Way {
  readonly #ear = new Ear();

  constructor(
    readonly seat: string,
    readonly link: HubLink,
  ) {}

  get path(): Path {
    return this.link.path;
  }

  get reports(): Reports | null {
    return this.link.reports;
  }

  track(source: Source): MediaStreamTrack | null {
    return this.#receiver(source)?.track ?? null;
  }

  level(): number {
    return this.#ear.level(this.#receiver('microphone'));
  }

  carries(mid: string, direction: 'sent' | 'received'): Source | null {
    if (direction === 'sent') return null;
    return this.link.places.find((place) => place.mid === mid && place.seat === this.seat)?.source ?? null;
  }

  senders(): [] {
    return [];
  }

  held(source: Source): 'bandwidth' | 'publisher' | null {
    return this.link.placeOf(this.seat, source)?.paused ?? null;
  }

  #receiver(source: Source): RTCRtpReceiver | undefined {
    return this.link.receiverOf(this.seat, source);
  }
}

/** The way of what I send to the hub, for everybody at once. */
export class Uplink implements Way {
  constructor(readonly link: HubLink) {}

  get path(): Path {
    return this.link.path;
  }

  get reports(): Reports | null {
    return this.link.reports;
  }

  track(): null {
    return null;
  }

  level(): number {
    return 0;
  }

  carries(mid: string, direction: 'sent' | 'received'): Source | null {
    return direction === 'sent' ? this.link.sentIn(mid) : null;
  }

  *senders(): Generator<readonly [Source, RTCRtpSender]> {
    for (const [source, {sender}] of this.link.sections.own) yield [source, sender];
  }

  follow(plan: Plan): void {
    this.link.encodings.follow(plan);
  }
}

/** Two ways to somebody during a switch: each source comes by the new one as soon as it has arrived there. */
export class Both implements Way {
  constructor(
    readonly before: Way | null,
    readonly after: Way,
    readonly arrived: (source: Source) => boolean,
  ) {}

  get path(): Path {
    return this.#way('microphone').path;
  }

  get reports(): Reports | null {
    return this.#way('microphone').reports;
  }

  track(source: Source): MediaStreamTrack | null {
    return this.#way(source).track(source) ?? this.before?.track(source) ?? this.after.track(source);
  }

  level(): number {
    return this.#way('microphone').level();
  }

  carries(mid: string, direction: 'sent' | 'received'): Source | null {
    return this.#way('microphone').carries(mid, direction);
  }

  senders(): Iterable<readonly [Source, RTCRtpSender]> {
    return this.#way('microphone').senders();
  }

  held(source: Source): 'bandwidth' | 'publisher' | null {
    return this.#way(source).held?.(source) ?? null;
  }

  #way(source: Source): Way {
    return this.before && !this.arrived(source) ? this.before : this.after;
  }
}
