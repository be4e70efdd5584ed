/**
 * The desk is where this person's files come and go: the transfers of the SDK as signals, what has been chosen and not
 * sent yet, and where received files are to go.
 */

import type {Files, Participant, Sendable, Transfer} from '@parley-rtc/sdk';
import {baseName, dropped, plainName} from '@parley-rtc/sdk/files';
import {computed, signal} from '@preact/signals';
import type {Visit} from '../visit/visit';
import {language} from '../words/words';
import {size} from './figures';
import {statusLine} from './status';
import {fileWords} from './words';

type Place = FileSystemFileHandle | FileSystemDirectoryHandle;

interface Pickers {
  showSaveFilePicker?(options: {suggestedName: string}): Promise<FileSystemFileHandle>;
  showDirectoryPicker?(options: {mode: 'readwrite'}): Promise<FileSystemDirectoryHandle>;
}

const UNDER_WAY: readonly Transfer['state'][] = ['queued', 'checking', 'moving', 'paused', 'waiting'];
/** How long the browser is given to begin one download before the next. */
const BETWEEN_DOWNLOADS_MS = 400;

export class Desk {
  /** All transfers, oldest first, as they were at their last change. */
  readonly transfers = signal<readonly Transfer[]>([]);
  /** Files that wait for the person to say who gets them. */
  readonly chosen = signal<readonly Sendable[]>([]);
  /** What needs an answer from this person: offers, and files to be chosen again. */
  readonly questions = computed(() =>
    this.transfers.value.filter(({direction, state}) => state === (direction === 'in' ? 'offered' : 'missing')),
  );
  readonly underWay = computed(() => this.transfers.value.filter(({state}) => UNDER_WAY.includes(state)));
  private readonly places = new Map<string, Place>();
  private readonly told = new Map<string, Transfer['state']>();
  private readonly stops: (() => void)[];

  constructor(
    private readonly visit: Visit,
    private readonly files: Files,
  ) {
    const take = (): void => {
      const seen = new Map(this.transfers.value.map((one) => [one.id, one]));
      this.transfers.value = files.list.map((one) => seen.get(one.id) ?? glance(one));
    };
    take();
    this.stops = [
      files.on('list', take),
      files.on('change', (changed) => {
        this.transfers.value = this.transfers.value.map((one) => (one.id === changed.id ? glance(changed) : one));
        this.tell(changed);
      }),
      files.on('offer', ({person, name, total}) =>
        visit.herald.say(fileWords().say.offer(person, plainName(name), size(total, language()))),
      ),
      files.on('received', (transfer) => void this.deliver(transfer)),
    ];
    for (const one of files.list) if (one.state === 'done' && one.direction === 'in') void this.deliver(one);
  }

  stop(): void {
    for (const stop of this.stops) stop();
  }

  /** Offers files to the only other person, or asks who is meant. */
  send(items: readonly Sendable[]): void {
    const others = this.visit.others.value;
    if (items.length === 0) return;
    if (others.length === 0) this.visit.herald.show(fileWords().nobody);
    else if (others.length > 1) {
      this.chosen.value = items;
      this.visit.panel.value = 'files';
    } else this.offer(items, others[0] as Participant);
  }

  offer(items: readonly Sendable[], to: Participant | 'all'): void {
    this.chosen.value = [];
    try {
      this.files.offer(items, to);
    } catch {
      this.visit.herald.show(fileWords().tooMany);
      return;
    }
    // The conversation shows it too; whoever reads there stays there.
    if (this.visit.panel.value !== 'chat') this.visit.panel.value = 'files';
  }

  async drop(data: DataTransfer): Promise<void> {
    try {
      this.send(await dropped(data));
    } catch {
      this.visit.herald.show(fileWords().reason.gone);
    }
  }

  accept(one: Transfer): void {
    void this.files.accept(one.id).catch(() => undefined); // the card says what is in the way
  }

  /** Whether the person can say where received files go. */
  canPlace(one: Transfer): boolean {
    const w = window as Pickers;
    return (one.files.length === 1 ? w.showSaveFilePicker : w.showDirectoryPicker) !== undefined;
  }

  /** Asks for the place, from a gesture, then takes the offer. */
  async acceptTo(one: Transfer): Promise<void> {
    const place = await this.ask(one);
    if (place === null) return;
    this.places.set(one.id, place);
    this.accept(one);
  }

