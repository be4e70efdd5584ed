import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {toBase64} from './bytes.js';
import {makeKey as makeSecret} from './key.js';
import {Keyring, type Member, restMs, type Standing, switchMs} from './keyring.js';
import {Secret, sealedChat} from './secret.js';

/** Somebody with a page: what their keyring did is kept. */
class Guest {
  used: {kid: number; key: string; at: number}[] = [];
  keys = new Map<string, Map<number, string>>();
  links: unknown[] = [];
  deaf = false;
  constructor(
    readonly keyring: Keyring,
    public me: Member,
  ) {}
  get using() {
    return this.used.at(-1);
  }
  reads(other: Guest): boolean {
    const using = other.using;
    return using !== undefined && this.keys.get(other.me.session)?.get(using.kid) === using.key;
  }
  standing(other: Guest): Standing {
    return this.keyring.standing(other.me.session);
  }
}

/** A room whose server passes boxes on, or does what it likes with them. */
class Hall {
  guests: Guest[] = [];
  order = 0;
  boxes = 0;
  meddle: (from: string, to: string, box: string) => {from: string; box: string}[] = (from, _to, box) => [{from, box}];
  /** The name under which one is shown to another. */
  shows: (to: Guest, member: Member) => string = (_to, {name}) => name;
  constructor(readonly text = makeSecret()) {}

  async arrive(name: string, text = this.text): Promise<Guest> {
    const secret = (await Secret.of('tea', text)) as Secret;
    const self = await secret.appear();
    const order = ++this.order;
    const me: Member = {session: `x${order}`, seat: `s${order}`, name, order, identity: self.identity};
    const guest: Guest = new Guest(
      new Keyring(secret, self, {
        send: (boxes) => {
          for (const {to, box} of boxes) this.pass(guest.me.session, to, box);
        },
        tell: () => {},
        use: (kid, base) => guest.used.push({kid, key: toBase64(base), at: Date.now()}),
        add: (session, kid, base) => {
          const keys = guest.keys.get(session) ?? new Map();
          guest.keys.set(session, keys.set(kid, toBase64(base)));
        },
        forget: (session) => guest.keys.delete(session),
        changed: () => {},
        met: () => {},
        linked: (...words) => guest.links.push(words),
      }),
      me,
    );
    this.guests.push(guest);
    await this.tell();
    return guest;
  }

  async leave(guest: Guest): Promise<void> {
    this.guests = this.guests.filter((g) => g !== guest);
    await this.tell();
  }

  pass(from: string, to: string, box: string): void {
    this.boxes++;
    const guest = this.guests.find((g) => g.me.session === to);
    if (guest && !guest.deaf) for (const one of this.meddle(from, to, box)) guest.keyring.receive(one.from, one.box);
  }

  /** Tells everybody who is here. */
  async tell(): Promise<void> {
    for (const guest of this.guests) {
      const others = this.guests.filter((g) => g !== guest).map(({me}) => ({...me, name: this.shows(guest, me)}));
      guest.keyring.members(guest.me, others);
    }
    await this.calm();
  }

  /** Lets everything be said that does not wait for the clock to go far. */
  async calm(ms = 60): Promise<void> {
    for (let round = 0; round < 6; round++) {
      for (const {keyring} of this.guests) await keyring.settled();
      await vi.advanceTimersByTimeAsync(ms / 6);
    }
  }

  async pause(): Promise<void> {
    await this.calm(restMs + 100);
  }
}

beforeEach(() => {
  vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout', 'Date']});
});
afterEach(() => {
  vi.useRealTimers();
});

