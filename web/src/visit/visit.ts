/**
 * A visit is one person's time in one room, from opening its page to leaving it: the room session and the devices of
 * the SDK, and what only the page knows, such as which panel is open. Everything a screen shows is a signal here.
 */

import type {ChatMessage, LocalMedia, Participant, Room, RoomError, RoomOptions, RoomState} from '@parley-rtc/sdk';
import {batch, computed, signal} from '@preact/signals';
import {createContext} from 'preact';
import {useContext} from 'preact/hooks';
import type {Memory} from '../logic/memory';
import {clipName} from '../logic/person-name';
import {passes, type Refusal, refusalOf} from '../logic/refusals';
import {Herald} from './herald';

/** The two doors into the SDK; the gallery hands in others. */
export interface Makers {
  openRoom(options: RoomOptions): Room;
  openMedia(): LocalMedia;
}

export type Phase = 'door' | 'returning' | 'waiting' | 'call' | 'left' | 'ended';

export type Panel = 'chat' | 'people' | 'files' | 'settings' | 'quality';

export interface VisitOptions {
  room: string;
  memory: Memory;
  makers: Makers;
  /** Join at once, with the name used before: when coming back from the goodbye screen. */
  rejoin?: boolean;
  /** Why the visit before this one had to begin anew. */
  refusal?: Refusal | null;
  /** Begins a new visit to the same room. */
  again: (rejoin: boolean, refusal: Refusal | null) => void;
}

export class Visit {
  readonly room: Room;
  readonly media: LocalMedia;
  readonly memory: Memory;
  readonly herald = new Herald();

  readonly status = signal<Room['status']>('connecting');
  readonly online = signal(true);
  readonly info = signal<RoomState | null>(null);
  readonly people = signal<readonly Participant[]>([]);
  readonly chat = signal<readonly ChatMessage[]>([]);
  /** The server keeps messages from before. */
  readonly earlier = signal(false);
  readonly refusal = signal<Refusal | null>(null);
  readonly panel = signal<Panel | null>(null);
  readonly unread = signal(0);
  /** Who left last, while nobody came after them. */
  readonly lastLeft = signal('');
  /** The browser refused to play sound until the page is touched. */
  readonly soundHeld = signal(false);
  /** A device that the person tried to turn on; its trouble is shown until it works or is put away. */
  readonly tried = signal(false);
  /** Space is held to talk. */
  readonly talking = signal(false);

  /** Whether a seat was ours, however it ended. */
  readonly seated = signal(false);
  private readonly left = signal(false);
  private readonly returning = signal(false);
  private readonly stops: (() => void)[] = [];

  readonly others = computed(() => this.people.value.filter((p) => !p.isMe && p.state !== 'waiting'));
  readonly outside = computed(() => this.people.value.filter((p) => p.state === 'waiting'));
  readonly isHost = computed(() => this.info.value?.role === 'host');

  /** Once seated, only leaving and losing the seat take the stage away; trouble on the way never does. */
  readonly phase = computed<Phase>(() => {
    if (this.left.value) return 'left';
    const status = this.status.value;
    if (status === 'ended') return 'ended';
    if (status === 'waiting') return 'waiting';
    if (this.seated.value) return 'call';
    return this.returning.value ? 'returning' : 'door';
  });

  readonly again: VisitOptions['again'];

  constructor({room, memory, makers, again, rejoin = false, refusal = null}: VisitOptions) {
    this.memory = memory;
    this.again = again;
    this.refusal.value = refusal;
    this.media = makers.openMedia();
    const host = memory.host(room);
    this.room = makers.openRoom({
      room,
      media: this.media,
      client: {name: 'parley-web'},
      ...(host === '' ? {} : {host}),
    });
    this.listen();
    this.room.warm();
    void this.media.ask(memory.wishes);
    const name = rejoin ? memory.name : this.room.previous?.name;
    if (name) {
      this.returning.value = true;
      void this.join(name);
    }
  }

