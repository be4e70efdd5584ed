/** How much may wait in the channel's own buffer before a sender pauses, in bytes. */
export const highWater = 1 << 20;
const lowWater = 512 << 10;

/** One end of a transfer's channel, as the engines use it. Nothing here throws: what is closed takes nothing. */
export interface Pipe {
  /** Bytes that have yet to leave. */
  readonly buffered: number;
  text(text: string): void;
  binary(frame: Uint8Array<ArrayBuffer>): void;
  /** Resolves when little is buffered, or when it is closed. */
  drained(): Promise<void>;
  /** Hears nothing more and closes; `later` leaves the other side time to hear the last word and close first. */
  close(later?: boolean): void;
}

/** Browsers may drop what was said right before the close, so the one who heard it closes; this is how long one waits. */
const lastWordMs = 5_000;

/** What is heard at one end of a channel. */
export interface Ear {
  open?(): void;
  text(text: string): void;
  binary(message: ArrayBuffer): void;
  closed(): void;
}

/** Ties a data channel to an ear. */
export function pipeOf(channel: RTCDataChannel, ear: Ear): Pipe {
  channel.binaryType = 'arraybuffer';
  channel.bufferedAmountLowThreshold = lowWater;
  let freed: () => void = () => {};
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    freed();
    ear.closed();
  };
  channel.addEventListener('open', () => ear.open?.());
  channel.addEventListener('bufferedamountlow', () => freed());
  channel.addEventListener('close', end);
  channel.addEventListener('message', ({data}) => {
    if (over) return;
    if (typeof data === 'string') ear.text(data);
    else ear.binary(data); // perhaps of a frame (frame.ts), so it need not be an instance of our ArrayBuffer
  });
  const send = (data: string | Uint8Array<ArrayBuffer>): void => {
    try {
      channel.send(data as string);
    } catch {
      // it has just been closed, and says so in a moment
    }
  };
  return {
    get buffered() {
      return channel.bufferedAmount;
    },
    text: send,
    binary: send,
    drained: () =>
      over || channel.readyState !== 'open' || channel.bufferedAmount <= lowWater
        ? Promise.resolve()
        : new Promise((resolve) => {
            freed = resolve;
          }),
    close(later = false) {
      over = true;
      freed();
      if (later) setTimeout(() => channel.close(), lastWordMs);
      else channel.close();
    },
  };
}
