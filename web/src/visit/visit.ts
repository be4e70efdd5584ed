/**
 * A visit is one person's time in one room, from opening its page to leaving it: the room session and the devices of
 * the SDK, and what only the page knows, such as which panel is open. Everything a screen shows is a signal here.
 */

import type {
  ChatMessage,
  DeviceEvent,
  LocalMedia,
  Participant,
  Room,
  RoomError,
  RoomOptions,
  RoomState,
  SourceStatus,
} from '@parley-rtc/sdk';
import {batch, computed, effect, signal} from '@preact/signals';
import {createContext} from 'preact';
import {useContext} from 'preact/hooks';
import type {Corner} from '../call/corner';
import type {Memory, Shelf} from '../logic/memory';
import {clipName, MAX_NOTE} from '../logic/person-name';
import {passes, type Refusal, refusalOf} from '../logic/refusals';
import {keyOf} from '../logic/route';
import {type Stay, StayMemory} from '../logic/stay';
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
  /** Where this tab keeps how the call looked, for a reload; null keeps nothing. */
  tab: Shelf | null;
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
  /** The big and the small picture have changed places. */
  readonly swapped = signal(false);
  /** The corner that the small picture stands in. */
  readonly corner = signal<Corner>('br');
  /** Neither the server nor anybody else is in reach. */
  readonly severed = signal(false);
  /** A screen was shared before a reload, of this kind; sharing it again takes a press. */
  readonly unshared = signal<'text' | 'motion' | null>(null);
  /** What a device did by itself last, until it is put away. */
  readonly device = signal<DeviceEvent | null>(null);
  /** What three and more need is wanted (call/conference.ts). */
  readonly conferring = signal(false);
  /** Space is held to talk. */
  readonly talking = signal(false);

  /** Whether a seat was ours, however it ended. */
  readonly seated = signal(false);
  private readonly left = signal(false);
  private readonly returning = signal(false);
  private readonly stops: (() => void)[] = [];
  private readonly stay: StayMemory;
  /** The seat of before a reload, which is nobody else until it is mine again. */
  private readonly own: string;

  readonly others = computed(() =>
    this.people.value.filter((p) => !p.isMe && p.state !== 'waiting' && (this.seated.value || p.id !== this.own)),
  );
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

  constructor({room, memory, tab, makers, again, rejoin = false, refusal = null}: VisitOptions) {
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
      key: keyOf(location.hash),
    });
    const {previous} = this.room;
    this.own = previous?.id ?? '';
    this.stay = new StayMemory(tab, room);
    this.listen();
    const name = rejoin ? memory.name : previous?.name;
    this.open(previous ? this.stay.read() : null);
    if (name) {
      this.returning.value = true;
      void this.join(name);
    } else this.room.warm();
  }

  /** Asks for the devices: those that were on before a reload, or those that the person likes to have on. */
  private open(stay: Stay | null): void {
    const {media, memory} = this;
    if (stay === null) {
      void media.ask(memory.wishes);
      return;
    }
    const microphone = stay.microphone !== 'off';
    this.panel.value = stay.panel as Panel | null;
    this.swapped.value = stay.swapped;
    this.corner.value = stay.corner;
    this.unshared.value = stay.screen;
    this.tried.value = microphone || stay.camera;
    void media.ask({microphone, camera: stay.camera}, true);
    if (stay.microphone === 'muted') media.microphone.stop(); // open and silent, as it was
  }

  /** Takes a seat. What is refused is told by `refusal`; it never rejects. */
  async join(typed: string, note = ''): Promise<void> {
    const name = clipName(typed);
    this.refusal.value = null;
    this.memory.name = name;
    try {
      await this.room.join(name, {note: clipName(note, MAX_NOTE)});
    } catch (error) {
      const refusal = refusalOf((error as Partial<RoomError>).code ?? 'fault');
      batch(() => {
        this.refusal.value = refusal;
        this.returning.value = false;
      });
      this.room.warm();
      if (refusal === 'bad-secret') this.dropSecret();
    }
  }

  /** Gives the seat up and lets go of the devices. */
  leave(): void {
    this.left.value = true;
    this.stay.forget();
    this.room.leave();
    this.media.close();
  }

  /** Goes away from the room's page to another one of the app: a seat still held is given up. */
  depart(): void {
    for (const stop of this.stops) stop();
    this.stay.forget();
    this.room.leave();
    this.room.close();
    this.media.close();
  }

  /** Turns the microphone or the camera on or off and remembers it for the next room. */
  toggle(source: 'microphone' | 'camera'): void {
    const device = this.media[source];
    const on = !['on', 'asking', 'held', 'switching'].includes(device.status);
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
      this.media.on('change', () => {
        if (this.media.screen.status === 'on') this.unshared.value = null;
        this.keep();
      }),
      effect(() => this.keep()),
    );
  }

  /** Keeps how the call looks, for a reload. A device that is being asked for has not decided yet. */
  private keep(): void {
    const {microphone, camera, screen} = this.media;
    if (!this.seated.value || this.left.value || microphone.status === 'asking' || camera.status === 'asking') return;
    const silent = microphone.status === 'muted' || this.talking.value;
    this.stay.keep({
      microphone: silent ? 'muted' : wanted(microphone.status) ? 'on' : 'off',
      camera: wanted(camera.status),
      screen: screen.status === 'on' ? screen.kind : this.unshared.value,
      panel: this.panel.value,
      swapped: this.swapped.value,
      corner: this.corner.value,
    });
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
      this.chat.value = room.chat; // another list with each change: what did not change is not drawn again
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

/** Whether the person wants a device on: what is in trouble is wanted too, and tried again after a reload. */
function wanted(status: SourceStatus): boolean {
  return status !== 'off' && status !== 'muted' && status !== 'dismissed';
}

const Context = createContext<Visit | null>(null);

export const VisitProvider = Context.Provider;

/** The visit that the component belongs to. */
export function useVisit(): Visit {
  const visit = useContext(Context);
  if (visit === null) throw new Error('web: no visit around this component');
  return visit;
}
