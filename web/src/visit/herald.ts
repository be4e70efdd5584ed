/**
 * The herald tells what happens in the room: to ears through a live region, once each, and to eyes through short notes
 * that go by themselves.
 */

import {signal} from '@preact/signals';

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
  /** Whether so much happens in the room that only what matters to everybody is told. */
  calm: () => boolean = () => false;

  /** Says it to screen readers only. */
  say(text: string): void {
    this.put(this.spoken, {id: this.next++, text}, SPOKEN_MS);
  }

  /** Says it and shows it for a moment. A chat message shows who it is `from`, and is `spoken` as a sentence. */
  show(text: string, from?: string, spoken = text): void {
    this.say(spoken);
    this.put(this.notes, {id: this.next++, text, ...(from === undefined ? {} : {from})}, NOTE_MS);
  }

  private put(list: typeof this.spoken, note: Note, ms: number): void {
    list.value = [...list.value, note].slice(-4);
    setTimeout(() => {
      list.value = list.value.filter((n) => n !== note);
    }, ms);
  }
}
