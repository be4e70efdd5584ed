import {Actor} from './acts.js';
import type {ChatMessage, Ending, JoinAs, Network, Room, RoomData, RoomError, RoomOptions, Shown} from './api.js';
import {Channels, type Delivery} from './channels.js';
import {Chat} from './chat.js';
import {DataHub} from './data.js';
import type {Files} from './files/api.js';
import {Grace} from './grace.js';
import type {Host} from './host.js';
import {pageStore, SeatMemory} from './memory.js';
import {Mesh} from './mesh.js';
import type {Incoming} from './message.js';
import {NetworkCheck} from './network.js';
import {Notes} from './notes.js';
import {OwnSeat} from './own-seat.js';
import {Page} from './page.js';
import type {Publication} from './publication.js';
import {Pulse} from './pulse.js';
import {closed, Requests, roomError} from './requests.js';
import {Secrecy} from './secrecy.js';
import type {Numbered} from './sequence.js';
import {Servers} from './servers.js';
import {Socket, type SocketEvents} from './socket.js';
import {watchWhileJoined} from './watching.js';
import type * as wire from './wire.gen.js';

/** Opens a session with a room. It connects at once and stands in front of the door until `join`. */
export function openRoom(options: RoomOptions): Room {
  return new Call(options);
}

/** How often a page in a call that is looked at asks the server for a sign of life. */
const paceMs = 200;

