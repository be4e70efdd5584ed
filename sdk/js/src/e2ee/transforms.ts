import type {Bytes} from './bytes.js';
import {anybody, type Kind} from './frames.js';
import type {News, Order, Section, Tally} from './work.js';

/** What this browser has for encoded frames: a transform in a worker, the older streams, or nothing. */
export type Means = 'script' | 'streams' | null;

type Half = RTCRtpSender | RTCRtpReceiver;
interface Streams {
  createEncodedStreams?: () => {readable: ReadableStream; writable: WritableStream};
}
type ScriptTransform = new (worker: Worker, options: Section) => unknown;

/** Says what this browser has. */
export function means(scope: Record<string, unknown> = globalThis as never): Means {
  const sender = scope.RTCRtpSender as {prototype: object} | undefined;
  if (scope.RTCRtpScriptTransform && sender && 'transform' in sender.prototype) return 'script';
  return sender && 'createEncodedStreams' in sender.prototype ? 'streams' : null;
}

/** Puts the thread that seals and opens frames between a browser's codecs and its transports. */
export class Transforms {
  readonly #worker: Worker;
  readonly #done = new WeakSet<Half>();
  readonly #shown = new Map<number, string>();
  readonly #ids = new WeakMap<Half, number>();
  readonly #tallies: ((tally: Tally) => void)[] = [];
  #next = 1;

  constructor(
    readonly how: Means = means(),
    start: () => Worker = startWorker,
    readonly changed: () => void = () => {},
  ) {
    this.#worker = start();
    this.#worker.onmessage = ({data}: MessageEvent<News>) => this.#hear(data);
  }

  /** What every transport has to be made with. */
  get config(): object {
    return this.how === 'streams' ? {encodedInsertableStreams: true} : {};
  }

  /** Seals what a sender sends from now on. Once is enough; before anything is sent. */
  sender(sender: RTCRtpSender, kind: Kind): void {
    this.#put(sender, {side: 'send', kind, owner: anybody});
  }

  /** Opens what a receiver receives, of one session or of anybody; before anything is received. */
  receiver(receiver: RTCRtpReceiver, owner: string = anybody): void {
    this.#put(receiver, {side: 'receive', kind: receiver.track.kind as Kind, owner});
  }

  /** Whose frames a receiver opened last, as their key says; empty before the first. */
  ownerOf(receiver: RTCRtpReceiver): string {
    return this.#shown.get(this.#ids.get(receiver) ?? 0) ?? '';
  }

  use(kid: number, base: Bytes): void {
    this.#order({do: 'use', owner: '', kid, base});
  }

  stop(): void {
    this.#order({do: 'stop'});
  }

  add(owner: string, kid: number, base: Bytes): void {
    this.#order({do: 'add', owner, kid, base});
  }

  forget(owner: string): void {
    this.#order({do: 'forget', owner});
  }

  /** What the work cost until now. */
  tally(): Promise<Tally> {
    return new Promise((resolve) => {
      this.#tallies.push(resolve);
      this.#order({do: 'tell'});
    });
  }

  close(): void {
    this.#worker.terminate();
  }

  #put(half: Half, section: Omit<Section, 'id'>): void {
    if (this.#done.has(half)) return;
    this.#done.add(half);
    const id = this.#next++;
    this.#ids.set(half, id);
    if (this.how === 'script') {
      const {RTCRtpScriptTransform: Transform} = globalThis as unknown as {RTCRtpScriptTransform: ScriptTransform};
      (half as {transform?: unknown}).transform = new Transform(this.#worker, {...section, id});
      return;
    }
    const streams = (half as Streams).createEncodedStreams?.();
    if (!streams) throw new Error('e2ee: this browser has no encoded streams');
    const {readable, writable} = streams;
    const order: Order = {do: 'pipe', section: {...section, id}, readable, writable};
    this.#worker.postMessage(order, [readable, writable] as unknown as Transferable[]);
  }

  #order(order: Order): void {
    this.#worker.postMessage(order);
  }

  #hear(news: News): void {
    if (news.news === 'tally') {
      for (const done of this.#tallies.splice(0)) done(news.tally);
      return;
    }
    this.#shown.set(news.id, news.owner);
    this.changed();
  }
}

function startWorker(): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), {type: 'module'});
}
