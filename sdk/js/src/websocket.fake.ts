/** For tests only: the browser's WebSocket with the server's end in the test's hand. */

export type Message = {type: string; n?: number; ack?: number; [field: string]: unknown};

export class FakeWebSocket {
  static readonly OPEN = 1;
  static all: FakeWebSocket[] = [];
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: {data: string}) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly got: Message[] = [];
  closed = false;
  /** The network under it is gone. */
  deaf = false;
  readonly #ended: ((event: {wasClean: boolean}) => void)[] = [];

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    FakeWebSocket.all.push(this);
  }
  send(text: string): void {
    this.got.push(JSON.parse(text));
  }
  close(): void {
    const open = this.readyState === 1;
    this.closed = true;
    this.readyState = 3;
    if (!this.deaf) this.end(open);
  }
  addEventListener(_: 'close', listener: (event: {wasClean: boolean}) => void): void {
    this.#ended.push(listener);
  }
  // what the server does
  open(): this {
    this.readyState = 1;
    this.onopen?.();
    return this;
  }
  say(message: object): void {
    this.onmessage?.({data: JSON.stringify(message)});
  }
  welcome(more: object = {}): this {
    this.say({
      type: 'welcome',
      session: 's',
      resume: 't1',
      window: 600,
      heartbeat: 20_000,
      server: {name: 'x'},
      ...more,
    });
    return this;
  }
  die(): void {
    this.readyState = 3;
    this.onclose?.();
    this.end(false);
  }
  private end(wasClean: boolean): void {
    for (const listener of this.#ended) listener({wasClean});
  }
}
