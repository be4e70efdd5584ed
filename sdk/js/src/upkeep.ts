import {carry, holdMs} from './carry.js';
import {Heart, silenceMs} from './heart.js';
import type {Link} from './link.js';
import type {Pair, Role} from './pair.js';
import {farMs, Recovery, type Remedy, sameLossMs} from './recovery.js';

/** How often beats leave, in a page that is looked at and in a hidden one. */
const [beatMs, hiddenBeatMs] = [200, 1_000];
/** For how long the main link is well before a spare is made. */
const wellMs = 3_000;
/** How long a spare has to connect, and how long one that was silent is kept. */
const [spareMs, silentMs] = [10_000, 30_000];
/** How long a spare that failed is not made again; then twice as long each time, up to so much. */
const [againMs, longestMs] = [30_000, 600_000];
/** How long a transport that was replaced is kept, for what is still under way on it. */
const drainMs = 1_500;
/** How much longer a remedy has while media goes another way. */
const calmMs = 2_000;
/** How long a restart of the spare is given before the next. */
const mendMs = 3_000;
/**
 * For how long the main link is well, or lost, before a spare that has been silent for a second is mended: at the moment of
 * a loss, all that the browser does is for the main link.
 */
const [afterMs, besideMs] = [1_000, 1_500];
/** For how long the main link is well, both ways, before a replacement that is not there yet is given up. */
const mendedMs = 500;
/** How long a replacement may take, and for how long it is left alone whatever the other side asks for. */
const [replaceMs, youngMs] = [15_000, 3_500];
/** For how long it counts that the network, the socket or the other one was gone, or came back. */
const newsMs = 5_000;
/**
 * After so many replacements in so long ICE begins anew first whatever the news are: on a network that comes and goes each
 * one would cost the channels what is on its way, and the relay an allocation.
 */
const [mostReplaced, restlessMs] = [8, 60_000];
/** For how long a link is well that goes a worse way than need be before a better one is looked for; then twice as long. */
const betterMs = 8_000;
/** After so long on the spare it carries new data channels too. */
const moveMs = 3_000;

/**
 * Keeps the transports of a pair alive: listens to them, moves the media to the one that works, begins ICE anew, makes
 * replacements and the spare. It is told the time by its ticks and has no timer.
 */
export class Upkeep {
  readonly #recovery: Recovery;
  readonly #hearts = new WeakMap<Link, Heart>();
  #told: Role = 'main'; // where the other side says that its media flows
  #since = 0; // when our media changed its transport last
  #switches = 0;
  #steadySince = Number.POSITIVE_INFINITY;
  #lostAt: number | null = null; // when something was heard for the last time before a loss
  #spareAfter = 0;
  #spareFails = 0;
  #mended = Number.NEGATIVE_INFINITY;
  #better = {ms: betterMs, after: 0};
  #direct = false; // the main link was, once
  #anew = false; // the network may be another one since the last restart
  #newsAt = Number.NEGATIVE_INFINITY; // when that was said
  #otherAt = Number.NEGATIVE_INFINITY; // when the browser said so
  #lostSince = 0;
  #replaced: number[] = []; // when, of late
  #made: Link | null = null; // the last replacement that was made as a remedy
  #ticked: number;
  #patience = Number.POSITIVE_INFINITY;

  constructor(readonly pair: Pair) {
    const now = pair.port.clock();
    this.#ticked = now;
    this.#recovery = new Recovery(now, Math.random);
    for (const link of pair.links) if (link.connected) this.connected(link);
  }

  /** Media has been where it is for long enough that data channels may follow. */
  get settled(): boolean {
    return this.pair.port.clock() - this.#since > moveMs;
  }

  /** The main link does not work now. */
  get lost(): boolean {
    return this.#recovery.lost;
  }

  /** Goes on. `visible` says whether this page is looked at. */
  tick(visible: boolean): void {
    const {pair} = this;
    const {port} = pair;
    const now = port.clock();
    const passed = now - this.#ticked;
    this.#ticked = now;
    const main = this.#heart(pair.main);
    this.#patience = main.patience(visible);
    const reachable = port.online() && port.present();
    for (const link of pair.links) {
      if (reachable) link.watch(passed);
      if (pair.live) this.#heart(link).tick(visible ? beatMs : hiddenBeatMs, this.#patience);
    }
    this.#listen(now);
    this.#switch(now);
    this.#show();
    const calm = pair.using === 'spare' && this.#spareAlive;
    // Who does not make the links asks for each remedy, and is heard once in a while.
    const turn = pair.maker ? 0 : sameLossMs;
    const slack = 2 * (port.lag() + Math.min(farMs, main.rttMs)) + (calm ? calmMs : 0) + turn;
    const anew = now - this.#newsAt < newsMs && !this.#restless;
    // Another transport takes data channels with it: a moment in which a machine was busy is no reason to make one.
    const doubt = anew && !this.#elsewhere && pair.main.connected && main.silence < silenceMs + 2 * main.rttMs;
    const reach = {online: port.online(), present: port.present(), slack, anew};
    const remedy = doubt ? null : this.#recovery.next(now, reach);
    if (remedy) this.#apply(remedy);
    this.#mend(now);
    this.#tidy(now);
  }

