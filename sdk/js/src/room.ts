import {Actor} from './acts.js';
import type {
  ChatMessage,
  Ending,
  JoinAs,
  LocalMedia,
  MediaState,
  Network,
  Room,
  RoomData,
  RoomError,
  RoomOptions,
  RoomState,
  Shown,
} from './api.js';
import type {ChannelPort, Control, Delivery} from './channels.js';
import {DataHub} from './data.js';
import type {Files} from './files/api.js';
import {Grace} from './grace.js';
import type {Host} from './host.js';
import type {Links} from './links.js';
import {pageStore, SeatMemory} from './memory.js';
import {Mesh} from './mesh.js';
import {NetworkCheck} from './network.js';
import {Notes} from './notes.js';
import {Page} from './page.js';
import {mediaState, nothing, publication, sameMedia} from './publication.js';
import {Pulse} from './pulse.js';
import {closed, Requests, roomError} from './requests.js';
import {Secrecy} from './secrecy.js';
import type {Numbered} from './sequence.js';
import {Servers} from './servers.js';
import {Socket} from './socket.js';
import {watchWhileJoined} from './watching.js';
import type * as wire from './wire.gen.js';

/** Opens a session with a room. It connects at once and stands in front of the door until `join`. */
export function openRoom(options: RoomOptions): Room {
  return new Call(options);
}

/** How often a page in a call that is looked at asks the server for a sign of life. */
const paceMs = 200;

interface Joining {
  name: string;
  as: JoinAs;
  /** The number of the join on the present session; 0 until it is sent. */
  n: number;
  media: MediaState;
  /** The session goes on, and with it the links. */
  same: boolean;
  /** Absent when the SDK takes the seat again by itself. */
  promise: {resolve: () => void; reject: (error: RoomError) => void} | null;
}

class Call extends Actor implements Room {
  readonly network: Network;
  readonly channels: ChannelPort;
  readonly control: Control;
  #session = '';
  #warm = false;
  #joining: Joining | null = null;
  /** The sessions that were seated before mine: I make the links to them. */
  #earlier: ReadonlySet<string> = new Set();
  #seatedAs = ''; // the session that took my seat
  #told: MediaState | null = null;
  #unsent: Pick<wire.Chat, 'id' | 'text'>[] = []; // words that wait for a seat
  #restarts = 0;
  #recalled = 0; // the question that the newest page of the past answers
  readonly #media: LocalMedia | null;
  readonly #socket: Socket;
  readonly #servers: Servers;
  readonly #network: NetworkCheck;
  readonly #memory: SeatMemory;
  readonly #page = new Page();
  readonly #pulse = new Pulse();
  readonly #mesh: Mesh;
  readonly #links: Links;
  readonly #data: DataHub;
  readonly #record: Notes;
  readonly #grace = new Grace(this.roster, (seat) => this.#left({type: 'left', seat, reason: 'expired'}));
  #offlineAt = 0;
  #joinedAt = 0; // by performance.now(); 0 without a seat
  #files: Promise<Files> | null = null;
  readonly #secrecy: Secrecy;
  #host: Host | null = null;
  readonly #requests = new Requests();
  readonly #release: (() => void)[] = [];

