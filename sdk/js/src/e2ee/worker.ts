/** The thread that seals and opens frames, off the page's own. */

import {Frames} from './frames.js';
import {Sluice} from './sluice.js';
import type {News, Order, Section} from './work.js';

const frames = new Frames();
// The DOM library types the page's postMessage, which wants an origin.
const post = self.postMessage as unknown as (news: News) => void;
const sluice = new Sluice(frames, (news) => post(news)); // it wants to be called by nobody

self.onmessage = ({data}: MessageEvent<Order>) => sluice.obey(data);

// RTCRtpScriptTransform hands its streams over by an event of the worker.
(self as unknown as {onrtctransform: unknown}).onrtctransform = ({
  transformer,
}: {
  transformer: {
    options: Section;
    readable: ReadableStream;
    writable: WritableStream;
    sendKeyFrameRequest?: () => Promise<void>;
  };
}) => {
  const ask = () => transformer.sendKeyFrameRequest?.();
  sluice.pipe(transformer.options, transformer.readable, transformer.writable, ask);
};

setInterval(() => frames.expire(), 2_000);
