/** The frames of `parley.file.v1`: chunks on the wire (docs/files.md). Pure: bytes in, values out. */

/** Bytes that WebCrypto and data channels take. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The protocol of the data channels that carry files; a channel's label is its transfer's id. */
export const fileProtocol = 'parley.file.v1';
/** Bytes of a chunk, the unit of hashing, storing and resuming. Only the last one of a file is shorter. */
export const chunkSize = 1 << 20;
/** Bytes of a SHA-256 hash. */
export const hashSize = 32;
/** Bytes before the payload of a frame. */
export const headerSize = 16;
/** The longest frame in bytes: what every WebRTC stack takes as one message. */
export const maxFrame = 65_536;
const maxPayload = 65_520;

const kindData = 1;
const kindHash = 2;

/** A binary frame as it came. `payload` is a view into the message. */
export interface Frame {
  kind: 'data' | 'hash';
  file: number;
  chunk: number;
  offset: number;
  payload: Bytes;
}

/** Reads a binary frame; null when it is none. Whether it fits the transfer is for the receiver to say. */
export function readFrame(message: ArrayBuffer): Frame | null {
  if (message.byteLength <= headerSize || message.byteLength > maxFrame) return null;
  const view = new DataView(message);
  const first = view.getUint32(0);
  if (first !== kindData << 24 && first !== kindHash << 24) return null;
  const kind = first === kindData << 24 ? 'data' : 'hash';
  const payload = new Uint8Array(message, headerSize);
  if (kind === 'hash' && payload.length !== hashSize) return null;
  return {kind, file: view.getUint32(4), chunk: view.getUint32(8), offset: view.getUint32(12), payload};
}

/** Writes the header of a frame. */
function writeHeader(frame: Bytes, kind: number, file: number, chunk: number, offset: number): Bytes {
  const view = new DataView(frame.buffer, frame.byteOffset, headerSize);
  view.setUint32(0, kind << 24);
  view.setUint32(4, file);
  view.setUint32(8, chunk);
  view.setUint32(12, offset);
  return frame;
}

/**
 * Cuts a chunk into the frames that carry it, its hash last. All of them are equally long, as far as that goes. A frame
 * holds until the next one is asked for, and `data` is used up: nothing but the first frame is copied, for the header of
 * each other one is written over the end of the one before.
 */
export function* chunkFrames(file: number, chunk: number, data: Bytes, hash: Bytes): Generator<Bytes, void> {
  const count = Math.ceil(data.length / maxPayload);
  const size = Math.ceil(data.length / count);
  const copied = (kind: number, payload: Bytes): Bytes => {
    const frame = new Uint8Array(headerSize + payload.length);
    frame.set(payload, headerSize);
    return writeHeader(frame, kind, file, chunk, 0);
  };
  yield copied(kindData, data.subarray(0, size));
  for (let at = size; at < data.length; at += size) {
    yield writeHeader(data.subarray(at - headerSize, at + size), kindData, file, chunk, at);
  }
  yield copied(kindHash, hash);
}

/** How many chunks a file of so many bytes has. */
export function chunkCount(size: number): number {
  return Math.ceil(size / chunkSize);
}

/** How many bytes a chunk of a file has. */
export function chunkLength(size: number, chunk: number): number {
  return Math.min(chunkSize, size - chunk * chunkSize);
}
