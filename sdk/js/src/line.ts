import * as wire from './wire.gen.js';

/** What a line tells its session. */
export interface LinePort {
  opened(line: Line): void;
  text(line: Line, text: string): void;
  /** It has not {@link Line.settled} in its time. */
  late(line: Line): void;
  closed(line: Line): void;
}

/** One WebSocket that carries the session, or wants to. It says nothing more once it was closed from here. */
export class Line {
  readonly #ws: WebSocket;
  readonly #patience: ReturnType<typeof setTimeout>;
  /** Hello has left: the server may give this line the session at any moment. */
  introduced = false;
  /** Nothing depends on it: it is closed once it is open, or when it would be needed. */
  idle = false;
  /** Resolves when it is closed, to whether the other side closed it too, and so has read everything. */
  readonly ended: Promise<boolean>;

  /** `openMs` is how long it may take until it is {@link Line.settled}. */
  constructor(url: string, openMs: number, port: LinePort) {
    const ws = new WebSocket(url, wire.Subprotocol);
    this.#ws = ws;
    this.#patience = setTimeout(() => port.late(this), openMs);
    ws.onopen = () => port.opened(this);
    ws.onmessage = ({data}) => typeof data === 'string' && port.text(this, data);
    this.ended = new Promise((resolve) => ws.addEventListener('close', ({wasClean}) => resolve(wasClean)));
    ws.onclose = () => {
      this.close();
      port.closed(this);
    };
  }

  /** It has the session. */
  settled(): void {
    clearTimeout(this.#patience);
  }

  /** Sends when it can; whatever has a number is kept by the session anyway. */
  send(message: object): boolean {
    if (this.#ws.readyState !== WebSocket.OPEN) return false;
    this.#ws.send(JSON.stringify(message));
    return true;
  }

  /** How much waits in this machine: on a dead path, everything since. */
  get waiting(): number {
    return this.#ws.bufferedAmount ?? 0;
  }

  close(): void {
    clearTimeout(this.#patience);
    this.#ws.onopen = this.#ws.onmessage = this.#ws.onclose = null;
    this.#ws.close();
  }
}
