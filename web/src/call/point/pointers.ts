import type {Room, RoomData} from '@parley-rtc/sdk';
import {Board, readInk, readSpot} from './board';

/** How often a moving pointer is told, at most. */
const MOVE_MS = 33;

/** Carries pointers and lines between the people of a room: pointers may get lost on the way, lines may not. */
export class Pointers {
  readonly board = new Board();
  /** Whether my own pointer shows to the others. */
  on = false;
  /** Called when there is something new to draw. */
  changed: () => void = () => undefined;
  readonly #move: RoomData;
  readonly #ink: RoomData;
  readonly #stops: (() => void)[];
  #toldAt = 0;
  #line = 0;
  #fresh: number[] = [];

  constructor(readonly room: Room) {
    this.#move = room.data('parley.point', {ordered: false, maxRetransmits: 0});
    this.#ink = room.data('parley.ink');
    this.#stops = [
      this.#move.on('message', ({from, data}) => {
        const spot = readSpot(data);
        if (spot !== undefined) this.#take(() => this.board.point(from, spot, performance.now()));
      }),
      this.#ink.on('message', ({from, data}) => {
        const ink = readInk(data);
        if (ink) this.#take(() => this.board.draw(from, ink, performance.now()));
      }),
      room.on('left', ({person}) => this.#take(() => this.board.leave(person.id))),
    ];
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#move.close();
    this.#ink.close();
  }

  /** Shows where I point on a screen. */
  point(screen: string, x: number, y: number): void {
    const now = performance.now();
    this.#take(() => this.board.point('me', {screen, x, y}, now));
    if (now - this.#toldAt < MOVE_MS) return;
    this.#toldAt = now;
    this.#move.send(JSON.stringify({s: screen, x: short(x), y: short(y)}));
  }

  /** My pointer has left the screen. */
  away(screen: string): void {
    this.#take(() => this.board.point('me', null, 0));
    this.#move.send(JSON.stringify({s: screen}));
  }

  /** Begins a line. */
  begin(screen: string, x: number, y: number): void {
    this.#line++;
    this.draw(screen, x, y);
  }

  /** Goes on with the line; what gathers is told with the pointer's moves. */
  draw(screen: string, x: number, y: number): void {
    const points = [short(x), short(y)];
    this.#take(() => this.board.draw('me', {screen, id: this.#line, points}, performance.now()));
    this.#fresh.push(...points);
    if (this.#fresh.length >= 8) this.flush(screen);
  }

  /** Tells what is drawn so far. */
  flush(screen: string): void {
    if (this.#fresh.length) this.#ink.send(JSON.stringify({s: screen, id: this.#line, p: this.#fresh.splice(0)}));
  }

  #take(f: () => void): void {
    f();
    this.changed();
  }
}

/** Four places behind the point are finer than any screen. */
function short(v: number): number {
  return Math.round(Math.min(1, Math.max(0, v)) * 1e4) / 1e4;
}
