import {describe, expect, it} from 'vitest';
import type {LinkMessage} from './message.js';
import {answerMs, type Connection, Negotiation, outrank, type Side} from './negotiation.js';

/** The signalling state machine of an RTCPeerConnection (RFC 8829 §3.5.1), with ICE generations and nothing else. */
class FakeConnection {
  signalingState: RTCSignalingState = 'stable';
  localDescription: RTCSessionDescription | null = null;
  remoteDescription: RTCSessionDescription | null = null;
  readonly candidates: string[] = [];
  failNext: string | null = null;
  #stable: [RTCSessionDescription | null, RTCSessionDescription | null] = [null, null];
  #restart = false;
  #offered = false;
  #generation = 0;
  #version = 0; // of the description, as browsers count it
  #before = 0;
  #remoteBefore: string | undefined;

  constructor(
    readonly name: string,
    readonly pause: () => Promise<void>,
  ) {}

  get generation(): number {
    return this.#generation;
  }

  restartIce(): void {
    this.#restart = true;
  }

  async setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void> {
    await this.pause();
    this.#maybeFail('setLocalDescription');
    if (description?.type === 'rollback') {
      if (this.signalingState === 'stable') throw new Error('InvalidStateError');
      [this.localDescription, this.remoteDescription] = this.#stable;
      this.signalingState = 'stable';
      this.#restart = this.#offered; // a restart that was taken back is still wanted
      this.#generation = this.#before;
      return;
    }
    const answer = this.signalingState === 'have-remote-offer';
    if (this.signalingState === 'have-local-offer') throw new Error('InvalidStateError');
    const sdpBefore = this.#remoteBefore;
    this.#before = this.#generation;
    this.#offered = this.#restart;
    // An answer takes part in the other side's restart.
    const theirs = answer && sdpBefore !== this.remoteDescription?.sdp;
    if (this.#restart || !this.#generation || theirs) this.#generation++;
    this.#restart = false;
    if (answer) this.#remoteBefore = this.remoteDescription?.sdp;
    if (!answer) this.#stable = [this.localDescription, this.remoteDescription];
    const sdp = `o=- ${++this.#version}\r\na=ice-ufrag:${this.name}${this.#generation}\r\n`;
    this.localDescription = {type: answer ? 'answer' : 'offer', sdp} as RTCSessionDescription;
    this.signalingState = answer ? 'stable' : 'have-local-offer';
  }

  async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    await this.pause();
    this.#maybeFail('setRemoteDescription');
    const expected = description.type === 'offer' ? 'stable' : 'have-local-offer';
    if (this.signalingState !== expected)
      throw new Error(`InvalidStateError: ${description.type} in ${this.signalingState}`);
    this.remoteDescription = description as RTCSessionDescription;
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
    if (description.type === 'answer') this.#remoteBefore = description.sdp;
  }

  async addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
    await this.pause();
    this.#maybeFail('addIceCandidate');
    if (!this.remoteDescription) throw new Error('InvalidStateError');
    const {usernameFragment} = candidate ?? {};
    if (usernameFragment && !this.remoteDescription.sdp.includes(`ufrag:${usernameFragment}\r`))
      throw new Error('OperationError');
    this.candidates.push(candidate?.candidate ?? '');
  }

  #maybeFail(step: string): void {
    if (this.failNext !== step) return;
    this.failNext = null;
    throw new Error(`told to fail: ${step}`);
  }
}

class FakeSide implements Side {
  readonly faults: [string, boolean][] = [];
  readonly sent: LinkMessage[] = [];
  readonly pc: FakeConnection;
  readonly negotiation: Negotiation;
  binds = 0;

  constructor(
    readonly polite: boolean,
    pause: () => Promise<void> = async () => {},
  ) {
    this.pc = new FakeConnection(polite ? 'p' : 'i', pause);
    this.negotiation = new Negotiation(this.pc as unknown as Connection, this);
  }

  send(type: 'offer' | 'answer', body: {sdp: string}): void {
    this.sent.push({type, link: 'l', ...body} as LinkMessage);
    const usernameFragment = /ufrag:(\S+)/.exec(body.sdp)?.[1] ?? '';
    this.sent.push({
      type: 'candidate',
      link: 'l',
      candidate: {candidate: usernameFragment, usernameFragment},
    } as LinkMessage);
    this.sent.push({type: 'end-of-candidates', link: 'l', usernameFragment} as LinkMessage);
  }
  bind(): void {
    this.binds++;
  }
  tracks() {
    return [{mid: '0', source: 'microphone' as const}];
  }
  fault(step: string, _: unknown, fatal: boolean): void {
    this.faults.push([step, fatal]);
  }
}

