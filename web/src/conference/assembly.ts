/** What a conference is beside the call: who has the floor, who is where, hands, signs and captions. One per visit. */

import type {Participant, ReactionKind} from '@parley-rtc/sdk';
import {batch, computed, effect, signal} from '@preact/signals';
import type {Visit} from '../visit/visit';
import {CAPTIONS, CaptionLines, type Line} from './captions';
import {playChime} from './chime';
import {Eyes, type Mini} from './eyes';
import {Floor} from './floor';
import type {Box, Shape} from './grid';
import {keyOf, type Plan, plan, type Wishes} from './plan';
import {keepPrefs, readPrefs} from './prefs';
import {conferenceWords} from './words';

export interface Sign {
  id: number;
  seat: string;
  name: string;
  kind: ReactionKind;
}

/** How long a sign is seen, in milliseconds, and how many at once. */
const SIGN_MS = 4000;
const SIGNS = 12;
/** Signs are told to ears together, so often at most, in milliseconds. */
const TELL_MS = 3000;
/** From this many others on, the page is a conference. */
const CROWD = 2;

export class Assembly {
  readonly area = signal<Box | null>(null);
  readonly wishes = signal<Wishes>({view: 'grid', pinned: '', page: 0});
  readonly floor = signal('');
  readonly signs = signal<readonly Sign[]>([]);
  readonly lines = signal<readonly Line[]>([]);
  readonly captions = signal(false);
  /** The shape of most pictures, as far as they have been seen. */
  readonly shape = signal<Shape>('landscape');
  readonly menu = signal(false);
  private readonly changed = signal(0);
  private readonly holder = new Floor();
  private readonly book = new CaptionLines();
  private readonly stops: (() => void)[] = [];
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private readonly shapes = new Map<string, Shape>();
  private silence: (() => void) | null = null;
  private eyes: Eyes | null = null;
  private floorTimer: ReturnType<typeof setTimeout> | undefined;
  private untold: Sign[] = [];
  private next = 1;

  /** Where everybody stands; null while two are alone with each other, who need none of this. */
  readonly plan = computed<Plan | null>(() => {
    this.changed.value;
    const area = this.area.value;
    const {visit} = this;
    if (area === null || !visit.seated.value || visit.others.value.length < CROWD) return null;
    return plan(visit.people.value, this.floor.value, area, this.shape.value, this.wishes.value);
  });

  /** Whose hands are up, in their order. */
  readonly hands = computed<readonly Participant[]>(() => {
    this.changed.value;
    return this.visit.people.value
      .filter((p) => p.hand !== null && p.state !== 'waiting')
      .sort((a, b) => (a.hand ?? 0) - (b.hand ?? 0));
  });

  constructor(readonly visit: Visit) {
    const {room, media, herald} = visit;
    const touch = (): void => {
      this.changed.value++;
      this.eyes?.look();
      this.hear();
    };
    let waiting = new Set<string>();
    let hands = new Set(this.raised());
    this.stops.push(
      room.on('people', (people) => {
        touch();
        const gone = this.book.retain(new Set(people.map((p) => p.id)));
        if (gone && this.silence) this.lines.value = this.book.lines;
        const outside = people.filter((p) => p.state === 'waiting').map((p) => p.id);
        if (room.info?.role === 'host' && outside.some((id) => !waiting.has(id))) playChime(media);
        waiting = new Set(outside);
        const up = this.raised();
        const fresh = up.filter((id) => !hands.has(id) && id !== room.me?.id);
        hands = new Set(up);
        const raised = people.find((p) => fresh.includes(p.id));
        if (raised) this.tellHand(raised);
      }),
      room.on('reaction', ({person, kind}) => this.sign(person, kind)),
      media.on('change', touch),
      room.on('speakers', () => this.hear()),
      effect(() => {
        if (this.captions.value) this.listen();
        else this.deafen();
      }),
    );
    if (room.info?.role === 'host' && visit.outside.value.length > 0) playChime(media);
    waiting = new Set(visit.outside.value.map((p) => p.id));
    const {view, captions} = readPrefs();
    this.captions.value = captions;
    this.wishes.value = {...this.wishes.value, view};
    herald.calm = () => visit.others.value.length > 6;
    this.hear();
  }

  stop(): void {
    for (const stop of this.stops) stop();
    for (const timer of this.timers) clearTimeout(timer);
    clearTimeout(this.floorTimer);
    this.deafen();
    this.look(null);
  }

