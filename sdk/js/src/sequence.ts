/** A message that has a number and is kept until the other side has acknowledged it. */
export interface Numbered {
  type: string;
  n: number;
}

/** What to do with an incoming number: take it, drop it silently, or give the socket up. */
export type Arrival = 'new' | 'duplicate' | 'gap';

/** The numbers of one session, both directions: no gaps, nothing lost, nothing twice. It knows neither socket nor clock. */
export class Sequence {
  #sent = 0;
  #outbox: Numbered[] = [];
  #received = 0;
  #told = 0;

  /** The highest number up to which everything has arrived. */
  get received(): number {
    return this.#received;
  }

  /** What was acknowledged last. */
  get told(): number {
    return this.#told;
  }

  /** How many received messages the other side does not know about. */
  get owed(): number {
    return this.#received - this.#told;
  }

  /** Sent and not acknowledged, oldest first. */
  get outbox(): readonly Numbered[] {
    return this.#outbox;
  }

  /** Gives a message its number and keeps it. */
  add<M extends {type: string}>(message: M): M & Numbered {
    const numbered = {...message, n: ++this.#sent};
    this.#outbox.push(numbered);
    return numbered;
  }

  /** The acknowledgement to put on whatever leaves now. */
  tell(): number {
    this.#told = this.#received;
    return this.#told;
  }

  /** Judges the number of an incoming message and counts it when it is the next. */
  arrive(n: number): Arrival {
    if (n <= this.#received) return 'duplicate';
    if (n > this.#received + 1) return 'gap';
    this.#received = n;
    return 'new';
  }

  /** Forgets what the other side has. */
  acknowledged(ack: number): void {
    if (this.#outbox[0] && this.#outbox[0].n <= ack) this.#outbox = this.#outbox.filter((m) => m.n > ack);
  }
}
