/** The worker itself: a workbench behind messages. */

import type {Call} from './work.js';
import {Workbench} from './workbench.js';

const bench = new Workbench();
// The DOM library types the page's postMessage, which wants an origin.
const post = self.postMessage as unknown as (message: unknown, transfer: Transferable[]) => void;

self.onmessage = async ({data}: MessageEvent<Call>) => {
  const {reply, transfer} = await bench.answer(data);
  post(reply, transfer);
};