  constructor(options: RoomOptions) {
    super(options.room, options.media ?? null);
    this.#media = options.media ?? null;
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
    this.#record = new Notes({
      ready: () => this.status === 'joined' && this.online,
      send: (events) => void this.#socket.send('report', {events}),
    });
    this.#servers = new Servers(this.#socket, () => this.#warm && this.network.check());
    this.network = this.#network = new NetworkCheck(() => this.#servers.ice);
    this.#secrecy = new Secrecy({
      room: this.name,
      send: this.#socket.send.bind(this.#socket),
      control: {
        send: (seat, message) => this.control.send(seat, message),
        on: (type, listener) => this.control.on(type, listener),
      },
      me: () => this.roster.me,
      renew: () => this.#mesh.closeAll(),
      begun: () => this.#relink(),
      changed: () => this.roster.list.forEach((person) => void this.#mesh.connect(person)),
    });
    if (options.key) void this.#secrecy.open(options.key).then(() => this.#joining && this.#session && this.#knock());
    const port = {
      secrecy: this.#secrecy,
      roster: this.roster,
      servers: this.#servers,
      send: this.#socket.send.bind(this.#socket),
      online: () => this.online,
      status: () => this.status,
      own: () => this.me?.id ?? this.#memory.held?.id ?? '',
      trouble: this.report.bind(this),
      suspect: (suspected: boolean) => this.#socket.suspect(suspected),
      record: this.#record,
      joinedAt: () => this.#joinedAt,
      speakers: (seats: readonly string[]) => this.setSpeakers(seats),
    };
    this.#mesh = new Mesh(port, this.#page, this.#pulse);
    this.#links = this.#mesh.links;
    this.channels = this.#mesh.channels;
    this.control = this.#mesh.channels.control;
    this.#data = new DataHub(this.channels);
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
    if (this.#joining) return Promise.reject(roomError('order', 'Joining already.'));
    return new Promise((resolve, reject) => {
      this.#joining = this.#ask(name, {resolve, reject}, as);
      if (this.#session) this.#knock();
    });
  }

  retry(): void {
    this.#socket.renew();
    this.#mesh.hurry();
  }

  leave(): void {
    const asked = this.status === 'joining' || this.status === 'waiting' || this.status === 'joined';
    this.#record.flush();
    if (asked) this.#socket.send('leave', {});
    if (asked || this.#joining) this.#forgetSeat();
  }

  close(): void {
    this.#end({reason: 'left', retry: 0});
  }

  show(wants: readonly Shown[]): void {
    this.#mesh.show(wants);
  }

  sendChat(text: string): ChatMessage {
    const me = this.roster.me;
    const message = this.conversation.write(me?.id ?? '', me?.name ?? '', text);
    if (this.#joining) this.#unsent.push(message);
    else this.#say(message);
    this.emit('chat', message);
    return message;
  }

  earlier(): Promise<void> {
    if (!this.hasEarlier) return Promise.resolve();
    let asked = 0;
    return this.#requests.start(
      () => {
        asked = this.#socket.send('history', {before: this.conversation.oldest});
        return asked;
      },
      () => asked > 0 && this.#recalled === asked,
    );
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
      this.#noteSignalling(online);
      if (!online) this.#mesh.alarm();
      if (!online || this.#joining) return;
      this.#mesh.hurry();
      this.#relink();
    });
    socket.on('reset', ({welcome, lost}) => this.#reset(welcome, lost));
    this.#release.push(
      this.#page.on('visible', () => this.#relink()),
      this.#page.on('network', (other) => {
        if (other) this.#noteBreak('network-changed');
        this.#rouse();
      }),
      this.#page.on('drift', () => this.#links.lost && this.#mesh.hurry()),
      this.#pulse.on('slept', (ms) => {
        this.#noteBreak('asleep', ms);
        this.#rouse();
      }),
    );
    socket.on('welcome', ({welcome, lost}) => this.#welcome(welcome, lost));
    socket.on('message', (message) => this.#take(message));
    socket.on('bye', ({reason, retry, words}) => this.#bye(reason ?? 'fault', retry ?? 0, words));
    socket.on('unreachable', () => this.#end({reason: 'unreachable', retry: 5}));
    socket.on('refused', (error) => {
      this.report('refused', `${error.code} ${error.field ?? ''}: ${error.words}`);
      this.#end({reason: 'protocol', retry: 0});
    });
    if (this.#media) {
      this.#release.push(
        this.#media.on('change', () => this.#publish()),
        this.#media.on('device', (event) => this.#record.device(event)),
      );
    }
    this.#release.push(
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

  #welcome({session, room, ice}: wire.Welcome, lost: readonly Numbered[]): void {
    this.#session = session;
    this.#servers.set(ice ?? null);
    this.#unsent.push(...(lost.filter((m) => m.type === 'chat') as unknown as wire.Chat[]));
    if (room) this.setInfo(room);
    if (this.status === 'joined') {
      // The server forgot the old session; the seat is taken again under the people's eyes, media goes on meanwhile.
      this.#joining = this.#ask(this.roster.me?.name ?? this.#memory.held?.name ?? '', null);
    } else {
      this.#mesh.closeAll();
      this.roster.replace(room?.seats ?? [], '');
      this.setStatus('lobby');
      this.showPeople();
    }
    if (this.#joining) this.#knock();
    else this.#relink();
  }

  /** The server lost its memory, but knows us: nothing changes between us and the others. */
  #reset(welcome: wire.Welcome, lost: readonly Numbered[]): void {
    if (this.status !== 'joined') {
      this.#welcome(welcome, lost);
      return;
    }
    this.#servers.set(welcome.ice ?? null);
    // A join that is still on its way may be that of a session whose links are lost already.
    this.#joining = {...this.#ask(this.me?.name ?? '', null), same: this.#joining?.same ?? true};
    this.#knock();
    this.#mesh.reset();
    for (const {n, ack, type, ...body} of lost as (Numbered & wire.ClientMessage)[]) {
      // The join said what we send and asked for a seat; the welcome brought servers.
      if (type === 'chat' && this.key)
        this.#unsent.push(body as wire.Chat); // the seat that it is sealed with may be another one now
      else if (type !== 'join' && type !== 'media' && type !== 'ice-servers') this.#socket.send(type, body as never);
    }
  }

  /** What was connected may not be any more. */
  #rouse(): void {
    this.#mesh.alarm();
    this.#mesh.hurry(true);
  }

  /** Tells the record what is about to break the call, on this side. */
  #noteBreak(cause: 'network-changed' | 'asleep', ms?: number): void {
    if (this.status === 'joined') this.#record.note({kind: 'note', cause, ...(ms !== undefined && {ms})});
  }

  #noteSignalling(online: boolean): void {
    if (this.status !== 'joined') return;
    if (online) {
      this.#record.note({kind: 'signalling-back', ms: performance.now() - this.#offlineAt});
      this.#record.flush();
    } else {
      this.#offlineAt = performance.now();
      this.#record.note({kind: 'signalling-lost'});
    }
  }

  #take(message: wire.ServerMessage): void {
    switch (message.type) {
      case 'joined':
        this.#seated(message);
        break;
      case 'waiting':
        this.#wait(message);
        break;
      case 'room':
        this.#reshape(message.room);
        break;
      case 'seat':
        this.#seat(message.seat);
        break;
      case 'left':
        this.#left(message);
        break;
      case 'gone':
        this.#links.gone(message.session);
        break;
      case 'chat':
      case 'chat-saved':
      case 'history':
        if (this.#secrecy.veil) this.#secrecy.veil.read(message, (opened) => this.#read(opened));
        else if (!this.key) this.#read(message); // before its code is there nobody can have said anything to me
        break;
      case 'keys':
        this.#secrecy.veil?.receive(message);
        break;
      case 'muted':
        this.#muted(message);
        break;
      case 'reaction': {
        const person = this.roster.get(message.from ?? '');
        if (person) this.emit('reaction', {person, kind: message.kind});
        break;
      }
      case 'ice-servers':
        this.#servers.set(message.ice);
        break;
      case 'error':
        this.#refused(message);
        break;
      default:
        if ('link' in message) this.#mesh.receive(message);
    }
    this.#requests.settle();
  }

  #read(message: wire.Chat | wire.ChatSaved | wire.HistoryAnswer): void {
    const me = this.me?.id ?? '';
    if (message.type === 'chat') {
      this.emit('chat', this.conversation.receive(message, me));
      return;
    }
    if (message.type === 'chat-saved') this.conversation.saved(message);
    else {
      this.conversation.recall(message, me);
      this.#recalled = message.re ?? 0;
    }
    this.emit('history', undefined);
    this.#requests.settle();
  }

  /** Sends words of mine. Those that were sealed for another session are taken as I wrote them. */
  #say({id, text}: Pick<wire.Chat, 'id' | 'text'>): void {
    const {key, veil, unable} = this.#secrecy;
    if (veil) veil.say(id, this.chat.find((m) => m.id === id && m.mine)?.text ?? text);
    else if (!key) this.#socket.send('chat', {id, text});
    else if (!unable) void this.#secrecy.ready().then(() => this.#say({id, text}));
  }

  #ask(name: string, promise: Joining['promise'], as: JoinAs = {}): Joining {
    return {name, as, n: 0, media: mediaState(nothing), same: false, promise};
  }

  /** What I may send now: a listener sends nothing. */
  #publication(listens = this.me?.role === 'listener') {
    return listens ? nothing : publication(this.#media);
  }

  /** Sends the join, and right behind it the offers to those whose sessions are known. */
  #knock(): void {
    const joining = this.#joining as Joining;
    const {key, veil} = this.#secrecy;
    if (key && !veil) {
      // Without the means to encrypt there is no seat in a room that has a key, whatever the server would say.
      const {unable} = this.#secrecy;
      if (unable)
        this.#unseat(roomError(unable === 'key' ? 'encrypted' : 'cannot-encrypt', `Cannot encrypt: ${unable}.`));
      return; // it is on its way
    }
    const {held} = this.#memory;
    const {note, listen = this.me?.role === 'listener'} = joining.as;
    joining.media = mediaState(this.#publication(listen), listen ? null : this.#media);
    joining.n = this.#socket.send('join', {
      name: joining.name,
      media: joining.media,
      ...(note && {note}),
      ...(listen && {listen}),
      ...(held && {seat: held.token}),
      ...(veil && {identity: veil.identity}),
    });
    if (this.status === 'joined') return; // the old links carry on until the seat is ours again
    this.setStatus('joining');
    this.#relink();
  }

  #seated({re, seat, token, room, call}: wire.Joined): void {
    const joining = this.#joining;
    const again = this.status === 'joined';
    if (joining?.n !== re) return; // we have left before it came
    this.#joining = null;
    this.#restarts = 0;
    const {same} = joining;
    if (again && !same) this.#mesh.closeAll(); // they belong to a session that is gone
    const name = room.seats?.find(({id}) => id === seat)?.name ?? joining.name;
    if (!again && this.#memory.held?.id === seat) this.#record.note({kind: 'note', cause: 'reloaded'});
    this.#memory.keep({id: seat, token, name, host: room.host ?? ''});
    const seats = room.seats ?? [];
    const reachable = (session: string) => this.#mesh.reaches(session);
    this.roster.replace(same ? this.#grace.keep(seats, reachable) : seats, seat);
    this.setInfo(room);
    this.setCall(call ?? null);
    if (!again) this.#joinedAt = performance.now();
    if (!same) this.#earlier = new Set(this.#mesh.others().map((p) => p.session));
    this.#seatedAs = this.#session;
    this.#links.forgive();
    this.#told = joining.media;
    this.setStatus('joined');
    this.showPeople();
    this.#publish();
    this.#relink();
    for (const message of this.#unsent.splice(0)) this.#say(message);
    this.#record.flush();
    joining.promise?.resolve();
  }

  #wait({re, token, words = ''}: wire.Waiting): void {
    if (this.#joining?.n !== re) return;
    this.setWaitingWords(words);
    this.#memory.keep({id: '', token, name: this.#joining.name, host: ''});
    this.setStatus('waiting');
    this.#relink();
  }

  #reshape(room: RoomState): void {
    if (this.info?.history !== room.history && (room.history ?? 'none') === 'none') {
      this.conversation.forget();
      this.emit('history', undefined);
    }
    this.setInfo(room, this.status === 'joined');
    if (!this.#servers.ice && room.may !== 'no') this.#servers.ask(); // a door that opens opens the relay too
    const seated = this.status === 'joined';
    if (room.seats) this.roster.replace(room.seats, this.me?.id ?? '');
    else if (!seated && (!room.exists || ((room.locked || room.waitingRoom) && room.role !== 'host'))) {
      this.roster.replace([], ''); // who is inside is not ours to know any more, and nobody says so
    }
    this.#links.forgive();
    this.showPeople();
    this.#relink();
  }

  #seat(seat: wire.Seat): void {
    this.#grace.back(seat.id);
    const {person, before} = this.roster.update(seat);
    if (person.isMe) this.#publish(); // a listener sends nothing, a speaker may again
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
    this.#mesh.channels.connect(person.id, null);
    this.showPeople();
    if (this.status === 'joined' && person.state !== 'waiting') this.emit('left', {person, reason});
    this.#relink();
  }

  #muted({by, source}: wire.Muted): void {
    if (source === 'microphone' || source === 'camera') this.#media?.[source].stop();
    else this.#media?.screen.stop();
    this.emit('muted', {source, by: this.roster.get(by)});
  }

  #refused(error: wire.Error): void {
    const {re = 0, code, words} = error;
    const joining = this.#joining;
    if (joining && re === joining.n && re) {
      this.#unseat(roomError(code, words, error.field));
      // Nobody waits for a seat that the SDK asked for by itself: this is how people learn that it is lost.
      if (!joining.promise) this.report('refused', `${code} ${error.field ?? ''}: ${words}`);
      return;
    }
    // One that answers nothing is no link's, and no question's that has yet to be asked: their number is 0 too.
    const known = re && (this.#requests.refuse(error) || this.#mesh.refused(re) || this.#servers.refused(re));
    // Candidates to somebody who has just left are nobody's trouble.
    if (known || code === 'no-peer' || code === 'order') return;
    this.report(code === 'fault' ? 'signalling' : 'refused', `${code} ${error.field ?? ''}: ${words}`);
  }

  #bye(reason: wire.ByeReason, retry: number, words = ''): void {
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
    this.#unsent = [];
    this.#record.clear();
    this.#joinedAt = 0;
    this.#warm = false;
    this.#unseat(roomError('closed', 'Left before the join was through.'));
  }

  /** Back in front of the door. */
  #unseat(error: RoomError): void {
    const promise = this.#joining?.promise;
    this.#joining = null;
    this.#mesh.closeAll();
    this.roster.stand();
    this.setStatus(this.#session ? 'lobby' : 'connecting');
    this.showPeople();
    this.#relink();
    promise?.reject(error);
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
    const promise = this.#joining?.promise;
    this.#joining = null;
    this.setStatus('ended', ending);
    promise?.reject(closed());
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

  /** Sends what the devices give now, and says so. */
  #publish(): void {
    const tracks = this.#publication();
    this.#mesh.publish(tracks);
    if (this.status !== 'joined') return;
    this.roster.me?.publish(tracks);
    const state = mediaState(tracks, tracks === nothing ? null : this.#media);
    if (this.#told && sameMedia(this.#told, state)) return;
    this.#told = state;
    this.#socket.send('media', {media: state});
    this.roster.note(state); // the server tells it to the others only
  }
}