describe('who knows the secret', () => {
  test('two read each other, and know it', async () => {
    const hall = new Hall();
    const ann = await hall.arrive('Ann');
    expect(ann.used).toHaveLength(1);
    await hall.pause();
    const bob = await hall.arrive('Bob');
    expect([ann.reads(bob), bob.reads(ann)]).toEqual([true, true]);
    expect([ann.standing(bob), bob.standing(ann)]).toEqual(['known', 'known']);
    expect(ann.used).toHaveLength(2); // a new key for the one who came
  });

  test('somebody reads from when they were given the key in use, until they are gone', async () => {
    const hall = new Hall();
    const ann = await hall.arrive('Ann');
    const bob = await hall.arrive('Bob'); // too soon after the last key: none for Bob yet
    expect(ann.keyring.reads('x2')).toBe(false);
    expect(bob.reads(ann)).toBe(false);
    await hall.pause();
    expect([ann.keyring.reads('x2'), bob.reads(ann)]).toEqual([true, true]);
    const eve = await hall.arrive('Eve', makeSecret());
    await hall.pause();
    expect(ann.keyring.reads(eve.me.session)).toBe(false);
    await hall.leave(bob);
    expect(ann.keyring.reads('x2')).toBe(false);
  });

  test('somebody with another secret gets no key, and none of theirs is taken', async () => {
    const hall = new Hall();
    const ann = await hall.arrive('Ann');
    await hall.pause();
    const eve = await hall.arrive('Eve', makeSecret());
    await hall.pause();
    expect([ann.standing(eve), eve.standing(ann)]).toEqual(['stranger', 'stranger']);
    expect([ann.reads(eve), eve.reads(ann)]).toEqual([false, false]);
    expect(hall.boxes).toBe(0);
  });

  test('a server that puts another key into an identity is found out', async () => {
    const [hall, mallory] = [new Hall(), (await Secret.of('tea', makeSecret())) as Secret];
    const ann = await hall.arrive('Ann');
    await hall.pause();
    const forged = await mallory.appear();
    const bob = await hall.arrive('Bob');
    const list = [{...bob.me, identity: forged.identity}];
    ann.keyring.members(ann.me, list);
    await hall.calm();
    expect(ann.standing(bob)).toBe('stranger');
    expect(ann.reads(bob)).toBe(false);
  });

  test('a server that says my own words to me, or those of one person as those of another, gets nowhere', async () => {
    const hall = new Hall();
    const ann = await hall.arrive('Ann');
    ann.keyring.members(ann.me, [{...ann.me, session: 'mirror', seat: 's9', name: 'Mirror'}]);
    await hall.calm();
    expect(ann.keyring.standing('mirror')).toBe('stranger');
    await hall.tell();
    await hall.pause();
    const bob = await hall.arrive('Bob');
    // The server shows Bob under the name of somebody else.
    bob.me.name = 'Bob';
    ann.keyring.members(ann.me, [{...bob.me, name: 'The boss'}]);
    bob.keyring.members({...bob.me}, [{...ann.me, session: 'x1b'}]);
    await hall.pause();
    bob.keyring.members({...bob.me}, [ann.me]);
    await hall.pause();
    expect(ann.standing(bob)).toBe('stranger');
    expect(ann.reads(bob)).toBe(false);
  });

  describe('somebody with the secret whom the server shows as somebody else', () => {
    /** Bob, whom Ann is shown as the boss for as long as the server lies, and Cyd. */
    async function shown() {
      const hall = new Hall();
      const ann = await hall.arrive('Ann');
      await hall.pause();
      const room = {hall, ann, lies: true};
      hall.shows = (to, member) => (room.lies && to === ann && member.name === 'Bob' ? 'The boss' : member.name);
      const bob = await hall.arrive('Bob');
      await hall.pause();
      return Object.assign(room, {bob});
    }

    test('gets none of my keys from then on', async () => {
      const {hall, ann, bob} = await shown();
      expect([ann.standing(bob), ann.reads(bob)]).toEqual(['stranger', false]);
      expect([bob.reads(ann), ann.keyring.reads('x2')]).toEqual([false, false]); // what Bob got first is replaced
      const had = bob.keys.get('x1')?.size;
      const cyd = await hall.arrive('Cyd');
      await hall.pause();
      expect([cyd.reads(ann), bob.reads(cyd)]).toEqual([true, true]);
      expect([bob.reads(ann), ann.keyring.reads('x2'), bob.keys.get('x1')?.size]).toEqual([false, false, had]);
    });

    test('is not waited for with a new key', async () => {
      const {hall, ann, bob} = await shown();
      await hall.pause();
      bob.deaf = true;
      const before = ann.using;
      await hall.arrive('Cyd');
      expect(ann.using).not.toBe(before);
    });

    test('is not called known when the server keeps back what would say who they are', async () => {
      const hall = new Hall();
      const ann = await hall.arrive('Ann');
      await hall.pause();
      hall.shows = (_to, {name}) => (name === 'Bob' ? 'The boss' : name);
      let kept = 0;
      hall.meddle = (from, to, box) => (from === 'x2' && to === 'x1' && !kept++ ? [] : [{from, box}]);
      const bob = await hall.arrive('Bob');
      await hall.pause();
      expect(kept).toBeGreaterThan(1); // what came is that Bob has Ann's key
      expect(ann.standing(bob)).toBe('pending');
    });

    test('is not called known any more when the server begins with it later', async () => {
      const hall = new Hall();
      const ann = await hall.arrive('Ann');
      await hall.pause();
      const bob = await hall.arrive('Bob');
      await hall.pause();
      expect(ann.standing(bob)).toBe('known');
      hall.shows = (_to, {name}) => (name === 'Bob' ? 'The boss' : name);
      await hall.tell();
      expect([ann.standing(bob), ann.reads(bob)]).toEqual(['pending', true]);
      await hall.arrive('Cyd'); // whose coming makes new keys, which say more
      await hall.pause();
      expect(ann.standing(bob)).toBe('stranger');
    });

    test('reads again, and is read, as soon as the server tells the truth', async () => {
      const room = await shown();
      const {hall, ann, bob} = room;
      room.lies = false;
      await hall.tell();
      await hall.pause();
      expect([ann.standing(bob), ann.reads(bob)]).toEqual(['known', true]);
      expect([bob.reads(ann), ann.keyring.reads('x2')]).toEqual([true, true]);
    });
  });

  test('a box counts once, and a changed one not at all', async () => {
    const hall = new Hall();
    const kept: {from: string; box: string}[] = [];
    hall.meddle = (from, _to, box) => {
      kept.push({from, box});
      const forged = `${box.slice(0, 40)}${box[40] === 'A' ? 'B' : 'A'}${box.slice(41)}`;
      return [
        {from, box: forged},
        {from, box},
        {from, box},
        {from, box: 'x'},
      ];
    };
    const ann = await hall.arrive('Ann');
    await hall.pause();
    const bob = await hall.arrive('Bob');
    await hall.pause();
    expect([ann.reads(bob), bob.reads(ann)]).toEqual([true, true]);
    const before = JSON.stringify([...(ann.keys.get('x2') ?? [])]);
    ann.keys.get('x2')?.clear();
    for (const {from, box} of kept) if (from === 'x2') ann.keyring.receive(from, box);
    await hall.calm();
    expect(before).not.toBe('[]');
    expect(ann.keys.get('x2')?.size).toBe(0); // said again by the server, all of it, it changes nothing
  });

  test('nor a second time after the server has taken its sender away and back, under whatever session', async () => {
    const hall = new Hall();
    const kept: string[] = [];
    hall.meddle = (from, to, box) => {
      if (from === 'x2' && to === 'x1') kept.push(box);
      return [{from, box}];
    };
    const ann = await hall.arrive('Ann');
    await hall.pause();
    const bob = await hall.arrive('Bob');
    await hall.pause();
    await hall.arrive('Cyd'); // so that Bob's first key is replaced
    await hall.pause();
    expect(kept.length).toBeGreaterThan(1);
    for (const session of ['x2', 'x2b']) {
      ann.keyring.members(ann.me, []);
      ann.keyring.members(ann.me, [{...bob.me, session}]);
      for (const box of kept) ann.keyring.receive(session, box);
      await hall.pause();
      expect([...(ann.keys.get(session) ?? [])]).toEqual([]);
    }
  });
});

