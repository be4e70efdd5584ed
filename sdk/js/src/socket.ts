import {Events} from './emitter.js';
import type {Body, Outgoing, Sender} from './message.js';
import {type Numbered, Sequence} from './sequence.js';
import * as wire from './wire.gen.js';

/** The longest time from opening a socket to welcome. */
const openMs = 8_000;
/** How long a ping may stay without any sign of life. */
const pingMs = 5_000;
/** How long a first connection is tried before the server counts as unreachable. */
const firstMs = 30_000;

export interface SocketEvents {
  /** A new session began. `lost` was sent in the old one, if any, and never acknowledged. */
  welcome: {welcome: wire.Welcome; lost: readonly Numbered[]};
  /** The session has a socket (again), or lost it. */
  online: boolean;
  message: wire.ServerMessage;
  bye: wire.Bye;
  /** Hello was refused for good. */
  refused: wire.Error;
  /** The server could not be reached for so long that the session is gone. */
  unreachable: undefined;
}

/** How long to wait before a retry: the first at once, then doubling up to 10 s, with jitter so that a crowd spreads. */
export function backoffMs(attempt: number, random: number): number {
  if (attempt === 0) return 100 * random;
  return Math.min(10_000, 250 * 2 ** attempt) * (0.5 + random / 2);
}

/**
 * One signalling session over as many WebSockets as it takes (docs/protocol.md): hello, numbering, acknowledgement,
 * resume with replay, heartbeat.
 */
export class Socket extends Events<SocketEvents> implements Sender {
  #ws: WebSocket | null = null;
  #sequence = new Sequence();
  #resume = '';
  #welcomed = false; // on the present socket
  #window = 0; // ms; 0 until the first welcome
  #offlineSince = performance.now();
  #attempt = 0;
  #heard = 0;
  #pings = 0;
  #beatMs = 20_000;
  #timers: Partial<Record<'retry' | 'open' | 'ack' | 'beat' | 'pong', ReturnType<typeof setTimeout>>> = {};
  #closed = false;
  readonly #wake = () => this.probe();
  /** A page that goes says so by its socket, so that a reload finds its seat free, not held by a live client. */
  readonly #sleep = () => this.#lose();

  constructor(
    readonly url: string,
    readonly hello: () => Pick<wire.Hello, 'client' | 'room' | 'host'>,
  ) {
    super();
    this.#listen(true);
    this.#open();
  }

  get online(): boolean {
    return this.#welcomed;
  }