/** Delivers what one side sent to the other, in order, until both are quiet. */
async function settle(a: FakeSide, b: FakeSide): Promise<void> {
  for (let idle = 0; idle < 3; ) {
    await Promise.all([a.negotiation.settled(), b.negotiation.settled()]);
    const [fromA, fromB] = [a.sent.splice(0), b.sent.splice(0)];
    for (const m of fromA) b.negotiation.receive(m);
    for (const m of fromB) a.negotiation.receive(m);
    idle = fromA.length || fromB.length ? 0 : idle + 1;
  }
}

function agreed(a: FakeSide, b: FakeSide): void {
  expect([a.pc.signalingState, b.pc.signalingState]).toEqual(['stable', 'stable']);
  expect(a.pc.remoteDescription?.sdp).toBe(b.pc.localDescription?.sdp);
  expect(b.pc.remoteDescription?.sdp).toBe(a.pc.localDescription?.sdp);
  expect([...a.faults, ...b.faults]).toEqual([]);
}

describe('Negotiation', () => {
  it('offers, answers and trickles', async () => {
    const [a, b] = [new FakeSide(true), new FakeSide(false)];
    a.negotiation.offer();
    await settle(a, b);
    agreed(a, b);
    expect(b.pc.candidates).toEqual(['p1', '']);
    expect(a.pc.candidates).toEqual(['i1', '']);
    expect([a.binds, b.binds]).toEqual([1, 1]);
  });

  it('sends an offer that was prepared', async () => {
    const [a, b] = [new FakeSide(true), new FakeSide(false)];
    a.negotiation.offerPrepared(a.pc.setLocalDescription());
    await settle(a, b);
    agreed(a, b);
  });

  it('resolves glare for the impolite side and loses no restart', async () => {
    const [a, b] = [new FakeSide(true), new FakeSide(false)];
    a.negotiation.offer();
    await settle(a, b);
    const before = [a.pc.generation, b.pc.generation] as const;
    a.negotiation.offer(true);
    b.negotiation.offer(true);
    await settle(a, b);
    agreed(a, b);
    expect(a.pc.generation).toBeGreaterThan(before[0]);
    expect(b.pc.generation).toBeGreaterThan(before[1]);
  });

  it('restarts after all when the offer that wins the glare restarts nothing', async () => {
    const [a, b] = [new FakeSide(true), new FakeSide(false)];
    a.negotiation.offer();
    await settle(a, b);
    const before = b.pc.generation;
    a.negotiation.offer(true);
    b.negotiation.offer(false);
    await settle(a, b);
    agreed(a, b);
    expect(b.pc.generation).toBe(before + 1);
  });

  it('offers later when asked in the middle of an offer', async () => {
    const [a, b] = [new FakeSide(true), new FakeSide(false)];
    a.negotiation.offer();
    a.negotiation.offer(true);
    b.negotiation.receive({type: 'renegotiate', link: 'l'} as LinkMessage);
    await settle(a, b);
    agreed(a, b);
    expect(a.pc.generation).toBeGreaterThan(1);
  });

  it('keeps candidates that come before the description and drops those of another generation', async () => {
    const [a, b] = [new FakeSide(true), new FakeSide(false)];
    const candidate = (ufrag: string) =>
      b.negotiation.receive({
        type: 'candidate',
        link: 'l',
        candidate: {candidate: ufrag, usernameFragment: ufrag},
      } as LinkMessage);
    candidate('p1');
    candidate('p9');
    a.negotiation.offer();
    await settle(a, b);
    candidate('p0');
    await settle(a, b);
    expect([...b.pc.candidates].sort()).toEqual(['', 'p1', 'p1']);
    agreed(a, b);
  });

  it('takes an answer to nothing for what it is', async () => {
    const [a, b] = [new FakeSide(true), new FakeSide(false)];
    a.negotiation.receive({type: 'answer', link: 'l', sdp: 'a=ice-ufrag:x\r\n'} as LinkMessage);
    a.negotiation.offer();
    await settle(a, b);
    agreed(a, b);
  });

  it.each<['a' | 'b', string, [string, boolean]]>([
    ['a', 'setLocalDescription', ['offer', true]],
    ['b', 'setRemoteDescription', ['answer', true]],
    ['b', 'setLocalDescription', ['answer', true]],
    ['a', 'setRemoteDescription', ['offer', true]],
    ['b', 'addIceCandidate', ['candidate', false]],
  ])('reports the rejection at %s of %s', async (who, step, fault) => {
    const sides = {a: new FakeSide(true), b: new FakeSide(false)};
    sides[who].pc.failNext = step;
    sides.a.negotiation.offer();
    await settle(sides.a, sides.b);
    expect(sides[who].faults).toContainEqual(fault);
  });

  it('repeats an offer that nobody answers, and gives up on the link in the end', async () => {
    const [a, b] = [new FakeSide(true), new FakeSide(false)];
    a.negotiation.offer();
    await a.negotiation.settled();
    const [first] = a.sent.splice(0);
    a.negotiation.watch(answerMs - 1);
    expect(a.sent).toEqual([]);
    a.negotiation.watch(1);
    expect(a.sent.splice(0)[0]).toEqual(first);
    // Both arrive after all: one answer is taken, and the second one does no harm.
    for (const message of [first, first]) b.negotiation.receive(message as LinkMessage);
    await settle(a, b);
    agreed(a, b);
    a.negotiation.offer(true);
    await a.negotiation.settled();
    for (let i = 0; i < 10; i++) a.negotiation.watch(answerMs);
    expect(a.faults[0]).toEqual(['offer', true]);
    expect(a.sent.filter((m) => m.type === 'offer')).toHaveLength(4);
  });

  it('is not blocked by an offer that was lost, nor misled by answers that come twice', async () => {
    const [a, b] = [new FakeSide(true), new FakeSide(false)];
    a.negotiation.offer();
    await settle(a, b);
    // The server forgot everything: b says its answer once more, while a offers anew.
    const offered = b.pc.remoteDescription?.sdp ?? '';
    a.negotiation.offer(true);
    await a.negotiation.settled();
    a.sent.splice(0); // lost
    b.negotiation.receive({type: 'offer', link: 'l', sdp: offered});
    await b.negotiation.settled();
    for (const message of b.sent.splice(0)) a.negotiation.receive(message);
    await a.negotiation.settled();
    expect(a.pc.signalingState).toBe('have-local-offer');
    a.negotiation.offer(true); // waits
    a.negotiation.watch(answerMs);
    await settle(a, b);
    agreed(a, b);
    expect([...a.faults, ...b.faults]).toEqual([]);
  });

  it('says nothing after close', async () => {
    const a = new FakeSide(true);
    a.negotiation.offer();
    a.negotiation.close();
    await a.negotiation.settled();
    expect([a.sent, a.faults]).toEqual([[], []]);
  });

  it('ends in agreement whatever both do in any order', async () => {
    for (let seed = 1; seed <= 300; seed++) {
      let state = seed;
      const random = () => {
        state = (state * 48271) % 2147483647;
        return state / 2147483647;
      };
      const pause = async () => {
        for (let i = Math.floor(random() * 4); i > 0; i--) await Promise.resolve();
      };
      const [a, b] = [new FakeSide(true, pause), new FakeSide(false, pause)];
      a.negotiation.offer();
      for (let step = 0; step < 40; step++) {
        const dice = random();
        const [from, to] = random() < 0.5 ? [a, b] : [b, a];
        if (dice < 0.15) from.negotiation.offer(random() < 0.5);
        else if (dice < 0.2) from.negotiation.receive({type: 'renegotiate', link: 'l', restart: true} as LinkMessage);
        else if (dice < 0.8) {
          const message = from.sent.shift();
          if (message) to.negotiation.receive(message);
        } else await pause();
      }
      await settle(a, b);
      agreed(a, b);
    }
  });
});

