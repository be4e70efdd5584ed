import {Events} from './emitter.js';
import {Line} from './line.js';
import type {Body, Outgoing, Sender} from './message.js';
import type {Page} from './page.js';
import type {Pulse} from './pulse.js';
import {type Numbered, Sequence} from './sequence.js';
import * as wire from './wire.gen.js';

/** The longest time from opening a socket to welcome. */
const openMs = 8_000;
/** The same in a call that somebody looks at, beside round trips, first and again: TCP's own tries are too rare. */
const briskMs = [350, 1_500];
/** How long a ping may stay without any sign of life, without a pulse. */
const pingMs = 5_000;
/** How long a first connection is tried before the server counts as unreachable. */
const firstMs = 30_000;
/** With a pulse: how long nothing may be heard before another socket is tried, beside round trips. */
const silenceMs = 1_000;
/** The same when there is another sign that the network is gone. */
const suspectMs = 400;
/**
 * How much later than a ping's turn its answer may be, beside round trips, before another socket is tried on the quiet,
 * and how rarely that is done in vain.
 */
const [quietMs, quietEachMs] = [100, 10_000];
/** More than this waiting to leave says that pings pile up. */
const clogged = 65_536;

export interface SocketEvents {
  /** A new session began. `lost` was sent in the old one, if any, and never acknowledged. */
  welcome: {welcome: wire.Welcome; lost: readonly Numbered[]};
  /** The session goes on, but the server knows nothing of it but its token. `lost` was never acknowledged. */
  reset: {welcome: wire.Welcome; lost: readonly Numbered[]};
  /** The session has a socket that answers (again), or lost it. */
  online: boolean;
  /** Another socket has it, before the old one counted as lost: the network may be another one. */
  network: undefined;
  message: wire.ServerMessage;
  bye: wire.Bye;
  /** Hello was refused for good. */
  refused: wire.Error;
  /** The server could not be reached for so long that the session is gone. */
  unreachable: undefined;
}

type Timer = 'retry' | 'ack' | 'beat' | 'pong';

/**
 * How long to wait before a retry: the first at once, then doubling, with jitter so that a crowd spreads. In a call that
 * somebody looks at, up to 0.5 s for some seconds, for a network that changes is back soon, and then up to 1 s; otherwise
 * up to 10 s.
 */
export function backoffMs(attempt: number, random: number, urgent = false): number {
  if (attempt === 0) return 100 * random;
  const most = urgent ? (attempt < 8 ? 500 : 1_000) : 10_000;
  return Math.min(most, (urgent ? 100 : 250) * 2 ** attempt) * (0.5 + random / 2);
}

/**
 * One signalling session over as many WebSockets as it takes (docs/protocol.md): hello, numbering, acknowledgement,
 * resume with replay, heartbeat. A socket that fell silent is kept while another is tried: the first that speaks wins.
 */
export class Socket extends Events<SocketEvents> implements Sender {
  #line: Line | null = null; // has the session
  #next: Line | null = null; // wants it
  #sequence = new Sequence();
  #resume = '';
  #online = false;
  #window = 0; // ms; 0 until the first welcome
  #offlineSince = performance.now();
  #attempt = 0;
  #slow = 0; // tries in a row that were let go of because they took too long
  #pings = 0;
  #asked: {id: number; at: number} | null = null; // a ping, to measure the round trip
  #rttMs = 0;
  #bestMs = Number.POSITIVE_INFINITY; // the shortest round trip
  #heard = 0; // by the clock of the pulse
  #answered = 0; // a ping was: that proves both directions
  #pinged = 0;
  #tried = -quietEachMs; // on the quiet
  #every = 0;
  #suspected = false;
  #unsure = false; // the network may be another one, and the old socket has answered nothing since
  #beatMs = 20_000;
  #timers: Partial<Record<Timer, ReturnType<typeof setTimeout>>> = {};
  #closed = false;
  readonly #release: (() => void)[];

