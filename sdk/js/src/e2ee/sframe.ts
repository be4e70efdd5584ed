/**
 * SFrame (RFC 9605) with the cipher suite AES_128_GCM_SHA256_128: the header, the keys, and one frame sealed or opened.
 * Numbers above 2^53 − 1 are not used here and not read.
 */

import {type Bytes, concat, utf8} from './bytes.js';

/** AES_128_GCM_SHA256_128 (RFC 9605 §8.1). */
const suite = 0x0004;
/** The lengths of the suite, in bytes. */
export const keyLength = 16;
const nonceLength = 12;
export const tagLength = 16;
/** The longest header. */
export const maxHeader = 17;

/** A header that was read. */
export interface Header {
  kid: number;
  ctr: number;
  /** How many bytes it takes. */
  length: number;
}

/** Writes a header (RFC 9605 §4.3): small numbers stand in the first byte, others behind it, in as few bytes as it takes. */
export function writeHeader(kid: number, ctr: number): Bytes {
  const [k, c] = [numeral(kid), numeral(ctr)];
  return concat(Uint8Array.of((k.field << 4) | c.field), k.rest, c.rest);
}

/** Reads the header that data begin with; null when they are too short, or a number is too great. */
export function readHeader(data: Uint8Array, from = 0): Header | null {
  const config = data[from];
  if (config === undefined) return null;
  let at = from + 1;
  const take = (field: number): number | null => {
    if (field < 8) return field;
    const length = (field & 7) + 1;
    if (at + length > data.length) return null;
    let value = 0;
    for (const end = at + length; at < end; at++) value = value * 256 + (data[at] as number);
    return Number.isSafeInteger(value) ? value : null;
  };
  const kid = take(config >> 4);
  const ctr = kid === null ? null : take(config & 15);
  return kid === null || ctr === null ? null : {kid, ctr, length: at - from};
}

function numeral(value: number): {field: number; rest: Bytes} {
  if (value < 8) return {field: value, rest: new Uint8Array(0)};
  const rest: number[] = [];
  for (let left = value; left > 0; left = Math.floor(left / 256)) rest.unshift(left % 256);
  return {field: 8 | (rest.length - 1), rest: Uint8Array.from(rest)};
}

/** One sender's key of one generation, as derived from its base key (RFC 9605 §4.4.2). */
export class FrameKey {
  private constructor(
    readonly kid: number,
    private readonly key: CryptoKey,
    private readonly salt: Bytes,
  ) {}

  /** `base` is {@link keyLength} bytes that only the sender and its receivers know. */
  static async derive(kid: number, base: Bytes): Promise<FrameKey> {
    const secret = await crypto.subtle.importKey('raw', base, 'HKDF', false, ['deriveBits']);
    const part = async (name: string, length: number) => {
      const info = concat(utf8(`SFrame 1.0 Secret ${name} `), eightBytes(kid), Uint8Array.of(suite >> 8, suite & 255));
      const how = {name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info};
      return new Uint8Array(await crypto.subtle.deriveBits(how, secret, length * 8));
    };
    const [key, salt] = await Promise.all([part('key', keyLength), part('salt', nonceLength)]);
    const usages: KeyUsage[] = ['encrypt', 'decrypt'];
    return new FrameKey(kid, await crypto.subtle.importKey('raw', key, 'AES-GCM', false, usages), salt);
  }

  /** Seals a frame whose first `clear` bytes stay legible: they, the header and what is sealed are authentic together. */
  async seal(ctr: number, frame: Uint8Array, clear = 0): Promise<Bytes> {
    const header = writeHeader(this.kid, ctr);
    const metadata = frame.subarray(0, clear);
    const sealed = await crypto.subtle.encrypt(
      this.#how(ctr, header, metadata),
      this.key,
      bytes(frame.subarray(clear)),
    );
    return concat(metadata, header, new Uint8Array(sealed));
  }

  /** Opens a frame with the header that was read behind its clear bytes. Rejects when anything was changed. */
  async open({ctr, length}: Header, frame: Uint8Array, clear = 0): Promise<Bytes> {
    const metadata = frame.subarray(0, clear);
    const header = frame.subarray(clear, clear + length);
    const sealed = bytes(frame.subarray(clear + length));
    return concat(
      metadata,
      new Uint8Array(await crypto.subtle.decrypt(this.#how(ctr, header, metadata), this.key, sealed)),
    );
  }

  #how(ctr: number, header: Uint8Array, metadata: Uint8Array): AesGcmParams {
    const iv = new Uint8Array(this.salt);
    const number = eightBytes(ctr);
    for (let i = 0; i < 8; i++) (iv[nonceLength - 8 + i] as number) ^= number[i] as number;
    return {name: 'AES-GCM', iv, additionalData: concat(header, metadata), tagLength: tagLength * 8};
  }
}

/** The same bytes, typed as WebCrypto wants them: none of ours are shared between threads. */
function bytes(view: Uint8Array): Bytes {
  return view as Bytes;
}

function eightBytes(value: number): Bytes {
  const out = new Uint8Array(8);
  const view = new DataView(out.buffer);
  view.setUint32(0, Math.floor(value / 2 ** 32));
  view.setUint32(4, value % 2 ** 32);
  return out;
}
