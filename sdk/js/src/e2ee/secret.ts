/** What the room's secret is good for: to tell who belongs here, to seal what two clients say, and the chat. */

import {type Bytes, concat, fromBase64, random, toBase64, utf8} from './bytes.js';

const curve = {name: 'ECDH', namedCurve: 'P-256'} as const;
const version = 1;
const publicLength = 65;
const macLength = 32;
const nonceLength = 12;
/** The length of a room's secret, in bytes. */
export const secretLength = 16;
const salt = utf8('parley e2ee 1');
/** What a chat text begins with that is ciphertext. */
export const sealedChat = 'parley.sealed.v1:';

/** A chat message as its writer sealed it. */
export interface SealedChat {
  text: string;
  name: string;
  seat: string;
}

/** A room's secret, in this page only. What is derived from it cannot be read out again. */
export class Secret {
  private constructor(
    readonly room: string,
    private readonly identity: CryptoKey,
    private readonly chat: CryptoKey,
    private readonly box: Bytes,
  ) {}

  /** Takes the secret of a link; null when it is none. */
  static async of(room: string, text: string): Promise<Secret | null> {
    const bytes = fromBase64(text);
    if (bytes?.length !== secretLength) return null;
    const key = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits']);
    const derive = (what: string) => hkdf(key, salt, utf8(`${what} ${room}`), 32);
    const [identity, chat, box] = await Promise.all([derive('identity'), derive('chat'), derive('box')]);
    const hmac = {name: 'HMAC', hash: 'SHA-256'};
    return new Secret(
      room,
      await crypto.subtle.importKey('raw', identity, hmac, false, ['sign', 'verify']),
      await crypto.subtle.importKey('raw', chat, 'AES-GCM', false, ['encrypt', 'decrypt']),
      box,
    );
  }

  /** Makes a key pair of this page, with the proof that it belongs to who knows the secret. */
  async appear(): Promise<Self> {
    const pair = await crypto.subtle.generateKey(curve, false, ['deriveBits']);
    const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
    const words = concat(Uint8Array.of(version), point);
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', this.identity, words));
    return {identity: toBase64(concat(words, mac)), key: pair.privateKey, point};
  }

  /** Looks at what somebody says to be; null when they do not know the secret. */
  async recognize(identity: string): Promise<Other | null> {
    const bytes = fromBase64(identity);
    if (bytes?.length !== 1 + publicLength + macLength || bytes[0] !== version) return null;
    const [words, mac] = [bytes.slice(0, 1 + publicLength), bytes.slice(1 + publicLength)];
    if (!(await crypto.subtle.verify('HMAC', this.identity, mac, words))) return null;
    const point = words.slice(1);
    try {
      return {point, key: await crypto.subtle.importKey('raw', point, curve, false, [])};
    } catch {
      return null; // no point of the curve
    }
  }

  /** Agrees with somebody on the keys of the boxes that go each way. */
  async agree(self: Self, other: Other): Promise<Boxes> {
    const bits = await crypto.subtle.deriveBits({name: 'ECDH', public: other.key}, self.key, 256);
    const shared = await crypto.subtle.importKey('raw', bits, 'HKDF', false, ['deriveBits']);
    const key = async (from: Bytes, to: Bytes, usage: KeyUsage) => {
      const raw = await hkdf(shared, this.box, concat(utf8('box'), from, to), 32);
      return crypto.subtle.importKey('raw', raw, 'AES-GCM', false, [usage]);
    };
    return new Boxes(await key(self.point, other.point, 'encrypt'), await key(other.point, self.point, 'decrypt'));
  }

  /** Seals what I write into the chat. */
  async sealChat(id: string, message: SealedChat): Promise<string> {
    const sealed = await seal(this.chat, utf8(JSON.stringify(message)), this.#chatContext(id));
    return sealedChat + toBase64(sealed);
  }

  /** Opens what somebody wrote; null when it was not sealed with this secret, or for another message. */
  async openChat(id: string, text: string): Promise<SealedChat | null> {
    const bytes = text.startsWith(sealedChat) ? fromBase64(text.slice(sealedChat.length)) : null;
    const opened = bytes && (await open(this.chat, bytes, this.#chatContext(id)));
    const message = opened && (read(opened) as Partial<SealedChat> | null);
    if (!message) return null;
    const {text: said, name, seat} = message;
    return typeof said === 'string' && typeof name === 'string' && typeof seat === 'string'
      ? {text: said, name, seat}
      : null;
  }

  #chatContext(id: string): Bytes {
    return utf8(`${this.room} ${id}`);
  }
}

/** This page as the others may know it. */
export interface Self {
  /** What is said in `join`. */
  readonly identity: string;
  readonly key: CryptoKey;
  readonly point: Bytes;
}

/** Somebody who knows the room's secret. */
export interface Other {
  readonly key: CryptoKey;
  readonly point: Bytes;
}

/** Seals and opens words between this page and one other. */
export class Boxes {
  constructor(
    private readonly out: CryptoKey,
    private readonly into: CryptoKey,
  ) {}

  async seal(words: object): Promise<string> {
    return toBase64(await seal(this.out, utf8(JSON.stringify(words))));
  }

  /** Null when the other one did not seal it. */
  async open(box: string): Promise<Record<string, unknown> | null> {
    const bytes = fromBase64(box);
    const opened = bytes && (await open(this.into, bytes));
    return opened && read(opened);
  }
}

async function hkdf(key: CryptoKey, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.deriveBits({name: 'HKDF', hash: 'SHA-256', salt, info}, key, length * 8));
}

async function seal(key: CryptoKey, plain: Bytes, additionalData: Bytes = new Uint8Array(0)): Promise<Bytes> {
  const iv = random(nonceLength);
  return concat(iv, new Uint8Array(await crypto.subtle.encrypt({name: 'AES-GCM', iv, additionalData}, key, plain)));
}

async function open(key: CryptoKey, data: Bytes, additionalData: Bytes = new Uint8Array(0)): Promise<Bytes | null> {
  const iv = data.slice(0, nonceLength);
  try {
    const how = {name: 'AES-GCM', iv, additionalData};
    return new Uint8Array(await crypto.subtle.decrypt(how, key, data.slice(nonceLength)));
  } catch {
    return null;
  }
}

function read(bytes: Bytes): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
