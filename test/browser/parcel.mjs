/** Files for tests: what is sent, and what came out at the other end. */
import {createHash, randomBytes} from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';

const chunkSize = 1 << 20;

/** A folder of files that goes away with the test. */
export class Parcel {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'parley-files-'));
  }

  /**
   * Writes a file of random bytes.
   *
   * @param {string} name may name folders
   * @param {number} size bytes
   */
  write(name, size) {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), {recursive: true});
    const file = openSync(path, 'w');
    for (let at = 0; at < size; at += chunkSize) writeSync(file, randomBytes(Math.min(chunkSize, size - at)));
    closeSync(file);
    return path;
  }

  /**
   * Makes a file of zeros that takes no space.
   *
   * @param {string} name
   * @param {number} size bytes
   */
  hollow(name, size) {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, '');
    truncateSync(path, size);
    return path;
  }

  drop() {
    rmSync(this.folder, {recursive: true, force: true});
  }
}

/**
 * The hash of a file as the protocol defines it, by another implementation.
 *
 * @param {Buffer} bytes
 */
export function rootOf(bytes) {
  const root = createHash('sha256').update('parley.file.v1\n');
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(bytes.length));
  root.update(size);
  for (let at = 0; at < bytes.length; at += chunkSize) {
    root.update(
      createHash('sha256')
        .update(bytes.subarray(at, at + chunkSize))
        .digest(),
    );
  }
  return root.digest('hex');
}

/** @param {string} path */
export function rootOfFile(path) {
  return rootOf(readFileSync(path));
}

/**
 * Whether a file is there whole: browsers write downloads under another name first.
 *
 * @param {string} path
 * @param {number} size
 */
export function arrived(path, size) {
  return (statSync(path, {throwIfNoEntry: false})?.size ?? -1) === size;
}
