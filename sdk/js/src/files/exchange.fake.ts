/** For tests only: rooms in memory whose channels carry files from one to the other, with the real worker code behind. */

import type {Participant} from '../api.js';
import type {ChannelPort} from '../channels.js';
import type {Note} from '../notes.js';
import {Exchange, type FilesRoom} from './files.js';
import {Ledger} from './ledger.js';
import type {Call} from './work.js';
import {Workbench} from './workbench.js';
import {Workshop} from './workshop.js';

/** As much of an RTCDataChannel as files touch. What is sent arrives in a later turn, in order. */
export class FakeChannel extends EventTarget {
  binaryType = 'arraybuffer';
  bufferedAmountLowThreshold = 0;
  bufferedAmount = 0;
  readyState = 'connecting';
  other: FakeChannel | null = null;
  /** The texts that were sent here. */
  readonly said: string[] = [];

  constructor(
    readonly label: string,
    readonly protocol: string,
  ) {
    super();
  }
  open(): void {
    this.readyState = 'open';
    this.dispatchEvent(new Event('open'));
  }
  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.readyState !== 'open') throw new Error('not open');
    if (typeof data === 'string') this.said.push(data);
    const copy = typeof data === 'string' ? data : data.slice().buffer;
    setTimeout(() => {
      if (this.other?.readyState === 'open') this.other.dispatchEvent(new MessageEvent('message', {data: copy}));
    }, 0);
  }
  close(): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    setTimeout(() => {
      this.dispatchEvent(new Event('close'));
      this.other?.close();
    }, 0);
  }
}

type Listener = (seat: string) => void;

/** One side of a link between two people. */
export class FakePort implements ChannelPort {
  readonly connected = new Set<string>();
  readonly opened: FakeChannel[] = [];
  /** What its files told the record of the call. */
  readonly notes: Note[] = [];
  peer: FakePort | null = null;
  #take: ((seat: string, channel: RTCDataChannel) => void) | null = null;
  readonly #listeners = {up: new Set<Listener>(), down: new Set<Listener>()};

  constructor(readonly me: string) {}

  shared(): boolean {
    return false;
  }
  open(_: string, label: string, protocol: string): RTCDataChannel {
    const [here, there] = [new FakeChannel(label, protocol), new FakeChannel(label, protocol)];
    [here.other, there.other] = [there, here];
    this.opened.push(here);
    setTimeout(() => {
      there.open();
      this.peer?.arrive(this.me, there);
      here.open();
    }, 0);
    return here as unknown as RTCDataChannel;
  }
  arrive(seat: string, channel: FakeChannel): void {
    if (this.#take) this.#take(seat, channel as unknown as RTCDataChannel);
    else channel.close();
  }
  accept(_: string, take: (seat: string, channel: RTCDataChannel) => void): () => void {
    this.#take = take;
    return () => {
      this.#take = null;
    };
  }
  on(event: 'up' | 'down', listener: Listener): () => void {
    this.#listeners[event].add(listener);
    return () => this.#listeners[event].delete(listener);
  }
  /** The transport comes up, or goes. What it carried dies without a word, as in browsers. */
  turn(event: 'up' | 'down', seat: string): void {
    if (event === 'up') this.connected.add(seat);
    else {
      this.connected.delete(seat);
      for (const channel of this.opened.splice(0))
        channel.readyState = (channel.other as FakeChannel).readyState = 'closed';
    }
    for (const listener of this.#listeners[event]) listener(seat);
  }
}

/** A worker that works here. */
function workHere(): Worker {
  const bench = new Workbench();
  const worker = {
    onmessage: null as ((event: {data: unknown}) => void) | null,
    onerror: null,
    postMessage: (call: Call) => void bench.answer(call).then(({reply}) => worker.onmessage?.({data: reply})),
    terminate: () => {},
  };
  return worker as unknown as Worker;
}

/** Two people in a room, connected. */
export function pair() {
  const [ann, bob] = [new FakePort('ann'), new FakePort('bob')];
  [ann.peer, bob.peer] = [bob, ann];
  const person = (id: string, isMe: boolean): Participant => ({id, name: id, isMe, state: 'present'}) as Participant;
  const room = (channels: FakePort): FilesRoom => ({
    name: 'room',
    channels,
    people: [person('ann', channels.me === 'ann'), person('bob', channels.me === 'bob')],
  });
  const exchange = (channels: FakePort) =>
    new Exchange(room(channels), (event) => channels.notes.push(event), new Workshop(workHere), new Ledger());
  const connect = (): void => {
    ann.turn('up', 'bob');
    bob.turn('up', 'ann');
  };
  const cut = (): void => {
    ann.turn('down', 'bob');
    bob.turn('down', 'ann');
  };
  return {ann: exchange(ann), bob: exchange(bob), ports: {ann, bob}, connect, cut, to: person('bob', false)};
}
