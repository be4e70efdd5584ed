import {Line} from './line.js';
import {backoffMs} from './socket.js';
import type * as wire from './wire.gen.js';

/** How long one try may take. */
const eachMs = 4_000;

/** The session that is over here and that the server may still hold. */
export interface Parting {
  url: string;
  /** For how long the server holds it, in milliseconds: after that nothing is left to be said. */
  windowMs: number;
  /** Resumes it; a try that was welcomed leaves the token for the next one here. */
  hello: {resume?: string};
  /** What it has not acknowledged, and the goodbye. */
  last: readonly object[];
  /** Whether the socket that the goodbye was said on ends as it should; null when it was said on none. */
  said: Promise<boolean> | null;
}

/**
 * Makes sure that the server hears that a session is over: one that leaves on a network that is gone, or that dies at
 * this moment, would hold its seat for its whole window before the others' eyes. Resolves to whether it was heard.
 */
export async function farewell({url, windowMs, hello, last, said}: Parting): Promise<boolean> {
  const until = performance.now() + windowMs;
  let heard = said !== null && (await soon(said));
  for (let attempt = 0; !heard && performance.now() < until; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, backoffMs(attempt, Math.random())));
    heard = await say(url, hello, last);
  }
  return heard;
}

/** Resolves to false when it takes too long, and then there are other sockets. */
function soon(ended: Promise<boolean>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), eachMs);
    void ended.then((clean) => {
      clearTimeout(timer);
      resolve(clean);
    });
  });
}

async function say(url: string, hello: Parting['hello'], last: readonly object[]): Promise<boolean> {
  let answered = false;
  const line = new Line(url, eachMs, {
    opened: () => void line.send(hello),
    text: (_, text) => {
      const {type, resumed, resume = '', code} = JSON.parse(text) as Partial<wire.Welcome & wire.Error>;
      answered = type !== 'error' || (code !== 'busy' && code !== 'fault'); // those say: later
      if (resumed) hello.resume = resume;
      // In another session nothing of it is worth saying but that it is over, too.
      if (type === 'welcome') for (const message of resumed ? last : last.slice(-1)) line.send(message);
      line.close(); // it says nothing more
    },
    late: () => line.close(),
    closed: () => {},
  });
  return (await soon(line.ended)) && answered;
}
