import {type Plan, plan as planOf} from '../adaptation-plan.js';
import {Senders} from '../adaptation-senders.js';
import type {Publication} from '../publication.js';
import type {Source} from '../wire.gen.js';
import {layers} from './offer.js';

/** What each size of a camera's picture takes at most, and what it needs to be worth sending beside the smaller ones. */
const rates: Readonly<Record<string, {most: number; least: number}>> = {
  l: {most: 150_000, least: 0},
  m: {most: 500_000, least: 100_000},
  h: {most: 1_850_000, least: 350_000},
};

/** What one size of the picture may do. */
export interface Shape {
  active: boolean;
  maxBitrate: number;
  maxFramerate: number | null;
}

/**
 * Shares what a plan allows for the camera among its sizes, the smallest first, as far as anybody needs them: `wanted` is
 * null while that is not known.
 */
export function shapes({camera}: Plan, wanted: readonly string[] | null): Map<string, Shape> {
  let left = camera.maxBitrate ?? Number.POSITIVE_INFINITY;
  const found = new Map<string, Shape>();
  for (const {rid} of layers) {
    const {most, least} = rates[rid] as {most: number; least: number};
    const maxBitrate = Math.min(most, left);
    const active = camera.active && maxBitrate > least && (wanted?.includes(rid) ?? true);
    if (active) left -= maxBitrate;
    found.set(rid, {active, maxBitrate: Math.max(maxBitrate, 1_000), maxFramerate: camera.maxFramerate});
  }
  return found;
}

/** Tells the senders of a link with the hub what to send: what adaptation allows, and anybody wants. */
export class Encodings {
  readonly #senders = new Senders();
  readonly #wanted = new Map<Source, readonly string[]>();
  #plan: Plan = planOf(0, 'open', {camera: true, screen: null});
  #done = '';
  #busy = false;

  constructor(readonly own: ReadonlyMap<Source, Pick<RTCRtpTransceiver, 'sender'>>) {}

  /** Takes what adaptation allows. */
  follow(plan: Plan): void {
    this.#plan = plan;
    this.apply();
  }

  /** Takes which encodings of a source anybody needs. */
  want(source: Source, rids: readonly string[]): void {
    this.#wanted.set(source, rids);
    this.apply();
  }

  /** Forgets what was needed: it is published anew. */
  forget(publication: Publication): void {
    for (const source of this.#wanted.keys()) if (!publication.has(source)) this.#wanted.delete(source);
  }

  /** Does what is not done yet. */
  apply(): void {
    const plan = this.#plan;
    const used = (source: Source) => this.#wanted.get(source)?.length !== 0;
    const masked: Plan = {
      ...plan,
      screen: {...plan.screen, active: plan.screen.active && used('screen')},
      screenAudio: {...plan.screenAudio, active: plan.screenAudio.active && used('screen-audio')},
    };
    const others = [...this.own].filter(([source]) => source !== 'camera');
    void this.#senders.apply(
      masked,
      others.map(([source, {sender}]) => [source, sender] as const),
    );
    void this.#layers();
  }

  async #layers(): Promise<void> {
    const sender = this.own.get('camera')?.sender;
    if (!sender?.track || this.#busy) return;
    const wish = shapes(this.#plan, this.#wanted.get('camera') ?? null);
    const key = JSON.stringify([sender.track.id, ...wish]);
    if (key === this.#done) return;
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return; // not negotiated yet
    for (const [index, encoding] of parameters.encodings.entries()) {
      // Firefox names no rids before the first answer; the order is ours.
      const shape = wish.get(encoding.rid ?? layers[index]?.rid ?? '');
      if (!shape) continue;
      encoding.active = shape.active;
      encoding.maxBitrate = shape.maxBitrate;
      if (shape.maxFramerate) encoding.maxFramerate = shape.maxFramerate;
      else delete encoding.maxFramerate;
    }
    this.#busy = true;
    this.#done = key;
    try {
      await sender.setParameters(parameters);
    } catch {
      this.#done = ''; // changed under our hands, or the link closes: the next plan tries anew
    }
    this.#busy = false;
    const now = JSON.stringify([sender.track?.id, ...shapes(this.#plan, this.#wanted.get('camera') ?? null)]);
    if (this.#done && now !== this.#done) void this.#layers();
  }
}