describe('a new key for everybody who comes or goes', () => {
  test('whoever comes reads nothing of before, whoever goes nothing of after', async () => {
    const hall = new Hall();
    const ann = await hall.arrive('Ann');
    await hall.pause();
    const bob = await hall.arrive('Bob');
    await hall.pause();
    const before = ann.using;
    const cyd = await hall.arrive('Cyd');
    await hall.pause();
    expect(ann.using?.key).not.toBe(before?.key);
    expect([...(cyd.keys.get('x1')?.values() ?? [])]).not.toContain(before?.key);
    for (const [a, b] of [
      [ann, bob],
      [bob, cyd],
      [cyd, ann],
    ] as const) {
      expect([a.reads(b), b.reads(a)]).toEqual([true, true]);
    }
    const then = ann.using;
    await hall.leave(bob);
    await hall.pause();
    expect(ann.using?.key).not.toBe(then?.key);
    expect(cyd.reads(ann)).toBe(true);
    expect(bob.reads(ann)).toBe(false);
  });

  test('the new key is used when those who read have it', async () => {
    const hall = new Hall();
    const ann = await hall.arrive('Ann');
    await hall.pause();
    const bob = await hall.arrive('Bob');
    await hall.pause();
    let early = 0;
    const use = ann.keyring.port.use;
    ann.keyring.port.use = (kid, base) => {
      if (bob.keys.get('x1')?.get(kid) !== toBase64(base)) early++;
      use(kid, base);
    };
    const changes = ann.used.length;
    for (const name of ['Cyd', 'Dan', 'Eve']) {
      await hall.arrive(name);
      await hall.pause();
    }
    expect(ann.used.length).toBe(changes + 3);
    expect(early).toBe(0);
  });

  test('who comes while it is on its way gets the next one, and does not count as a reader before', async () => {
    const hall = new Hall();
    const ann = await hall.arrive('Ann');
    await hall.pause();
    const bob = await hall.arrive('Bob');
    await hall.pause();
    const late: string[] = [];
    hall.meddle = (from, to, box) => {
      if (from !== 'x2' || to !== 'x1') return [{from, box}];
      late.push(box);
      return [];
    };
    const before = ann.using;
    const dan = await hall.arrive('Dan');
    const eve = await hall.arrive('Eve'); // too soon after Dan for a key of her own
    for (const box of late.splice(0)) ann.keyring.receive(bob.me.session, box);
    await hall.calm();
    expect(ann.using).not.toBe(before);
    for (const guest of [bob, dan, eve])
      expect([guest.me.name, ann.keyring.reads(guest.me.session)]).toEqual([guest.me.name, guest.reads(ann)]);
    expect([dan.reads(ann), eve.reads(ann)]).toEqual([true, false]);
    hall.meddle = (from, _to, box) => [{from, box}];
    await hall.pause();
    await hall.calm(switchMs);
    expect([eve.reads(ann), ann.keyring.reads('x4')]).toEqual([true, true]);
  });

  test('or after a while, when one of them is out of reach', async () => {
    const hall = new Hall();
    const ann = await hall.arrive('Ann');
    await hall.pause();
    const bob = await hall.arrive('Bob');
    await hall.pause();
    bob.deaf = true;
    const before = ann.using;
    await hall.arrive('Cyd');
    await hall.calm();
    expect(ann.using).toBe(before);
    await hall.calm(switchMs);
    expect(ann.using).not.toBe(before);
  });

  test('and no later when others come and go all the while', async () => {
    const hall = new Hall();
    const ann = await hall.arrive('Ann');
    await hall.pause();
    const bob = await hall.arrive('Bob');
    await hall.pause();
    const mal = await hall.arrive('Mal');
    await hall.pause();
    bob.deaf = true;
    const start = Date.now();
    await hall.leave(mal);
    const came: Guest[] = [];
    while (Date.now() - start < 3 * switchMs) {
      came.push(await hall.arrive(`P${came.length}`));
      await hall.pause();
      const waited = Date.now() - start;
      if (waited > switchMs) expect(mal.reads(ann), `${waited} ms after leaving`).toBe(false);
    }
    const used = ann.used.filter(({at}) => at > start).map(({at}) => at - start);
    expect(used.length).toBeGreaterThanOrEqual(2); // Bob does not answer: each takes its time, and no more
    expect(came[0]?.reads(ann)).toBe(true);
  });

  test('many who come at once make few changes and few boxes', async () => {
    const hall = new Hall();
    const ann = await hall.arrive('Ann');
    await hall.pause();
    const changes = ann.used.length;
    await Promise.all(Array.from({length: 8}, (_, i) => hall.arrive(`P${i}`)));
    await hall.pause();
    await hall.pause();
    expect(ann.used.length - changes).toBeLessThanOrEqual(4);
    for (const a of hall.guests) for (const b of hall.guests) if (a !== b) expect(a.reads(b)).toBe(true);
  });

  test('somebody who comes back under another session, with the same page, is read again', async () => {
    const hall = new Hall();
    const ann = await hall.arrive('Ann');
    await hall.pause();
    const bob = await hall.arrive('Bob');
    await hall.pause();
    bob.me = {...bob.me, session: 'x2b'};
    await hall.tell();
    await hall.pause();
    expect([ann.reads(bob), bob.reads(ann)]).toEqual([true, true]);
  });
});