  /** Takes a seat. What is refused is told by `refusal`; it never rejects. */
  async join(typed: string): Promise<void> {
    const name = clipName(typed);
    this.refusal.value = null;
    this.memory.name = name;
    try {
      await this.room.join(name);
    } catch (error) {
      const refusal = refusalOf((error as Partial<RoomError>).code ?? 'fault');
      batch(() => {
        this.refusal.value = refusal;
        this.returning.value = false;
      });
      if (refusal === 'bad-secret') this.dropSecret();
    }
  }

  /** Gives the seat up and lets go of the devices. */
  leave(): void {
    this.left.value = true;
    this.room.leave();
    this.media.close();
  }

  /** Goes away from the room's page to another one of the app: a seat still held is given up. */
  depart(): void {
    for (const stop of this.stops) stop();
    this.room.leave();
    this.room.close();
    this.media.close();
  }

  /** Turns the microphone or the camera on or off and remembers it for the next room. */
  toggle(source: 'microphone' | 'camera'): void {
    const device = this.media[source];
    const on = device.status !== 'on' && device.status !== 'asking';
    this.memory.wishes = {...this.memory.wishes, [source]: on};
    this.tried.value = on;
    void device.toggle();
  }

  /** Opens a panel, or closes it when it is open. */
  show(panel: Panel): void {
    this.panel.value = this.panel.value === panel ? null : panel;
    if (this.panel.value === 'chat') this.unread.value = 0;
  }

  private listen(): void {
    const {room} = this;
    this.take();
    const on = room.on.bind(room);
    this.stops.push(
      on('status', () => this.take()),
      on('online', () => this.take()),
      on('info', ({may}) => {
        this.take();
        if (may !== 'no' && this.refusal.value !== null && passes(this.refusal.value)) this.refusal.value = null;
      }),
      on('people', () => this.take()),
      on('chat', (message) => {
        this.take();
        if (!message.mine && this.panel.value !== 'chat' && message.from !== '') this.unread.value++;
      }),
      on('history', () => this.take()),
      on('joined', () => {
        this.lastLeft.value = '';
      }),
      on('left', ({person}) => {
        this.lastLeft.value = person.name;
      }),
      on('trouble', ({kind, detail}) => {
        if (kind !== 'refused' || room.status === 'joined') return;
        if (detail.startsWith('bad-secret')) this.dropSecret();
        else if (this.seated.value) this.loseSeat(detail.split(' ')[0] as RoomError['code']);
      }),
    );
  }

  /** The server forgot the seat, as after a restart, and has no other: back to the door, which says why. */
  private loseSeat(code: RoomError['code']): void {
    batch(() => {
      this.seated.value = false;
      this.panel.value = null;
      this.refusal.value = refusalOf(code);
    });
  }

  /** The host secret kept here no longer fits: forget it and start over as a guest. */
  private dropSecret(): void {
    this.memory.setHost(this.room.name, '');
    this.again(false, 'bad-secret');
  }

  /** Copies the room's state into the signals, in one step so that no screen sees half of it. */
  private take(): void {
    const {room} = this;
    batch(() => {
      this.status.value = room.status;
      this.online.value = room.online;
      this.info.value = room.info;
      this.people.value = [...room.people];
      this.chat.value = [...room.chat];
      this.earlier.value = room.hasEarlier;
      if (room.status === 'joined') this.takeSeat();
    });
    if (room.status === 'ended') this.media.close(); // no light stays on behind a goodbye
    document.documentElement.dataset.status = room.status;
    if (room.ending?.reason === 'removed') this.memory.setRemoved(room.name, Date.now());
    const secret = room.info?.host;
    if (secret) this.memory.setHost(room.name, secret);
  }

  private takeSeat(): void {
    if (this.seated.value) return;
    this.seated.value = true;
    this.returning.value = false;
    this.left.value = false;
    this.memory.visited(this.room.name, Date.now());
  }
}

const Context = createContext<Visit | null>(null);

export const VisitProvider = Context.Provider;

/** The visit that the component belongs to. */
export function useVisit(): Visit {
  const visit = useContext(Context);
  if (visit === null) throw new Error('web: no visit around this component');
  return visit;
}
