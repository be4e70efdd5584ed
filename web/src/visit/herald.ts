/**
 * The herald tells what happens in the room: to ears through a live region, once each, and to eyes through short notes
 * that go by themselves.
 */

import type {Participant, Source} from '@parley-rtc/sdk';
import {signal} from '@preact/signals';
import {words} from '../words/words';
import type {Visit} from './visit';

export interface Note {
  id: number;
  text: string;
  /** Who speaks, on a chat message that came while the chat was closed. */
  from?: string;
}

/** How long a note stays, in milliseconds: enough to read fifteen words. */
const NOTE_MS = 5000;
/** How long a sentence stays in the live region; readers have taken it over long before. */
const SPOKEN_MS = 8000;

export class Herald {
  /** What the live region holds. */
  readonly spoken = signal<readonly Note[]>([]);
  /** What floats over the stage. */
  readonly notes = signal<readonly Note[]>([]);
  private next = 1;

  /** Says it to screen readers only. */
  say(text: string): void {
    this.put(this.spoken, {id: this.next++, text}, SPOKEN_MS);
  }

  /** Says it and shows it for a moment. */
  show(text: string, from?: string): void {
    this.say(from === undefined ? text : words().say.chat(from, text));
    this.put(this.notes, {id: this.next++, text, ...(from === undefined ? {} : {from})}, NOTE_MS);
  }

  /** Listens to a visit; returns what stops it. */
  follow(visit: Visit): () => void {
    const {room, media} = visit;
    const w = words();
    const seen = new Map<string, Seen>();
    const stops = [
      room.on('joined', (person) => {
        if (!person.isMe) this.show(w.say.joined(person.name));
      }),
      room.on('left', ({person, reason}) => {
        seen.delete(person.id);
        this.show((reason === 'removed' ? w.say.removed : w.say.left)(person.name));
      }),
      room.on('chat', (message) => {
        if (message.mine) return;
        if (visit.panel.value === 'chat') this.say(w.say.chat(message.name, message.text));
        else this.show(message.text, message.name);
      }),
      room.on('muted', ({source, by}) => this.show(mutedWords(source, by))),
      room.on('trouble', ({kind, person}) => {
        // Without a seat the door says it, and a step that went wrong on a path that stands is no loss.
        const linked = person?.path.kind === 'direct' || person?.path.kind === 'relayed';
        if (kind === 'refused' && room.status === 'joined') this.show(w.notice.refused);
        else if (person && !linked && kind !== 'signalling') this.show(w.notice.noLink(person.name));
      }),
      room.on('people', (people) => this.compare(people, seen)),
      media.on('speakingWhileMuted', () => {
        if (visit.phase.value === 'call')
          this.show(matchMedia('(hover: hover)').matches ? w.notice.hint : w.notice.hintTouch);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Tells what changed about people since they were last looked at. */
  private compare(people: readonly Participant[], seen: Map<string, Seen>): void {
    const {say: w} = words();
    for (const person of people) {
      if (person.isMe) continue;
      const now: Seen = {...person.media, state: person.state};
      const before = seen.get(person.id);
      seen.set(person.id, now);
      if (now.state === 'waiting') {
        if (before === undefined) this.say(w.waits(person.name));
        continue;
      }
      if (before === undefined || before.state === 'waiting') continue;
      if (now.state !== before.state) this.say((now.state === 'away' ? w.lost : w.backAgain)(person.name));
      if (now.microphone !== before.microphone) this.say((now.microphone ? w.theirMicOn : w.theirMicOff)(person.name));
      if (now.screen !== before.screen) this.say((now.screen ? w.shares : w.sharesEnd)(person.name));
    }
  }

  private put(list: typeof this.spoken, note: Note, ms: number): void {
    list.value = [...list.value, note].slice(-4);
    setTimeout(() => {
      list.value = list.value.filter((n) => n !== note);
    }, ms);
  }
}

interface Seen {
  microphone: boolean;
  screen: boolean;
  state: Participant['state'];
}

function mutedWords(source: Source, by: Participant | null): string {
  const {notice} = words();
  if (source === 'camera') return notice.camOffBy;
  if (source !== 'microphone') return notice.shareOffBy;
  return by === null ? notice.mutedHost : notice.mutedBy(by.name);
}