  /** Takes the stage that pictures are looked at on; null when it is gone. */
  look(stage: HTMLElement | null): void {
    this.eyes?.stop();
    const {room} = this.visit;
    const sent = (seat: string, source: string): boolean => {
      const person = room.people.find((p) => p.id === seat);
      return person !== undefined && !person.isMe && (source === 'screen' ? person.media.screen : person.media.camera);
    };
    this.eyes = stage === null ? null : new Eyes(room, sent, stage);
  }

  /** Takes what is shown in a window of its own; null when that is closed. */
  set mini(mini: Mini | null) {
    if (this.eyes) this.eyes.mini = mini;
  }

  show(view: Wishes['view']): void {
    keepPrefs({view});
    this.wishes.value = {...this.wishes.value, view, pinned: '', page: 0};
  }

  /** Shows captions, or no longer. */
  caption(on: boolean): void {
    keepPrefs({captions: on});
    this.captions.value = on;
  }

  turn(page: number): void {
    this.wishes.value = {...this.wishes.value, page: Math.max(0, page)};
  }

  /** Keeps a picture on the stage, or no longer. */
  pin(picture: Parameters<typeof keyOf>[0]): void {
    const key = keyOf(picture);
    const {pinned} = this.wishes.value;
    const {herald} = this.visit;
    const w = conferenceWords();
    this.wishes.value = {...this.wishes.value, pinned: pinned === key ? '' : key, page: 0};
    herald.say(pinned === key ? w.unpinned : w.pinnedWho(picture.person.name));
  }

  /** Takes the shape of somebody's picture. */
  shaped(seat: string, width: number, height: number): void {
    if (width === 0 || height === 0) return;
    this.shapes.set(seat, width < height ? 'portrait' : 'landscape');
    const seats = new Set(this.visit.people.value.map((p) => p.id));
    for (const known of this.shapes.keys()) if (!seats.has(known)) this.shapes.delete(known);
    const tall = [...this.shapes.values()].filter((shape) => shape === 'portrait').length;
    this.shape.value = tall * 2 > this.shapes.size ? 'portrait' : 'landscape';
  }

  private raised(): string[] {
    return this.visit.room.people.filter((p) => p.hand !== null && p.state !== 'waiting').map((p) => p.id);
  }

  /** Looks who has the floor. */
  private hear(): void {
    clearTimeout(this.floorTimer);
    const {room} = this.visit;
    const others = room.people.filter((p) => !p.isMe && p.state !== 'waiting');
    const now = performance.now();
    this.floor.value = this.holder.look(room.speakers, new Set(others.map((p) => p.id)), now);
    const due = this.holder.next(now);
    if (due !== null) this.floorTimer = setTimeout(() => this.hear(), due + 1);
  }

  private sign(person: Participant, kind: ReactionKind): void {
    const sign: Sign = {id: this.next++, seat: person.id, name: person.name, kind};
    this.signs.value = [...this.signs.value, sign].slice(-SIGNS);
    this.later(SIGN_MS, () => {
      this.signs.value = this.signs.value.filter((s) => s !== sign);
    });
    if (person.isMe) return;
    if (this.untold.length === 0) this.later(this.signs.value.length > 1 ? TELL_MS : 0, () => this.tellSigns());
    this.untold.push(sign);
  }

  private tellSigns(): void {
    const signs = this.untold.splice(0);
    const [first] = signs;
    if (first === undefined) return;
    const w = conferenceWords();
    const names = new Set(signs.map((s) => s.name));
    this.visit.herald.say(
      names.size === 1 ? w.reacted(first.name, w.reactions[first.kind]) : w.reactedMany(names.size),
    );
  }

  private tellHand(person: Participant): void {
    const w = conferenceWords();
    const text = w.handUp(person.name);
    // In a full room, only who has to act on it is told.
    if (this.visit.isHost.value) this.visit.herald.show(text);
    else if (!this.visit.herald.calm()) this.visit.herald.say(text);
  }

  /** Opens the captions of this room. */
  private listen(): void {
    if (this.silence) return;
    const {room} = this.visit;
    const data = room.data(CAPTIONS);
    const off = data.on('message', ({from, data: text}) => {
      if (this.book.take(from, text, performance.now())) this.lines.value = this.book.lines;
    });
    const timer = setInterval(() => {
      if (this.book.expire(performance.now())) this.lines.value = this.book.lines;
    }, 500);
    this.silence = () => {
      clearInterval(timer);
      off();
      data.close();
      this.lines.value = [];
    };
  }

  private deafen(): void {
    this.silence?.();
    this.silence = null;
  }

  private later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      batch(act);
    }, ms);
    this.timers.add(timer);
  }
}
