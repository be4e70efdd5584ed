import type {Path, Shown} from '../api.js';
import {prefer} from '../link.js';
import type {Body, Incoming, LinkMessage} from '../message.js';
import {pathOf, type Reports, selectedPair} from '../path.js';
import type {Made} from '../prepared.js';
import type {Publication} from '../publication.js';
import {Transport, type TransportPort} from '../transport.js';
import type {Seal} from '../veil.js';
import type {Source, Track, Want} from '../wire.gen.js';
import {Encodings} from './encodings.js';
import {maxPictures, pictureStep, places, type Sections} from './offer.js';
import {Pool} from './pool.js';
import type {Place} from './words.js';

/** What a link with the hub asks of the one who keeps it. */
export interface HubLinkPort extends TransportPort {
  /** The hub asks for an ICE restart. */
  asked(): void;
  /** What encrypts in an encrypted room. */
  readonly seal: Seal | null;
  /** The session that holds a seat now. */
  sessionOf(seat: string): string;
}

/** One RTCPeerConnection with the hub, for everything: what I send, and places on which the hub shows what I want. */
export class HubLink extends Transport<HubLinkPort> {
  readonly encodings: Encodings;
  #named = '';
  #announced: readonly Source[] = [];
  #places: readonly Place[] = [];
  #told = false; // of the places, on the control channel
  #shown: readonly Shown[] = [];
  readonly #pool = new Pool();
  #said: readonly Want[] | null = null;

  constructor(
    id: string,
    made: Made,
    readonly sections: Sections,
    port: HubLinkPort,
  ) {
    super(id, true, made, port);
    this.encodings = new Encodings(sections.own);
  }

  /** It is connected, and the hub knows what is sent on it. */
  get agreed(): boolean {
    return this.connected && !this.negotiation.waiting;
  }

  /** What the places show now. */
  get places(): readonly Place[] {
    return this.#places;
  }

  /** Takes what the hub says on the control channel: from then on an answer, which takes the longer way, may be older. */
  showing(places: readonly Place[]): void {
    this.#told = true;
    this.#places = places;
    this.port.changed();
  }

  /** The place that shows a source of somebody. */
  placeOf(seat: string, source: Source): Place | null {
    return this.#places.find((place) => place.seat === seat && place.source === source) ?? null;
  }

  /** What receives on a place, whoever is heard there. */
  receiver(mid: string): RTCRtpReceiver | undefined {
    const {sounds, pictures} = this.sections;
    return (sounds.find((t) => t.mid === mid) ?? pictures.find((t) => t.mid === mid))?.receiver;
  }

  /** What receives a source of somebody; nothing while what comes there was sealed by somebody else, or not yet. */
  receiverOf(seat: string, source: Source): RTCRtpReceiver | undefined {
    const place = this.placeOf(seat, source);
    const receiver = place ? this.receiver(place.mid) : undefined;
    return receiver && this.#theirs(receiver, seat) ? receiver : undefined;
  }

  /** The place whose receiver has a track, while what comes there is from whom it shows. */
  placeOfTrack(id: string): Place | null {
    const shows = ({mid, seat}: Place) => {
      const receiver = this.receiver(mid);
      return receiver?.track.id === id && this.#theirs(receiver, seat);
    };
    return this.#places.find(shows) ?? null;
  }

  receivers(): RTCRtpReceiver[] {
    return this.#places.map(({mid}) => this.receiver(mid)).filter((receiver) => receiver !== undefined);
  }

  /** Sets what is sent. `announced` are the sources that the hub is to know of, though nothing may be sent of them now. */
  publish(publication: Publication, announced: readonly Source[]): void {
    this.encodings.forget(publication);
    for (const [source, {sender}] of this.sections.own) {
      const track = publication.get(source) ?? null;
      this.swap(source, sender, track, () => {
        if (track?.kind === 'video' && source !== 'camera') prefer(sender, track);
        this.encodings.apply();
      });
    }
    const named = announced.join();
    if (named === this.#named) return;
    this.#named = named;
    this.#announced = announced;
    if (this.offered) this.negotiation.offer();
  }

  /** Sets what is shown, makes places for it, and tells the hub. */
  show(shown: readonly Shown[]): void {
    this.#shown = shown;
    const {wants, lacking: all} = this.#assign();
    const {pictures} = this.sections;
    // Those that were made have no name before the next offer, which may have to wait for the answer to this one.
    const lacking = Math.max(0, all - pictures.filter(({mid}) => mid === null).length);
    if (lacking && pictures.length < maxPictures && this.offered) {
      const count = Math.ceil(lacking / pictureStep) * pictureStep;
      pictures.push(...places(this.pc, 'video', Math.min(count, maxPictures - pictures.length), this.port.seal));
      this.negotiation.offer();
    }
    if (wants === this.#said || !this.tell(JSON.stringify({type: 'show', show: wants}))) return;
    this.#said = wants;
  }

  receive(message: LinkMessage): void {
    if (message.type === 'renegotiate' && message.restart) this.port.asked();
    else this.negotiation.receive(message);
    if (message.type !== 'answer' || this.#told) return;
    this.#places = (message as Incoming['answer']).places ?? this.#places;
    this.port.changed();
  }

  /** The source that I send in a section. */
  sentIn(mid: string): Source | null {
    for (const [source, transceiver] of this.sections.own) if (transceiver.mid === mid) return source;
    return null;
  }

  // ---- Side

  protected override dress(body: Omit<Body<'offer'>, 'to' | 'link'>): Omit<Body<'offer'>, 'to' | 'link'> {
    const {wants} = this.#assign();
    this.#said = wants;
    return {...body, show: [...wants]};
  }

  bind(): void {
    // Sections are named once and for all; what the places show is told.
    this.encodings.apply();
    this.show(this.#shown); // places may have come
    this.port.changed();
  }

  tracks(): Track[] {
    return [...this.sections.own]
      .filter(([source, {mid}]) => mid !== null && this.#announced.includes(source))
      .map(([source, {mid}]) => ({mid: mid as string, source}));
  }

  protected override wayOf(reports: Reports, relays: readonly string[]): Path {
    const way = pathOf(reports, relays);
    if (way.kind === 'connecting') return way;
    const {protocol} = reports.get(selectedPair(reports)?.localCandidateId ?? '') ?? {};
    return {...way, kind: 'hub', protocol: way.protocol ?? (protocol === 'tcp' ? 'tcp' : 'udp')};
  }

  /** The hub says whom a place shows; in an encrypted room the key of what comes has to say the same. */
  #theirs(receiver: RTCRtpReceiver, seat: string): boolean {
    const {seal} = this.port;
    if (!seal) return true;
    const owner = seal.ownerOf(receiver);
    return owner !== '' && owner === this.port.sessionOf(seat);
  }

  #assign() {
    const mids = this.sections.pictures.map(({mid}) => mid).filter((mid) => mid !== null);
    return this.#pool.assign(mids, this.#shown);
  }
}
