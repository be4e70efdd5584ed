import {describe, expect, it} from 'vitest';
import {Sequence} from './sequence.js';

describe('Sequence', () => {
  it('numbers from one without gaps and keeps what is not acknowledged', () => {
    const s = new Sequence();
    expect(s.add({type: 'join'}).n).toBe(1);
    expect(s.add({type: 'chat'}).n).toBe(2);
    expect(s.add({type: 'chat'}).n).toBe(3);
    s.acknowledged(2);
    expect(s.outbox.map((m) => m.n)).toEqual([3]);
    s.acknowledged(1);
    s.acknowledged(99);
    expect(s.outbox).toEqual([]);
    expect(s.add({type: 'chat'}).n).toBe(4);
  });

  it('tells news from duplicates and gaps', () => {
    const s = new Sequence();
    const steps: [number, string, number][] = [
      [1, 'new', 1],
      [2, 'new', 2],
      [2, 'duplicate', 2],
      [1, 'duplicate', 2],
      [4, 'gap', 2],
      [3, 'new', 3],
      [0, 'duplicate', 3],
    ];
    for (const [n, arrival, received] of steps) {
      expect([s.arrive(n), s.received]).toEqual([arrival, received]);
    }
  });

  it('owes an acknowledgement until it is told', () => {
    const s = new Sequence();
    s.arrive(1);
    s.arrive(2);
    expect(s.owed).toBe(2);
    expect(s.tell()).toBe(2);
    expect(s.owed).toBe(0);
  });

  it('delivers everything once and in order over sockets that die at any moment', () => {
    for (let seed = 1; seed <= 200; seed++) expect(transfer(seed)).toEqual(Array.from({length: 30}, (_, i) => i + 1));
  });
});

/** Sends 30 messages over connections that are cut at random; both sides replay from the other's received number. */
function transfer(seed: number): number[] {
  let state = seed;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const [from, to] = [new Sequence(), new Sequence()];
  const got: number[] = [];
  let wire: {n: number}[] = [];
  let made = 0;
  while (got.length < 30) {
    const dice = random();
    if (dice < 0.3 && made < 30) {
      made++;
      wire.push(from.add({type: 'chat'}));
    } else if (dice < 0.4) {
      from.acknowledged(to.received); // what welcome says
      wire = [...from.outbox]; // the replay
    } else if (dice < 0.6) {
      from.acknowledged(to.tell());
    } else {
      const message = wire.shift();
      if (message && to.arrive(message.n) === 'new') got.push(message.n);
    }
  }
  return got;
}