  send<K extends keyof Outgoing>(type: K, body: Body<K>): number {
    const message = this.#sequence.add({...body, type});
    if (this.#sequence.outbox.length > wire.MaxUnacked) {
      // The server would not take the replay: the next socket opens a new session.
      this.#resume = '';
      this.#drop();
    }
    if (this.#welcomed) this.#write(message);
    return message.n;
  }

  /** Makes sure that the socket is alive, soon: for the moment at which the network may have changed. */
  probe(): void {
    if (this.#closed) return;
    if (this.#welcomed) this.#ping(2_000);
    else if (this.#timers.retry || !this.#ws) this.#retry(0);
  }

  /** Gives this session up and opens a new one after a while. */
  restart(afterMs: number): void {
    this.#resume = '';
    this.#closed = false;
    this.#listen(true);
    this.#lose();
    this.#retry(afterMs);
  }

  /** Ends the session on this side. With `bye` the server forgets it at once, otherwise after its window. */
  close(bye: boolean): void {
    if (bye && this.#welcomed) this.#write({type: 'bye', reason: 'closed'});
    this.#closed = true;
    this.#lose();
    this.#listen(false);
  }

  #listen(on: boolean): void {
    const change = on ? globalThis.addEventListener : globalThis.removeEventListener;
    change?.('online', this.#wake);
    change?.('pagehide', this.#sleep);
    change?.('pageshow', this.#wake); // back from the browser's page cache
  }

  #open(): void {
    const ws = new WebSocket(this.url, wire.Subprotocol);
    this.#ws = ws;
    this.#timers.open = setTimeout(() => this.#drop(), openMs);
    ws.onopen = () => {
      const hello = {...this.hello(), type: 'hello'};
      ws.send(
        JSON.stringify(this.#resume ? {...hello, resume: this.#resume, received: this.#sequence.received} : hello),
      );
    };
    ws.onmessage = ({data}) => {
      if (ws === this.#ws && typeof data === 'string') this.#read(data);
    };
    ws.onclose = () => {
      if (ws === this.#ws) this.#drop();
    };
  }

  #read(text: string): void {
    let message: wire.ServerMessage;
    try {
      message = JSON.parse(text);
    } catch {
      this.#drop();
      return;
    }
    this.#heard = performance.now();
    if (message.ack) this.#sequence.acknowledged(message.ack);
    switch (message.type) {
      case 'welcome':
        this.#welcome(message);
        return;
      case 'ping':
        this.#write({type: 'pong', id: message.id});
        return;
      case 'ack':
      case 'pong':
        return;
      case 'bye':
        this.close(false);
        this.emit('bye', message);
        return;
    }
    if (!this.#welcomed) this.#refuse(message);
    else this.#take(message);
  }

  #take(message: wire.ServerMessage): void {
    if (message.n) {
      const arrival = this.#sequence.arrive(message.n);
      if (arrival === 'gap') this.#drop();
      if (arrival !== 'new') return;
      if (this.#sequence.owed >= wire.AckEvery) this.#acknowledge();
      else this.#timers.ack ??= setTimeout(() => this.#acknowledge(), wire.AckDelayMs);
    }
    this.emit('message', message);
  }

  #welcome(welcome: wire.Welcome): void {
    clearTimeout(this.#timers.open);
    this.#attempt = 0;
    this.#resume = welcome.resume;
    this.#window = welcome.window * 1_000;
    this.#beatMs = Math.max(1_000, welcome.heartbeat || this.#beatMs);
    this.#welcomed = true;
    this.#timers.beat = setInterval(() => this.#ping(pingMs), this.#beatMs);
    if (welcome.resumed) {
      this.#sequence.acknowledged(welcome.received ?? 0);
      // Whatever leaves first makes the new token the valid one.
      for (const message of this.#sequence.outbox) this.#write(message);
      if (!this.#sequence.outbox.length) this.#acknowledge();
      this.emit('online', true);
      return;
    }
    const lost = this.#sequence.outbox;
    this.#sequence = new Sequence();
    this.emit('welcome', {welcome, lost});
    this.emit('online', true);
  }

  /** An error before welcome: a busy server is tried again, anything else will not get better. */
  #refuse(error: wire.ServerMessage): void {
    if (error.type !== 'error' || error.code === 'busy' || error.code === 'fault') {
      this.#drop();
      return;
    }
    this.close(false);
    this.emit('refused', error);
  }

  #write(message: object): void {
    if (this.#ws?.readyState !== WebSocket.OPEN) return;
    clearTimeout(this.#timers.ack);
    delete this.#timers.ack;
    const ack = this.#sequence.tell();
    this.#ws.send(JSON.stringify(ack ? {...message, ack} : message));
  }

  #acknowledge(): void {
    this.#write({type: 'ack'});
  }

  #ping(patienceMs: number): void {
    const asked = performance.now();
    this.#write({type: 'ping', id: ++this.#pings});
    clearTimeout(this.#timers.pong);
    this.#timers.pong = setTimeout(() => {
      if (this.#heard < asked) this.#drop();
    }, patienceMs);
  }

  /** Lets go of the socket without touching the session. */
  #lose(): void {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
    const ws = this.#ws;
    this.#ws = null;
    if (ws) {
      ws.onopen = ws.onmessage = ws.onclose = null;
      ws.close();
    }
    if (!this.#welcomed) return;
    this.#welcomed = false;
    this.#offlineSince = performance.now();
    this.emit('online', false);
  }

  /** Replaces the socket, or ends when it was tried for too long. */
  #drop(): void {
    this.#lose();
    if (this.#closed) return;
    if (performance.now() - this.#offlineSince > (this.#window || firstMs)) {
      this.close(false);
      this.emit('unreachable', undefined);
      return;
    }
    this.#retry(backoffMs(this.#attempt++, Math.random()));
  }

  #retry(ms: number): void {
    clearTimeout(this.#timers.retry);
    this.#timers.retry = setTimeout(() => {
      delete this.#timers.retry;
      this.#open();
    }, ms);
  }
}