  /** The network, the socket or the other one came back; `other`: the browser says that its network changed. */
  hurry(other = false): void {
    const now = this.pair.port.clock();
    if (other) this.#otherAt = now;
    this.#anew = true;
    this.#newsAt = now;
    this.#spareFails = 0;
    this.#spareAfter = Math.min(this.#spareAfter, now);
    this.#recovery.hurry(now);
  }

  /** Something says that the network may be gone. */
  alarm(): void {
    this.#newsAt = this.pair.port.clock();
    this.#heart(this.pair.main).alarm();
  }

  /** Media may flow from now on: until now there was nothing to hear. */
  began(): void {
    for (const link of this.pair.links) this.#heart(link).hear();
  }

  connected(link: Link): void {
    this.#heart(link).hear();
    if (link === this.pair.main && this.#recovery.lost) this.#recovered(this.pair.port.clock());
  }

  /** ICE has found a link another way. */
  moved(link: Link): void {
    this.#heart(link).revive();
    this.#switch(this.pair.port.clock());
  }

  /** The other side asks for a restart of the main link, or says that its network is another one. */
  asked(elsewhere: boolean): void {
    const {main, next} = this.pair;
    const other = elsewhere && !this.#restless;
    if ((main.restarting && !other) || (next && next.age < youngMs)) return;
    const anew = other || (!this.#heart(main).lively && !this.#restless);
    const remedy = this.#recovery.asked(this.pair.port.clock(), anew, other);
    if (remedy) this.#apply(remedy);
  }

  /** The other side's media is on a transport from now on. */
  told(link: Link, role: Role): void {
    this.#told = role;
    this.#heart(link).hear();
    this.#switch(this.pair.port.clock());
    // They hear us now, and did not for a while.
    if (link === this.pair.inUse) link.refresh();
  }

  /** There is another main link, and it is connected. */
  replaced(): void {
    const now = this.pair.port.clock();
    this.#told = 'main';
    this.#since = now;
    this.#steadySince = Number.POSITIVE_INFINITY;
    this.#heart(this.pair.main).hear();
    if (this.#recovery.lost) this.#recovered(now);
  }

  /** The spare is gone; another one may come after a while, or soon when it did work. */
  spareEnded(steady: boolean): void {
    this.#told = 'main';
    if (steady) this.#spareFails = 0;
    this.#spareAfter =
      this.pair.port.clock() + (steady ? wellMs : Math.min(longestMs, againMs * 2 ** this.#spareFails++));
  }

  #heart(link: Link): Heart {
    const known = this.#hearts.get(link);
    if (known) return known;
    const heart = new Heart(link.beat, {
      clock: () => this.pair.port.clock(),
      receivers: () => link.receivers(),
      getStats: () => link.getStats(),
    });
    this.#hearts.set(link, heart);
    return heart;
  }

  // ---- what is heard

  #listen(now: number): void {
    const {main, live} = this.pair;
    if (!main.proven) {
      if (main.state === 'failed') this.#recovery.ill(now);
      return;
    }
    const heart = this.#heart(main);
    const dead = main.state === 'failed' || (live ? heart.stalled(this.#patience) : main.state === 'disconnected');
    if (dead && !this.#recovery.lost) this.#stalled(now, heart.silence);
    else if (!dead && this.#recovery.lost) this.#recovered(now);
    else if (!dead) this.#recovery.well(now);
    const proof = !dead && main.connected && heart.unanswered < this.#patience;
    this.#steadySince = proof ? Math.min(this.#steadySince, now) : Number.POSITIVE_INFINITY;
  }

  #stalled(now: number, silence: number): void {
    const {main, port} = this.pair;
    this.#lostAt = now - silence;
    this.#lostSince = now;
    this.#recovery.ill(now);
    port.note({kind: 'stalled', link: main.id, cause: main.state});
    port.suspect(true);
    main.lose(true);
  }

  #recovered(now: number): void {
    this.#recovery.well(now);
    // On the spare the gap ended long before.
    if (this.pair.using === 'main') {
      this.#noteGap(now);
      this.pair.greet();
    }
    this.#lostAt = null;
    this.pair.port.suspect(false);
    this.pair.main.lose(false);
  }

  #noteGap(now: number): void {
    if (this.#lostAt === null) return;
    this.pair.port.note({kind: 'recovered', link: this.pair.inUse.id, ms: now - this.#lostAt});
    this.#lostAt = null;
  }

  // ---- where media flows

  get #spareAlive(): boolean {
    const {spare} = this.pair;
    return spare?.connected === true && this.#heart(spare).lively;
  }

  #switch(now: number): void {
    const {pair} = this;
    if (!pair.live) return;
    const role = carry({
      using: pair.using,
      main: !this.#recovery.lost,
      spare: this.#spareAlive,
      told: this.#told,
      leads: pair.maker,
      steadyMs: now - Math.max(this.#steadySince, this.#since),
      holdMs: holdMs(this.#switches),
    });
    if (role === pair.using) return;
    this.#since = now;
    this.#told = role; // until the other side says otherwise
    pair.use(role);
    if (role === 'main') return;
    this.#switches++;
    if (this.#recovery.lost) this.#noteGap(now);
  }

  /** Shows what arrives where it arrives. */
  #show(): void {
    const {main, spare, shown} = this.pair;
    const other = shown === main ? spare : main;
    if (!other || this.#heart(shown).quiet < 250 || this.#heart(other).quiet > 150) return;
    this.#told = other === main ? 'main' : 'spare';
    this.pair.show(this.#told);
  }

  // ---- what is done about a loss

  #apply(remedy: Remedy): void {
    const {pair} = this;
    const {main, maker} = pair;
    if (remedy === 'restart' || (!maker && main.proven)) {
      pair.port.note({kind: 'restart', link: main.id, cause: maker ? 'ICE' : 'ICE, asked for'});
      void main.restart(this.#anew, remedy !== 'restart' && this.#elsewhere);
      this.#anew = false;
    } else if (main.proven) {
      pair.replace(remedy === 'replace-tls' ? 'tls' : 'all');
      this.#made = pair.next;
      this.#replaced = [...this.#replaced, pair.port.clock()].slice(-mostReplaced);
    } else pair.end(main);
  }

  /** The browser has said of late that its network changed. */
  get #elsewhere(): boolean {
    return this.pair.port.clock() - this.#otherAt < newsMs;
  }

  get #restless(): boolean {
    const [first = 0] = this.#replaced;
    return this.#replaced.length === mostReplaced && this.pair.port.clock() - first < restlessMs;
  }

  /** Mends a spare that fell silent with the main link, or after it. */
  #mend(now: number): void {
    const {spare, port} = this.pair;
    if (!spare?.proven || this.#spareAlive || now - this.#mended < mendMs) return;
    if (!port.online() || !port.present()) return;
    const since = this.#recovery.lost ? this.#lostSince + besideMs : this.#steadySince + afterMs;
    if (now < since || this.#heart(spare).silence < afterMs) return;
    this.#mended = now;
    void spare.restart(true);
  }

  // ---- what is made and cleared away in time

  #tidy(now: number): void {
    const {pair} = this;
    const {main, next, old, spare, port} = pair;
    if (old && now - this.#since > drainMs) pair.end(old);
    if (next && next.age > replaceMs) pair.end(next);
    if (!pair.maker) return;
    // What it was made for has mended itself; a first sign of life says little, and who was asked may not know yet.
    if (next && !next.connected && next === this.#made) {
      const mended = Math.min(now - this.#steadySince, next.age);
      if (mended > Math.max(mendedMs, this.#patience + beatMs)) pair.end(next);
    }
    if (!next) this.#improve(now, main);
    const wanted = pair.live && port.lavish() && !overStream(main);
    if (spare && !wanted && pair.using === 'main') {
      pair.end(spare);
      this.#spareFails = 0;
      this.#spareAfter = now;
    } else if (spare && this.#useless(spare)) pair.end(spare);
    else if (wanted && !spare && now >= this.#spareAfter && now - this.#steadySince > wellMs) {
      if (!pair.addSpare()) this.#spareAfter = now + againMs; // there is no such relay, for now
    }
  }

  /** A spare that never came about, or was silent for so long that it is gone. */
  #useless(spare: Link): boolean {
    if (!spare.proven) return spare.state === 'failed' || spare.age > spareMs;
    return this.#heart(spare).silence > silentMs;
  }

  /** What was blocked may be open again: looks for a better way beside the present one, less and less often. */
  #improve(now: number, main: Link): void {
    this.#direct ||= main.path.kind === 'direct';
    const worse = main.restricted || overStream(main) || (this.#direct && main.path.kind === 'relayed');
    const {ms, after} = this.#better;
    if (!worse) this.#better = {ms: betterMs, after: 0};
    else if (!after) this.#better.after = now + ms;
    else if (now > after && now - this.#steadySince > wellMs) {
      this.#better = {ms: Math.min(2 * ms, 300_000), after: now + Math.min(2 * ms, 300_000)};
      if (main.restricted) this.pair.replace('all');
      else void main.restart(); // media goes on where it is until there is another pair of candidates
    }
  }
}

/** A link goes the way that a spare one would go. */
function overStream({path: {kind, protocol}}: Link): boolean {
  return kind === 'relayed' && protocol !== undefined && protocol !== 'udp';
}