const line = (priority: number) =>
  `candidate:842163049 1 udp ${priority} 203.0.113.21 41452 typ srflx raddr 0.0.0.0 rport 0 generation 0`;
const priorityOf = (candidate: string) => Number(candidate.split(' ')[3]);
/** Host by wire, host by another network, reflexive of both, host by TCP: as Chromium gives them. */
const given = [2122260223, 2122194687, 1686052607, 1685987071, 1518280447];
const greatest = 0x7effffff;

describe('outrank', () => {
  it('changes nothing before a restart', () => {
    expect(outrank(line(1686052607), 0)).toBe(line(1686052607));
  });

  it('leaves relays where they are: raised, they would come before a direct pair', () => {
    const relay = 'candidate:1 1 udp 58663423 203.0.113.1 61917 typ relay raddr 203.0.113.12 rport 53255';
    expect(outrank(relay, 3)).toBe(relay);
  });

  it('keeps everything else, and what it does not understand', () => {
    const priority = priorityOf(outrank(line(1), 1));
    expect(outrank(line(1), 1)).toBe(line(priority));
    for (const odd of ['', 'candidate:1 1 udp', 'x']) expect(outrank(odd, 1)).toBe(odd);
  });

  it.each([1, 2, 126, 127, 1_000])('restart %i is above all before it, in the same order, and within 31 bits', (n) => {
    const raised = given.map((priority) => priorityOf(outrank(line(priority), n)));
    expect(raised).toEqual([...raised].sort((a, b) => b - a));
    expect(new Set(raised).size).toBe(given.length);
    const before = n === 1 ? greatest : priorityOf(outrank(line(greatest), Math.min(n, 127) - 1));
    expect(Math.min(...raised)).toBeGreaterThan(before);
    expect(Math.max(...raised, priorityOf(outrank(line(greatest), n)))).toBeLessThan(2 ** 31);
  });
});