class Call extends Actor implements Room {
  readonly network: Network;
  readonly channels = new Channels();
  readonly control = this.channels.control;
  #session = '';
  #warm = false;
  /** The sessions that were seated before mine: I make the links to them. */
  #earlier: ReadonlySet<string> = new Set();
  #seatedAs = ''; // the session that took my seat
  #restarts = 0;
  readonly #socket: Socket;
  readonly #servers: Servers;
  readonly #network: NetworkCheck;
  readonly #memory: SeatMemory;
  readonly #page = new Page();
  readonly #pulse = new Pulse();
  readonly #mesh: Mesh;
  readonly #own: OwnSeat;
  readonly #chat: Chat;
  readonly #data = new DataHub(this.channels);
  readonly #record: Notes;
  readonly #grace = new Grace(this.roster, (seat) => this.#left({type: 'left', seat, reason: 'expired'}));
  #joinedAt = 0; // by performance.now(); 0 without a seat
  #files: Promise<Files> | null = null;
  readonly #secrecy: Secrecy;
  #host: Host | null = null;
  readonly #requests = new Requests();
  readonly #release: (() => void)[] = [];
  /** What to do with messages, by their type; the others are for links. */
  readonly #takes: {[T in keyof Incoming]?: (message: Incoming[T]) => void} = {
    joined: (message) => this.#seated(message),
    waiting: (message) => this.#wait(message),
    room: ({room}) => this.#reshape(room),
    seat: ({seat}) => this.#seat(seat),
    left: (message) => this.#left(message),
    gone: ({session}) => this.#mesh.links.gone(session),
    chat: (message) => this.#chat.receive(message),
    'chat-saved': (message) => this.#chat.receive(message),
    history: (message) => this.#chat.receive(message),
    keys: (message) => this.#secrecy.veil?.receive(message),
    muted: ({by, source}) => {
      this.roster.media?.[source === 'screen-audio' ? 'screen' : source].stop();
      this.emit('muted', {source, by: this.roster.get(by)});
    },
    reaction: ({from = '', kind}) => {
      const person = this.roster.get(from);
      if (person) this.emit('reaction', {person, kind});
    },
    'ice-servers': ({ice}) => this.#servers.set(ice),
    error: (message) => this.#refused(message),
  };

  constructor(options: RoomOptions) {
    super(options.room, options.media ?? null);
    this.#memory = new SeatMemory(
      options.storage === undefined ? pageStore('sessionStorage') : options.storage,
      this.name,
    );
    const url = new URL('/ws', options.server ?? location.origin);
    url.protocol = url.protocol.replace('http', 'ws');
    const hello = () => {
      const host = options.host || this.info?.host || this.#memory.held?.host;
      return {client: options.client ?? {name: 'parley-sdk'}, room: this.name, ...(host && {host})};
    };
    this.#socket = new Socket(url.href, hello, this.#page, this.#pulse);
    const send = this.#socket.send.bind(this.#socket);
    this.#record = new Notes({
      ready: () => this.status === 'joined' && this.online,
      send: (events) => void send('report', {events}),
    });
    this.#servers = new Servers(this.#socket, () => this.#warm && this.network.check());
    this.network = this.#network = new NetworkCheck(() => this.#servers.ice);
    this.#secrecy = new Secrecy({
      room: this.name,
      send,
      control: this.control,
      me: () => this.roster.me,
      renew: () => this.#mesh.closeAll(),
      begun: () => this.#relink(),
      changed: () => this.roster.list.forEach((person) => void this.#mesh.connect(person)),
    });
    if (options.key) void this.#secrecy.open(options.key).then(() => this.#session && this.#own.knock());
    const port = {
      secrecy: this.#secrecy,
      conversation: this.conversation,
      requests: this.#requests,
      roster: this.roster,
      channels: this.channels,
      data: this.#data,
      servers: this.#servers,
      send,
      online: () => this.online,
      status: () => this.status,
      trouble: this.report.bind(this),
      suspect: (suspected: boolean) => this.#socket.suspect(suspected),
      record: this.#record,
      joinedAt: () => this.#joinedAt,
      speakers: (seats: readonly string[]) => this.setSpeakers(seats),
      waits: () => this.#own.pending,
      memory: this.#memory,
      asked: () => {
        if (this.status === 'joined') return; // the old links carry on until the seat is ours again
        this.setStatus('joining');
        this.#relink();
      },
      unseat: (error: RoomError) => void this.#unseat(error),
      publish: (tracks: Publication) => this.#mesh.publish(tracks),
      emit: this.emit.bind(this),
    };
    this.#own = new OwnSeat(port);
    this.#chat = new Chat(port);
    this.#mesh = new Mesh(port, this.#page, this.#pulse);
    this.#listen();
  }

  get key(): string {
    return this.#secrecy.key;
  }

  get previous(): {readonly id: string; readonly name: string} | null {
    const {held} = this.#memory;
    return held && !held.removed ? {id: held.id, name: held.name} : null;
  }

  warm(): void {
    if (this.#warm || this.status === 'ended') return;
    this.#warm = true;
    void this.#record.load();
    if (this.#session) this.network.check();
    this.#relink();
  }

  join(name: string, as: JoinAs = {}): Promise<void> {
    if (this.status === 'joined') return Promise.resolve();
    if (this.status === 'ended') return Promise.reject(closed());
    return this.#own.join(name, as, this.#session !== '');
  }

  retry(): void {
    this.#socket.renew();
    this.#mesh.hurry();
  }

  leave(): void {
    const asked = this.status === 'joining' || this.status === 'waiting' || this.status === 'joined';
    this.#record.flush();
    if (asked) this.#socket.send('leave', {});
    if (asked || this.#own.pending) this.#forgetSeat();
    this.#socket.probe(); // the others see a seat that is left on a dead socket
  }

  close(): void {
    this.#end({reason: 'left', retry: 0});
  }

  show(wants: readonly Shown[]): void {
    this.#mesh.show(wants);
  }

  sendChat(text: string): ChatMessage {
    return this.#chat.write(text);
  }

  earlier(): Promise<void> {
    return this.#chat.earlier();
  }

  data(label: string, delivery: Delivery = {}): RoomData {
    return this.#data.open(label, delivery);
  }

  files(): Promise<Files> {
    this.#files ??= import('./files/index.js').then(({openFiles}) =>
      openFiles(this, (event) => this.#record.note(event)),
    );
    this.#files.catch(() => {
      this.#files = null; // the next question tries again
    });
    return this.#files;
  }

  protected async host(): Promise<Host> {
    const {Host} = await import('./host.js');
    this.#host ??= new Host(this.#socket, this.#requests, this.roster, this, this.#secrecy);
    return this.#host;
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('online', (online) => {
      this.setOnline(online);
      if (this.status === 'joined') this.#record.signalling(online);
      if (!online) this.#mesh.alarm();
      else if (!this.#own.pending) {
        this.#mesh.hurry();
        this.#relink();
      }
    });
    socket.on('network', () => this.#mesh.alarm());
    socket.on('reset', (event) => this.#reset(event));
    socket.on('welcome', (event) => this.#welcome(event));
    socket.on('message', (message) => this.#take(message));
    socket.on('bye', (bye) => this.#bye(bye));
    socket.on('unreachable', () => this.#end({reason: 'unreachable', retry: 5}));
    socket.on('refused', (error) => {
      this.#complain(error);
      this.#end({reason: 'protocol', retry: 0});
    });
    const {media} = this.roster;
    if (media) {
      this.#release.push(
        media.on('change', () => this.#own.publish()),
        media.on('device', (event) => this.#record.device(event)),
      );
    }
    this.#release.push(
      this.#page.on('visible', () => this.#relink()),
      this.#page.on('network', (other) => {
        if (other && this.status === 'joined') this.#record.note({kind: 'note', cause: 'network-changed'});
        this.#mesh.rouse(true);
      }),
      this.#page.on('drift', () => this.#mesh.links.lost && this.#mesh.hurry()),
      this.#pulse.on('slept', (ms) => {
        if (this.status === 'joined') this.#record.note({kind: 'note', cause: 'asleep', ms});
        this.#mesh.rouse(false);
      }),
      watchWhileJoined(this, {
        people: () => this.roster.list,
        onPeople: (listener) => this.on('people', listener),
        control: this.control,
        channels: this.channels,
        note: (event) => this.#record.note(event),
        serverRtt: () => this.#socket.rttMs || undefined,
      }),
    );
  }

  #welcome({welcome: {session, room, ice}, lost}: SocketEvents['welcome']): void {
    this.#session = session;
    this.#servers.set(ice);
    this.#chat.keep(lost.filter((m) => m.type === 'chat') as unknown as wire.Chat[]);
    if (room) this.setInfo(room);
    if (this.status === 'joined') {
      // The server forgot the old session; the seat is taken again under the people's eyes, media goes on meanwhile.
      this.#own.again(false);
      return;
    }
    this.#mesh.closeAll();
    this.roster.replace(room?.seats ?? [], '');
    this.setStatus('lobby');
    this.showPeople();
    if (this.#own.pending) this.#own.knock();
    else this.#relink();
  }

  /** The server lost its memory, but knows us: nothing changes between us and the others. */
  #reset(event: SocketEvents['reset']): void {
    if (this.status !== 'joined') {
      this.#welcome(event);
      return;
    }
    this.#servers.set(event.welcome.ice);
    this.#own.again(true);
    this.#mesh.reset();
    for (const {n, ack, type, ...body} of event.lost as (Numbered & wire.ClientMessage)[]) {
      // The join said what we send and asked for a seat; the welcome brought servers.
      if (type === 'chat' && this.key)
        this.#chat.keep([body as wire.Chat]); // the seat that it is sealed with may be another one now
      else if (type !== 'join' && type !== 'media' && type !== 'ice-servers') this.#socket.send(type, body as never);
    }
  }

  #take(message: wire.ServerMessage): void {
    const take = this.#takes[message.type as keyof Incoming] as ((message: wire.ServerMessage) => void) | undefined;
    if (take) take(message);
    else if ('link' in message) this.#mesh.receive(message);
    this.#requests.settle();
  }

  #seated(message: wire.Joined): void {
    if (!this.#own.is(message.re)) return; // we have left before it came
    const again = this.status === 'joined';
    const {same, promise} = this.#own.take(message);
    const {seat, room, call} = message;
    this.#restarts = 0;
    if (again && !same) this.#mesh.closeAll(); // they belong to a session that is gone
    const {seats = []} = room;
    this.roster.replace(same ? this.#grace.keep(seats, this.#mesh) : seats, seat);
    this.setInfo(room);
    this.setCall(call);
    if (!again) this.#joinedAt = performance.now();
    if (!same) this.#earlier = new Set(this.#mesh.others().map((p) => p.session));
    this.#seatedAs = this.#session;
    this.#mesh.links.forgive();
    this.setStatus('joined');
    this.showPeople();
    this.#own.publish();
    this.#relink();
    this.#chat.seated();
    this.#record.flush();
    promise?.resolve();
  }

  #wait(message: wire.Waiting): void {
    if (!this.#own.is(message.re)) return;
    this.setWaitingWords(message.words ?? '');
    this.#own.wait(message.token);
    this.setStatus('waiting');
    this.#relink();
  }

  #reshape(room: wire.RoomState): void {
    if (this.info?.history !== room.history && (room.history ?? 'none') === 'none') this.#chat.forget();
    this.setInfo(room, this.status === 'joined');
    if (!this.#servers.ice && room.may !== 'no') this.#servers.ask(); // a door that opens opens the relay too
    const seated = this.status === 'joined';
    if (room.seats) this.roster.replace(room.seats, this.me?.id ?? '');
    else if (!seated && (!room.exists || ((room.locked || room.waitingRoom) && room.role !== 'host'))) {
      this.roster.replace([], ''); // who is inside is not ours to know any more, and nobody says so
    }
    this.#mesh.links.forgive();
    this.showPeople();
    this.#relink();
  }

  #seat(seat: wire.Seat): void {
    this.#grace.back(seat.id);
    const {person, before} = this.roster.update(seat);
    if (person.isMe) this.#own.publish(); // a listener sends nothing, a speaker may again
    const enters = person.state !== 'waiting' && (before === null || before === 'waiting');
    this.showPeople();
    if (enters && this.status === 'joined' && !person.isMe) this.emit('joined', person);
    this.#relink();
  }

  #left({seat, reason}: wire.Left): void {
    this.#grace.back(seat);
    const person = this.roster.remove(seat);
    if (!person) return;
    if (person.isMe) {
      this.#forgetSeat(reason === 'removed');
      return;
    }
    person.connect(null, 'none');
    this.channels.connect(person.id, null);
    this.showPeople();
    if (this.status === 'joined' && person.state !== 'waiting') this.emit('left', {person, reason});
    this.#relink();
  }

  #refused(error: wire.Error): void {
    const {re = 0, code, words} = error;
    if (this.#own.is(re)) {
      const hoped = this.#unseat(roomError(code, words, error.field));
      // Nobody waits for a seat that the SDK asked for by itself: this is how people learn that it is lost.
      if (!hoped) this.#complain(error);
      return;
    }
    // One that answers nothing is no link's, and no question's that has yet to be asked: their number is 0 too.
    const known = re && (this.#requests.refuse(error) || this.#mesh.refused(re) || this.#servers.refused(re));
    // Candidates to somebody who has just left are nobody's trouble.
    if (known || code === 'no-peer' || code === 'order') return;
    this.#complain(error, code === 'fault');
  }

  #complain({code, field = '', words}: wire.Error, ours = false): void {
    this.report(ours ? 'signalling' : 'refused', `${code} ${field}: ${words}`);
  }

  #bye({reason = 'fault', retry = 0, words}: wire.Bye): void {
    // A server that restarts, or stumbled, wants us back; the links go on without it.
    if (retry > 0 && (reason === 'draining' || reason === 'fault') && ++this.#restarts <= 5) {
      this.#socket.restart(retry * 1000 * (1 + Math.random() / 2));
      return;
    }
    if (reason === 'expired') this.#memory.forget();
    else if (reason === 'removed') this.#memory.expel();
    this.#end({reason, retry, ...(words && {words})});
  }

  /** The seat is given up, or was taken from us. */
  #forgetSeat(removed = false): void {
    if (removed) this.#memory.expel();
    else this.#memory.forget();
    this.#chat.left();
    this.#record.clear();
    this.#joinedAt = 0;
    this.#warm = false;
    this.#unseat(roomError('closed', 'Left before the join was through.'));
  }

  /** Back in front of the door. Returns whether an app waited for a seat. */
  #unseat(error: RoomError): boolean {
    const hoped = this.#own.fail(error);
    this.#mesh.closeAll();
    this.roster.stand();
    this.setStatus(this.#session ? 'lobby' : 'connecting');
    this.showPeople();
    this.#relink();
    return hoped;
  }

  #end(ending: Ending): void {
    if (this.status === 'ended') return;
    this.#record.flush();
    // Without a seat there is nothing to come back to: the server may forget the session at once.
    this.#socket.close(this.status === 'lobby');
    for (const release of this.#release) release();
    void this.#files?.then((files) => files.close()).catch(() => {}); // without them there is nothing to close
    this.#mesh.close();
    this.#grace.close();
    this.#socket.release();
    this.#record.clear();
    this.#network.close();
    this.#servers.close();
    this.#requests.close();
    this.#secrecy.veil?.close();
    this.#own.fail(closed());
    this.setStatus('ended', ending);
  }

  #relink(): void {
    const fast = this.status === 'joined' && this.#page.visible;
    this.#socket.pace(fast ? paceMs : 0);
    this.#mesh.relink({
      session: this.#session,
      info: this.info,
      warm: this.#warm,
      returning: this.previous !== null,
      earlier: this.#earlier,
      seated: this.#seatedAs,
    });
  }
}