  /** Whether the files went where the person said. */
  placed(one: Transfer): boolean {
    return this.places.has(one.id);
  }

  /** Gives a received transfer to the person: where they say, or as downloads. */
  async save(one: Transfer): Promise<void> {
    if (one.files.length > 1 && this.canPlace(one)) {
      const place = await this.ask(one);
      if (place === null) return;
      this.places.set(one.id, place);
    }
    await this.hand(one);
  }

  refuse = (one: Transfer): void => this.files.refuse(one.id);
  pause = (one: Transfer): void => this.files.pause(one.id);
  resume = (one: Transfer): void => this.files.resume(one.id);
  cancel = (one: Transfer): void => this.files.cancel(one.id);
  remove = (one: Transfer): void => this.files.remove(one.id);
  redirect = (one: Transfer, to: Participant): void => this.files.redirect(one.id, to);

  /** Goes on with files that the browser lost sight of: the same ones chosen again, or those it may open again. */
  retry(one: Transfer, items?: readonly Sendable[]): void {
    const w = fileWords();
    this.files.retry(one.id, items).catch(() => this.visit.herald.show(items ? w.wrong : w.denied));
  }

  /** What was received goes to the person at once, unless that takes more than one question to them. */
  private async deliver(one: Transfer): Promise<void> {
    if (!one.saved && (one.files.length === 1 || this.places.has(one.id))) await this.hand(one);
  }

  private async hand(one: Transfer): Promise<void> {
    const place = this.places.get(one.id);
    if (place !== undefined) {
      try {
        await this.files.save(one.id, place);
      } catch {
        this.places.delete(one.id); // taken away or full; it can be saved elsewhere
        this.visit.herald.show(fileWords().notSaved);
      }
      return;
    }
    for (const [i, {path}] of one.files.entries()) {
      const blob = this.files.content(one.id, i);
      if (blob === null) return;
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, BETWEEN_DOWNLOADS_MS));
      download(blob, plainName(baseName(path)));
    }
    this.files.markSaved(one.id);
  }

  private async ask(one: Transfer): Promise<Place | null> {
    const w = window as Pickers;
    const suggestedName = plainName(baseName(one.files[0]?.path ?? ''));
    try {
      if (one.files.length === 1) return (await w.showSaveFilePicker?.({suggestedName})) ?? null;
      return (await w.showDirectoryPicker?.({mode: 'readwrite'})) ?? null;
    } catch {
      return null; // the person closed the question
    }
  }

  /** Says each new state once. */
  private tell(one: Transfer): void {
    if (this.told.get(one.id) === one.state) return;
    const before = this.told.get(one.id);
    this.told.set(one.id, one.state);
    const {say} = fileWords();
    const name = plainName(one.name);
    const herald = this.visit.herald;
    if (one.state === 'moving' && before !== undefined) herald.say(say.started(name));
    else if (one.state === 'paused') herald.say(say.paused(name));
    else if (one.state === 'waiting' && before === 'moving') herald.say(say.waits(name));
    else if (one.state === 'done' && one.direction === 'in') herald.show(say.received(name));
    else if (one.state === 'done') herald.show(say.sent(name, one.person));
    else if (one.state === 'missing') herald.say(say.ended(name, fileWords().state.missing));
    else if (one.state === 'refused' || one.state === 'cancelled' || one.state === 'failed') {
      const line = say.ended(name, statusLine(one, false, false, fileWords()));
      if (one.mine && one.state !== 'failed') herald.say(line);
      else herald.show(line);
    }
  }
}

/** A transfer as it is now. What is drawn has to be a new object when it changed: an equal one is not drawn again. */
function glance(one: Transfer): Transfer {
  const {id, direction, seat, person, name, total, bytes, at, state, mine, pausedBy, reason, obstacle} = one;
  const {speedBps, leftMs, reopens, saved, freed, carried} = one;
  const files = one.files.map((file) => ({...file}));
  const who = {id, direction, seat, person, name, files, total, at};
  return {...who, bytes, state, mine, pausedBy, reason, obstacle, speedBps, leftMs, reopens, saved, freed, carried};
}

/** Lets the browser save a blob as it saves any download. */
function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has its own hold on the blob once the download has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