test('what the ends of a link are is told as it is', async () => {
  const hall = new Hall();
  const ann = await hall.arrive('Ann');
  await hall.pause();
  const bob = await hall.arrive('Bob');
  ann.keyring.describe(bob.me.session, 'l1', ['sha-256 AA'], ['sha-256 BB']);
  await hall.pause();
  expect(bob.links).toEqual([['x1', 'l1', ['sha-256 AA'], ['sha-256 BB']]]);
});

describe('the chat', () => {
  const message = {text: 'Hello, 1 < 2 & "ok" ✓', name: 'Ann', seat: 's1'};

  test('is legible with the secret of the same room only, under its own id', async () => {
    const text = makeSecret();
    const [tea, again, other, coffee] = (await Promise.all([
      Secret.of('tea', text),
      Secret.of('tea', text),
      Secret.of('tea', makeSecret()),
      Secret.of('coffee', text),
    ])) as [Secret, Secret, Secret, Secret];
    const sealed = await tea.sealChat('c1', message);
    expect(sealed.startsWith(sealedChat)).toBe(true);
    expect(sealed).not.toContain('Hello');
    expect(await again.openChat('c1', sealed)).toEqual(message);
    expect(await again.openChat('c2', sealed)).toBeNull();
    expect(await other.openChat('c1', sealed)).toBeNull();
    expect(await coffee.openChat('c1', sealed)).toBeNull();
    expect(await again.openChat('c1', 'Hello')).toBeNull();
    expect(await again.openChat('c1', `${sealedChat}AAAA`)).toBeNull();
  });

  test('the longest text fits', async () => {
    const secret = (await Secret.of('tea', makeSecret())) as Secret;
    const longest = {text: '€'.repeat(1333), name: 'N'.repeat(64), seat: 's'.repeat(64)};
    expect((await secret.sealChat('c1', longest)).length).toBeLessThanOrEqual(5_800);
  });
});

test('a secret that is none', async () => {
  for (const text of ['', 'abc', 'ä', `${makeSecret()}A`, '!'.repeat(22)])
    expect(await Secret.of('tea', text)).toBeNull();
  expect(makeSecret()).toMatch(/^[\w-]{22}$/);
  expect(makeSecret()).not.toBe(makeSecret());
});
