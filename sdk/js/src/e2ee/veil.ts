import type {Encryption} from '../api.js';
import type {Person} from '../person.js';
import type {Seal, Veil, VeilPort} from '../veil.js';
import type * as wire from '../wire.gen.js';
import {SealedChannel} from './channel.js';
import {Ends} from './ends.js';
import {dataKid, Frames} from './frames.js';
import {hold} from './hold.js';
import {Keyring, type Member} from './keyring.js';
import {Secret} from './secret.js';
import {means, Transforms} from './transforms.js';

/** How long what comes as data waits for its key: nothing of it may be lost. */
const dataPatienceMs = 5_000;

/** Why a room cannot be encrypted here. */
export type Unable = 'key' | 'browser';

/** Encrypts a room with the secret of its link, or says why it cannot. */
export async function openVeil(key: string, port: VeilPort): Promise<{veil: Veil} | {unable: Unable}> {
  if (!globalThis.crypto?.subtle || !means()) return {unable: 'browser'};
  const secret = await Secret.of(port.room, key);
  return secret ? {veil: new Cover(secret, await secret.appear(), port)} : {unable: 'key'};
}

class Cover implements Veil {
  readonly identity: string;
  readonly seal: Seal;
  readonly #transforms: Transforms;
  readonly #keyring: Keyring;
  readonly #ends: Ends;
  /** The keys of data through the hub. */
  readonly #data = new Frames(undefined, dataPatienceMs);
  readonly #expiry = setInterval(() => this.#data.expire(), 2_000);
  readonly #release: () => void;
  #queue: Promise<void> = Promise.resolve();
  #sessions = new Map<string, string>(); // by seat

  constructor(
    readonly secret: Secret,
    self: Awaited<ReturnType<Secret['appear']>>,
    readonly port: VeilPort,
  ) {
    this.identity = self.identity;
    const transforms = new Transforms(means(), undefined, () => port.changed());
    this.#transforms = transforms;
    this.#keyring = new Keyring(secret, self, {
      send: (boxes) => void port.send('keys', {boxes: [...boxes]}),
      tell: (seat, box) => void port.control.send(seat, {type: 'keys', box}),
      use: (kid, base) => {
        this.#data.use(dataKid(kid), base);
        transforms.use(kid, base);
      },
      add: (session, kid, base) => {
        this.#data.add(session, dataKid(kid), base);
        transforms.add(session, kid, base);
      },
      forget: (session) => {
        this.#data.forget(session);
        transforms.forget(session);
      },
      changed: () => port.changed(),
      met: (session) => this.#ends.met(session),
      linked: (session, link, own, peer) => this.#ends.told(session, link, own, peer),
    });
    this.#ends = new Ends(
      (...words) => this.#keyring.describe(...words),
      () => port.changed(),
    );
    this.#release = port.control.on('keys', (seat, {box}) => {
      const session = this.#sessions.get(seat);
      if (session && typeof box === 'string') this.#keyring.receive(session, box);
    });
    this.seal = {
      config: transforms.config as RTCConfiguration,
      prefer,
      cover: (transceiver, session) => {
        const {sender, receiver, direction} = transceiver;
        // A section of the hub keeps its direction; that of a link may yet be both.
        if (session || direction !== 'recvonly') transforms.sender(sender, receiver.track.kind as 'audio' | 'video');
        if (session || direction !== 'sendonly') transforms.receiver(receiver, session);
      },
      ownerOf: (receiver) => transforms.ownerOf(receiver),
      described: (session, link, pc, broken) => this.#ends.described(session, link, pc, broken),
      trusts: (session, link) => this.#keyring.standing(session) !== 'stranger' && this.#ends.trusts(session, link),
      reads: (session) => this.#keyring.reads(session),
      channel: (channel, session, seat) =>
        new SealedChannel(channel, this.#data, {
          session,
          seat,
          me: () => port.me()?.id ?? '',
        }) as unknown as RTCDataChannel,
      hold: (session, link, channel, take) => {
        if (this.#ends.trusts(session, link)) take(channel);
        else this.#ends.whenTrusted(session, link, hold(channel, take));
      },
    };
  }

  people(me: Person | null, others: readonly Person[]): void {
    this.#sessions = new Map(others.map((p) => [p.id, p.session]));
    if (!me) {
      this.#transforms.stop();
      this.#data.stop();
    }
    this.#keyring.members(me && member(me), others.map(member));
  }

  standing(session: string): Encryption {
    return this.#keyring.standing(session);
  }

  receive({from = '', box = ''}: wire.Keys): void {
    this.#keyring.receive(from, box);
  }

  say(id: string, text: string): void {
    this.#then(async () => {
      const me = this.port.me();
      const sealed = await this.secret.sealChat(id, {text, name: me?.name ?? '', seat: me?.id ?? ''});
      this.port.send('chat', {id, text: sealed});
    });
  }

  read<M extends wire.Chat | wire.HistoryAnswer | wire.ChatSaved>(message: M, take: (message: M) => void): void {
    this.#then(async () => {
      if (message.type === 'chat-saved') take(message);
      else if (message.type === 'chat') {
        const [opened] = await this.#open([message]);
        if (opened) take(opened as M);
      } else take({...message, messages: await this.#open(message.messages)});
    });
  }

  close(): void {
    this.#release();
    clearInterval(this.#expiry);
    this.#keyring.close();
    this.#transforms.close();
  }

  /**
   * What was said with the room's secret, by whom its writer said they are; the rest is not theirs, or not for us. The
   * server might give the words of one seat to another.
   */
  async #open<T extends {id: string; text: string; from?: string; name?: string}>(list: readonly T[]): Promise<T[]> {
    const opened = await Promise.all(
      list.map(async (one) => {
        const said = await this.secret.openChat(one.id, one.text);
        return said && said.seat === one.from ? {...one, text: said.text, name: said.name} : null;
      }),
    );
    return opened.filter((one) => one !== null);
  }

  #then(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch(() => {}); // one message is lost, the others go on
  }
}

function member({session, id: seat, name, order, seat: {identity}}: Person): Member {
  return {session, seat, name, order, identity};
}

/** VP8 first: its frames can be sealed. The others stay behind it, because browsers do not agree on leaving any out. */
function prefer(transceiver: RTCRtpTransceiver): void {
  const {kind} = transceiver.receiver.track;
  const codecs = kind === 'video' ? RTCRtpReceiver.getCapabilities?.(kind)?.codecs : undefined;
  if (!codecs) return;
  const fits = ({mimeType}: {mimeType: string}) => mimeType.toLowerCase() === 'video/vp8';
  transceiver.setCodecPreferences?.([...codecs.filter(fits), ...codecs.filter((codec) => !fits(codec))]);
}