  constructor(
    readonly url: string,
    readonly hello: () => Pick<wire.Hello, 'client' | 'room' | 'host'>,
    readonly page: Page,
    readonly pulse: Pulse,
  ) {
    super();
    this.#release = [
      page.on('network', () => this.renew()),
      page.on('drift', () => this.#online || this.renew()),
      page.on('wake', () => this.probe()),
      page.on('visible', (visible) => visible && this.probe()),
      // A page that goes says so by its socket, so that a reload finds its seat free, not held by a live client.
      page.on('leave', () => this.#lose()),
      pulse.on('tick', (awake) => this.#tick(awake)),
      pulse.on('slept', () => this.probe()),
    ];
    this.#open();
  }

  /** The round trip to the server in milliseconds, smoothed; 0 while it is not known. */
  get rttMs(): number {
    return this.#rttMs;
  }

  get online(): boolean {
    return this.#online;
  }

  send<K extends keyof Outgoing>(type: K, body: Body<K>): number {
    const message = this.#sequence.add({...body, type});
    if (this.#resume && this.#sequence.outbox.length > wire.MaxUnacked) {
      // The server would not take the replay: the next socket opens a new session.
      this.#resume = '';
      this.#drop();
    }
    this.#write(message);
    return message.n;
  }

  /** Pings every so many milliseconds, by the pulse, and takes a short silence for a loss; 0 goes back to the slow beat. */
  pace(every: number): void {
    if (every === this.#every) return;
    this.#every = every;
    this.#heard = this.#answered = this.pulse.awake;
    if (this.#line) this.#ping(pingMs);
  }

  /** Media says that the network is gone: little silence is needed to believe it. */
  suspect(suspected: boolean): void {
    this.#suspected = suspected;
  }

  /** Makes sure that the socket is alive, soon. */
  probe(): void {
    if (this.#closed) return;
    this.#heard = this.#answered = this.pulse.awake; // what came while the page stood still is still to be read
    if (this.#online) this.#ping(2_000);
    else this.#hurry();
  }

  /** The network may be another one: tries a new socket, and keeps the old one until that has the session. */
  renew(): void {
    if (this.#closed) return;
    this.#attempt = this.#slow = 0;
    this.#unsure = true;
    if (this.#next && !this.#next.introduced) this.#forsake();
    this.#open();
    if (this.#online) this.#ping(2_000);
  }

  /** Gives this session up and opens a new one after a while. */
  restart(afterMs: number): void {
    this.#resume = '';
    this.#closed = false;
    this.#lose();
    this.#retry(afterMs);
  }

  /** Ends the session on this side. With `bye` the server forgets it at once, otherwise after its window. */
  close(bye: boolean): void {
    if (bye && this.#resume) this.#part({type: 'bye', reason: 'closed'});
    this.#closed = true;
    this.#lose();
  }

  /** No session begins here any more. */
  release(): void {
    for (const release of this.#release) release();
  }

  #open(): void {
    this.#clear('retry');
    if (this.#next) return;
    // Every third slow one has all the time, for slow networks; one that fails at once says nothing of that.
    const brisk = this.#every ? briskMs[this.#slow % 3] : undefined;
    this.#next = new Line(this.url, brisk ? Math.min(openMs, brisk + 5 * this.#bestMs + this.pulse.lag) : openMs, {
      opened: (line) => this.#introduce(line),
      text: (line, text) => this.#read(line, text),
      late: (line) => this.#late(line),
      closed: (line) => this.#hungUp(line),
    });
  }

  /** Says goodbye, and again on other sockets until it is heard. */
  #part(bye: object): void {
    const [url, windowMs] = [this.url, this.#window];
    const {outbox} = this.#sequence;
    const hello = this.#greeting();
    if (this.#online) this.#write(bye);
    const said = (this.#online && this.#line?.ended) || null;
    import('./farewell.js').then(
      ({farewell}) => farewell({url, windowMs, hello, last: [...outbox, bye], said}),
      () => {}, // the session's window ends it
    );
  }

  /** The old socket speaks: no other is needed. */
  get #sure(): boolean {
    return this.#online && !this.#unsure;
  }

  #introduce(line: Line): void {
    if (this.#sure) {
      this.#forsake();
      return;
    }
    line.introduced = true;
    line.send(this.#greeting());
  }

  #greeting(): object {
    const hello = {...this.hello(), type: 'hello'};
    return this.#resume ? {...hello, resume: this.#resume, received: this.#sequence.tell()} : hello;
  }

  /** One that is not needed may take its time: browsers report a socket that is closed before it is open as a fault. */
  #late(line: Line): void {
    line.idle = this.#sure && !line.introduced;
    this.#slow++;
    if (!line.idle) this.#discard(line);
  }

  #discard(line: Line): void {
    line.close();
    this.#hungUp(line);
  }

  #hungUp(line: Line): void {
    if (line === this.#next) {
      this.#next = null;
      this.#acknowledge(); // what waited for its answer
      if (!this.#sure) this.#again();
    } else if (line === this.#line) {
      this.#line = null;
      this.#offline();
      if (!this.#next) this.#again();
    }
  }

  #read(line: Line, text: string): void {
    let message: wire.ServerMessage;
    try {
      message = JSON.parse(text);
      if (typeof message.type !== 'string') throw message; // null throws by itself
    } catch {
      this.#discard(line);
      return;
    }
    if (message.ack) this.#sequence.acknowledged(message.ack);
    if (message.type === 'welcome') this.#welcome(line, message);
    else if (message.type === 'bye') {
      this.close(false);
      this.emit('bye', message);
    } else if (line === this.#line) this.#take(message);
    else if (message.type === 'error') this.#refuse(line, message);
  }

  #take(message: wire.ServerMessage): void {
    this.#hear(message.type === 'pong');
    switch (message.type) {
      case 'ping':
        this.#write({type: 'pong', id: message.id});
        return;
      case 'pong':
        if (message.id === this.#asked?.id) this.#measure(performance.now() - this.#asked.at);
        return;
      case 'ack':
        return;
    }
    if (message.n) {
      const arrival = this.#sequence.arrive(message.n);
      if (arrival === 'gap') this.#drop();
      if (arrival !== 'new') return;
      if (this.#sequence.owed >= wire.AckEvery && !this.#next?.introduced) this.#acknowledge();
      else this.#timers.ack ??= setTimeout(() => this.#acknowledge(), wire.AckDelayMs);
    }
    this.emit('message', message);
  }

  /**
   * The socket speaks. If another was tried because it did not, that one is not needed unless it has said hello. Where
   * only one direction is gone, messages may come for a while; what answers us, comes back from there.
   */
  #hear(answer: boolean): void {
    const sure = this.#sure;
    this.#heard = this.pulse.awake;
    if (answer) {
      this.#answered = this.#heard;
      this.#unsure = false;
    }
    if (sure) return;
    if (!this.#unsure) {
      if (this.#next && !this.#next.introduced) this.#next.idle = true;
      this.#clear('retry');
      this.#attempt = 0;
    }
    this.#setOnline(true);
  }

  #measure(ms: number): void {
    this.#bestMs = Math.min(ms, this.#bestMs);
    this.#rttMs = this.#rttMs ? this.#rttMs + (ms - this.#rttMs) / 8 : ms;
    this.#asked = null;
  }

  #welcome(line: Line, welcome: wire.Welcome): void {
    if (line !== this.#next) return;
    line.settled();
    this.#line?.close();
    this.#line = line;
    this.#next = null;
    this.#attempt = this.#slow = 0;
    this.#resume = welcome.resume;
    this.#window = welcome.window * 1_000;
    this.#beatMs = Math.max(1_000, welcome.heartbeat || this.#beatMs);
    this.#heard = this.#answered = this.pulse.awake;
    this.#asked = null;
    this.#tried = -quietEachMs; // it was no false alarm
    this.#unsure = false;
    for (const name of ['beat', 'pong', 'retry'] as const) this.#clear(name);
    this.#timers.beat = setInterval(() => this.#every || this.#ping(pingMs), this.#beatMs);
    if (welcome.resumed) {
      this.#sequence.acknowledged(welcome.received ?? 0);
      // Whatever leaves first makes the new token the valid one.
      for (const message of this.#sequence.outbox) this.#write(message);
      if (!this.#sequence.outbox.length) this.#acknowledge();
      if (welcome.ice) this.emit('message', {type: 'ice-servers', ice: welcome.ice});
    } else {
      const lost = this.#sequence.outbox;
      this.#sequence = new Sequence();
      this.emit(welcome.reset ? 'reset' : 'welcome', {welcome, lost});
    }
    if (this.#every) this.#ping(pingMs);
    if (this.#online) this.emit('network', undefined);
    else this.#setOnline(true);
  }

  /** An error before welcome: a busy server is tried again, anything else will not get better. */
  #refuse(line: Line, error: wire.Error): void {
    if (error.code === 'busy' || error.code === 'fault') {
      this.#discard(line);
      return;
    }
    this.close(false);
    this.emit('refused', error);
  }

  #write(message: object): void {
    if (!this.#line) return;
    this.#clear('ack');
    // Until hello is answered: were more acknowledged before it arrives, the server would not know what it asks for.
    const ack = this.#next?.introduced ? this.#sequence.told : this.#sequence.tell();
    this.#line.send(ack ? {...message, ack} : message);
  }

  #acknowledge(): void {
    this.#write({type: 'ack'});
  }

  #tick(awake: number): void {
    if (!this.#every || !this.#line) return;
    if (awake - this.#pinged >= this.#every - 20) this.#ping(0);
    const patience = this.#suspected ? suspectMs + 2 * this.#rttMs : silenceMs + 3 * this.#rttMs + this.pulse.lag;
    const silence = awake - this.#heard;
    if (this.#online && silence > patience) this.#doubt();
    else if (
      this.#online &&
      awake - this.#answered > this.#every + quietMs + 2 * this.#rttMs + this.pulse.lag &&
      awake - this.#tried > quietEachMs
    ) {
      this.#tried = awake;
      this.renew();
    }
    if (this.#online || silence < Math.max(wire.MinSilenceMs, 4 * this.#promise)) return;
    // The server has let go of it by now: what may still come was under way.
    this.#line.close();
    this.#line = null;
  }

  /** Asks for a sign of life. Without a pulse, `patienceMs` says when none is a loss; a timer that came late proves nothing. */
  #ping(patienceMs: number): void {
    const at = performance.now();
    this.#pinged = this.pulse.awake;
    if (this.#line && this.#line.waiting < clogged) {
      this.#asked ??= {id: this.#pings + 1, at};
      this.#write({type: 'ping', id: ++this.#pings, ...(this.#every && {every: this.#promise})});
    }
    if (this.#every) return;
    const heard = this.#heard;
    this.#clear('pong');
    this.#timers.pong = setTimeout(() => {
      if (this.#heard > heard) return;
      if (performance.now() - at > 2 * patienceMs) this.#ping(patienceMs);
      else this.#doubt();
    }, patienceMs);
  }

  /** How often a ping is sure to come, however busy this machine is; in rough steps, since it need not be exact. */
  get #promise(): number {
    return this.#every * Math.ceil(1 + this.pulse.lag / 500);
  }

  /** Nothing is heard: another socket is tried at once. This one is let go of when that has the session, or it ends. */
  #doubt(): void {
    this.#offline();
    this.#asked = null;
    this.#attempt = this.#slow = 0;
    this.#open();
  }

  #offline(): void {
    if (this.#next?.idle) this.#forsake(); // it has stood still for too long already
    if (this.#online) this.#offlineSince = performance.now();
    this.#setOnline(false);
  }

  #setOnline(online: boolean): void {
    if (online === this.#online) return;
    this.#online = online;
    this.emit('online', online);
  }

  #clear(name: Timer): void {
    clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }

  #forsake(): void {
    this.#next?.close();
    this.#next = null;
  }

  /** Lets go of the sockets without touching the session. */
  #lose(): void {
    for (const name of Object.keys(this.#timers) as Timer[]) this.#clear(name);
    this.#forsake();
    this.#line?.close();
    this.#line = null;
    this.#offline();
  }

  #drop(): void {
    this.#lose();
    this.#again();
  }

  /** Tries again after a while, or ends when it was tried for too long. */
  #again(): void {
    if (this.#closed) return;
    if (!this.#online && performance.now() - this.#offlineSince > (this.#window || firstMs)) {
      this.close(false);
      this.emit('unreachable', undefined);
      return;
    }
    this.#retry(backoffMs(this.#attempt++, Math.random(), this.#every > 0));
  }

  #hurry(): void {
    if (this.#timers.retry || !this.#next) this.#retry(0);
  }

  #retry(ms: number): void {
    this.#clear('retry');
    this.#timers.retry = setTimeout(() => this.#open(), ms);
  }
}
