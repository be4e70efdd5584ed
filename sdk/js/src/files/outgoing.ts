import type {Transfer} from './api.js';
import {HashTree} from './hash.js';
import {type Record as Description, Moving, type MovingPort} from './moving.js';
import {type Pipe, pipeOf} from './pipe.js';
import {type End, Sender} from './sender.js';
import {FileSource, type Workshop} from './workshop.js';

/** How often a channel that the other side closes without a word is opened again, and after how long, in ms. */
const patience = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/** Files that we send to one person. */
export class Outgoing extends Moving {
  readonly direction = 'out';
  #sender: Sender | null = null;
  #flowing: Sender | null = null; // the one whose acceptance was noted
  #pipe: Pipe | null = null;
  #source: FileSource | null = null;
  #hashes: HashTree;
  #before = 0; // bytes that earlier channels carried
  #confirmed = 0;
  #admitted = false;
  #silent = 0; // channels in a row that brought no answer
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** It was offered before, so that the other side may know it. */
  offeredBefore = false;

  constructor(
    record: Description,
    port: MovingPort,
    readonly workshop: Workshop,
    blobs: readonly Blob[] | null,
  ) {
    super(record, port, blobs ? 'waiting' : 'missing');
    this.#hashes = new HashTree(record.files);
    if (blobs) this.supply(blobs);
  }

  get bytes(): number {
    return this.state === 'done' ? this.total : (this.#sender?.confirmed ?? this.#confirmed);
  }
  get carried(): number {
    return this.#before + (this.#sender?.sent ?? 0);
  }
  get pausedBy(): Transfer['pausedBy'] {
    return this.pausedHere ? 'me' : this.#sender?.pausedThere ? 'them' : 'nobody';
  }
  get connected(): boolean {
    return this.#sender !== null;
  }
  /** It has an answer, so it competes for its turn. */
  get accepted(): boolean {
    return this.#sender?.accepted ?? false;
  }
  /** It is offered, or about to be, and has no answer. */
  get asking(): boolean {
    return this.#pipe !== null && !this.accepted && !this.over;
  }
  /** A channel for it may be opened now. */
  get ready(): boolean {
    return this.#sender === null && this.#timer === undefined && (this.state === 'waiting' || this.state === 'queued');
  }

  /** Takes the files; they are read when they are needed. */
  supply(blobs: readonly Blob[]): void {
    this.#source?.close();
    this.#source = new FileSource(this.workshop, this.id, blobs, this.record.files);
    if (this.state !== 'missing') return;
    this.become('waiting');
  }

  /** Offers it on a channel. */
  connect(channel: RTCDataChannel): void {
    const source = this.#source;
    if (!source || this.over) {
      channel.close();
      return;
    }
    this.disconnect();
    const pipe: Pipe = pipeOf(channel, {
      open: () => {
        this.#calm();
        const {name, files, total} = this.record;
        const port = {changed: () => this.#look(), ended: (end: End) => this.#ended(end)};
        this.#sender = new Sender({name, files, total, again: this.offeredBefore}, this.#hashes, source, pipe, port);
        this.offeredBefore = true;
        this.#sender.admit(this.#admitted);
        this.become('offered');
      },
      text: (text) => this.#sender?.text(text),
      binary: () => this.#sender?.binary(),
      closed: () => this.#closed(),
    });
    this.#pipe = pipe;
    this.become('waiting');
    // A channel between its making and its opening keeps the next one from being made.
    this.#timer = setTimeout(() => this.#again(), patience.at(-1));
  }

  disconnect(): void {
    this.#calm();
    this.#before = this.carried;
    this.#confirmed = this.#sender?.confirmed ?? this.#confirmed;
    this.#sender?.stop();
    this.#sender = null;
    this.#pipe?.close();
    this.#pipe = null;
    if (!this.over && this.state !== 'missing') this.become('waiting');
  }

  /** A new transport, or person, is a new beginning: how often channels were closed before does not count. */
  forgive(): void {
    this.#silent = 0;
  }

  /** Gives it its turn, or takes it. */
  admit(on: boolean): void {
    if (on === this.#admitted) return;
    this.#admitted = on;
    this.#sender?.admit(on);
    this.#look();
  }

  pause(on: boolean): void {
    this.pausedHere = on;
    this.#sender?.pause(on);
    this.#look();
    this.port.changed(this);
  }

  cancel(): void {
    if (this.over) return;
    if (this.#sender) this.#sender.cancel('cancelled');
    else this.#ended({how: 'cancelled', reason: 'cancelled', mine: true});
  }

  /** Goes to another seat from now on. */
  redirect(seat: string, person: string): void {
    this.disconnect();
    this.forgive();
    Object.assign(this.record, {seat, person});
    this.port.changed(this);
  }

  /** Reads the state off the engine. */
  #look(): void {
    const sender = this.#sender;
    if (!sender || this.over) return;
    for (const [i, file] of this.files.entries()) {
      if (file.hash === null && sender.verified(i)) void this.#hash(i);
    }
    if (!sender.accepted) return;
    this.#silent = 0;
    if (sender !== this.#flowing) this.flows();
    this.#flowing = sender;
    const state = this.pausedBy !== 'nobody' ? 'paused' : this.#admitted ? 'moving' : 'queued';
    if (state === this.state) return;
    if (this.state === 'offered' || this.state === 'waiting') sender.pause(this.pausedHere);
    this.become(state);
  }

  async #hash(file: number): Promise<void> {
    const one = this.files[file];
    if (one) one.hash = await this.#hashes.file(file).root();
    this.port.changed(this);
  }

  #ended(end: End): void {
    this.#calm();
    this.#before = this.carried;
    this.#confirmed = this.#sender?.confirmed ?? this.#confirmed;
    for (const i of this.files.keys()) if (end.how === 'done') void this.#hash(i);
    this.#sender = null;
    this.#source?.close();
    this.finish(end);
    this.#pipe?.close(end.mine);
  }

  /** The other side, or the network, closed the channel. */
  #closed(): void {
    const answered = this.#sender?.accepted ?? false;
    this.disconnect();
    if (this.over) return;
    const wait = answered ? patience[0] : patience[this.#silent++];
    if (wait === undefined) this.#ended({how: 'cancelled', reason: 'unanswered', mine: false});
    else this.#timer = setTimeout(() => this.#again(), wait);
  }

  #calm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #again(): void {
    this.#timer = undefined;
    if (!this.#sender && !this.over) this.disconnect();
    this.port.changed(this);
  }
}
