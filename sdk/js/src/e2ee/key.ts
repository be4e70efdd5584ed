import {random, toBase64} from './bytes.js';
import {secretLength} from './secret.js';

/** Makes the key of an encrypted room: 128 bits that nobody can guess, in 22 letters. */
export function makeKey(): string {
  return toBase64(random(secretLength));
}
