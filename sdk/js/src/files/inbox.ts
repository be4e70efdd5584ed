import type {Room} from '../api.js';
import {freeAt, Incoming, type IncomingPort} from './incoming.js';
import {type Offer, textOf} from './message.js';
import type {Record as Description} from './moving.js';
import {pipeOf} from './pipe.js';
import {Receiver} from './receiver.js';
import type {Workshop} from './workshop.js';

/** How many channels of one person may carry files towards us. */
const maxFrom = 16;
/** How many more of them are told that these are too many; others are closed without a word. */
const maxBusy = 16;
/** How many offers of one person may wait for an answer. */
export const maxUnanswered = 4;
/** How long partial data is kept, in milliseconds. */
export const keptMs = 7 * 86_400_000;
/** How long a sender may take to say what it offers. */
const describeMs = 30_000;
/** How many offers of one person are heard in a minute. */
const maxOffersPerMinute = 60;
const minuteMs = 60_000;

/** What the inbox asks of the one who keeps the list. */
export interface InboxPort extends IncomingPort {
  find(id: string): Incoming | null;
  /** How many offers of a person wait for an answer. */
  unanswered(seat: string): number;
  add(transfer: Incoming): void;
  /** A person has to answer. */
  offered(transfer: Incoming): void;
  /** Resolves when a transfer belongs to this tab. */
  claim(id: string): Promise<void>;
}

/** Takes the channels on which others offer files, and takes up what was accepted before the page was loaded. */
export class Inbox {
  readonly #from = new Map<string, Set<RTCDataChannel>>();
  readonly #offers = new Map<string, {since: number; count: number}>();
  /** What lies in the browser's storage, by id: each resolves when it is in the list. */
  readonly #kept: Promise<ReadonlyMap<string, Promise<void>>>;

  constructor(
    readonly room: Pick<Room, 'name' | 'people'>,
    readonly workshop: Workshop,
    readonly port: InboxPort,
  ) {
    this.#kept = this.#recall().catch(() => new Map());
  }

  arrived(seat: string, channel: RTCDataChannel): void {
    const id = channel.label;
    const from = this.#from.get(seat) ?? new Set();
    if (!/^[\w-]{22}$/.test(id) || from.size >= maxFrom + maxBusy) {
      channel.close();
      return;
    }
    const busy = from.size >= maxFrom;
    this.#from.set(seat, from.add(channel));
    channel.addEventListener('close', () => from.delete(channel), {once: true});
    if (busy) {
      const pipe = pipeOf(channel, {text: () => {}, binary: () => {}, closed: () => {}});
      pipe.text(textOf({type: 'refuse', reason: 'busy'}));
      pipe.close(true);
      return;
    }
    let open = true;
    const patience = setTimeout(() => receiver.offered || receiver.refuse('bad-offer'), describeMs);
    const hangUp = (later = false): void => {
      open = false;
      clearTimeout(patience);
      pipe.close(later);
    };
    let one: Incoming | null = null;
    const pipe = pipeOf(channel, {
      text: (text) => receiver.text(text),
      binary: (message) => receiver.binary(message),
      closed: () => {
        open = false;
        clearTimeout(patience);
        receiver.stop();
        one?.lost(receiver);
      },
    });
    const receiver: Receiver = new Receiver(pipe, {
      offered: async (offer) => {
        // What was accepted before a reload has to be found first; then nobody is asked again.
        if (offer.again) await (await this.#kept).get(id);
        if (open) one = this.#offered(seat, id, offer, receiver, hangUp);
      },
      changed: () => one?.look(),
      verified: (file, hash) => one?.verified(file, hash),
      ended: (end) => (one ? one.ended(end) : hangUp(end.mine)),
    });
  }

  /** The transport with a person is gone, and with it their channels, perhaps without a word. */
  gone(seat: string): void {
    this.#from.delete(seat);
  }

  /** Finds the transfer that an offer is about, or makes it; null when it is refused at once. */
  #offered(
    seat: string,
    id: string,
    offer: Offer,
    receiver: Receiver,
    hangUp: (later?: boolean) => void,
  ): Incoming | null {
    const person = this.room.people.find((p) => p.id === seat)?.name ?? '';
    const known = this.port.find(id);
    if (known) {
      if (!known.matches(offer)) receiver.cancel('changed');
      else if (known.over && known.state !== 'done') receiver.refuse('declined');
      else {
        known.connect(receiver, seat, person, hangUp);
        return known;
      }
      return null;
    }
    if (this.port.unanswered(seat) >= maxUnanswered || this.#hasty(seat)) {
      receiver.refuse('busy');
      return null;
    }
    const {name, files, total} = offer;
    const record: Description = {id, room: this.room.name, seat, person, name, files, total, at: Date.now()};
    const one = new Incoming(record, this.port, this.workshop, false);
    one.connect(receiver, seat, person, hangUp);
    this.port.add(one);
    void one.measure();
    this.port.offered(one);
    return one;
  }

  /** Counts the offers of a person, and says whether there are too many. */
  #hasty(seat: string): boolean {
    const now = performance.now();
    let one = this.#offers.get(seat);
    if (!one || now - one.since > minuteMs) one = {since: now, count: 0};
    this.#offers.set(seat, one);
    return ++one.count > maxOffersPerMinute;
  }

  async #recall(): Promise<ReadonlyMap<string, Promise<void>>> {
    const kept = new Map<string, Promise<void>>();
    if (!(await this.workshop.works())) return kept;
    for (const {id, description} of await this.workshop.call('described', null)) {
      const record = readRecord(description);
      if (!record || Date.now() > Math.min(record.at + keptMs, freeAt(record)))
        void this.workshop.call('forget', {id}).catch(() => {});
      else if (record.room === this.room.name) kept.set(id, this.#takeUp(record));
    }
    return kept;
  }

  async #takeUp(record: Description): Promise<void> {
    await this.port.claim(record.id);
    if (!this.port.find(record.id)) this.port.add(new Incoming(record, this.port, this.workshop, true));
  }
}

function readRecord(text: string): Description | null {
  try {
    return JSON.parse(text) as Description;
  } catch {
    return null;
  }
}
