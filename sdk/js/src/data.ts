import type {RoomData, RoomDataEvents} from './api.js';
import type {ChannelPort, Delivery} from './channels.js';
import {Events} from './emitter.js';
import type {Stream, Streams} from './streams.js';

/** Programs' data, by label. A label is there at once; what carries it is loaded with the code of links, before any link. */
export class DataHub {
  readonly #labels = new Map<string, Label>();
  #streams: Streams | null = null;
  /** Resolves when links can be made: what the others open finds its label. */
  readonly ready: Promise<void>;

  constructor(channels: ChannelPort) {
    this.ready = import('./streams.js').then(({Streams}) => {
      this.#streams = new Streams(channels);
      for (const label of this.#labels.values()) label.begin(this.#streams);
    });
  }

  /** Opens a label; the same one again as long as it is open. */
  open(label: string, delivery: Delivery): RoomData {
    const open = this.#labels.get(label);
    if (open) return open;
    const made: Label = new Label(label, delivery, () => {
      if (this.#labels.get(label) === made) this.#labels.delete(label);
    });
    this.#labels.set(label, made);
    if (this.#streams) made.begin(this.#streams);
    return made;
  }
}

class Label extends Events<RoomDataEvents> implements RoomData {
  #stream: Stream | null = null; // without it nobody can be reached

  constructor(
    readonly label: string,
    readonly delivery: Delivery,
    readonly forget: () => void,
  ) {
    super();
  }

  begin(streams: Streams): void {
    this.#stream = streams.open(this.label, this.delivery, this.emit.bind(this));
  }

  get open(): ReadonlySet<string> {
    return this.#stream?.open ?? new Set();
  }

  send(data: string | ArrayBuffer | ArrayBufferView, to?: string): boolean {
    return this.#stream?.send(data, to) ?? false;
  }

  buffered(to?: string): number {
    return this.#stream?.buffered(to) ?? 0;
  }

  close(): void {
    this.#stream?.close();
    this.forget();
  }
}
