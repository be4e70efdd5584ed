import type {Plan, SenderPlan} from './adaptation-plan.js';
import type {Source} from './wire.gen.js';

/** What browsers know and the DOM types do not. */
type Parameters = RTCRtpSendParameters & {degradationPreference?: string};

/** Carries plans out on the senders of one link. What a browser refuses stays as it was; the next plan tries anew. */
export class Senders {
  readonly #done = new WeakMap<RTCRtpSender, string>();

  /** Nothing is renegotiated: only what a sender may change while it runs is changed. */
  async apply(plan: Plan, senders: Iterable<readonly [Source, RTCRtpSender]>): Promise<void> {
    await Promise.all(
      Array.from(senders, ([source, sender]) => (sender.track ? this.#set(sender, partOf(plan, source)) : null)),
    );
  }

  async #set(sender: RTCRtpSender, wish: Partial<SenderPlan>): Promise<void> {
    const key = JSON.stringify([wish, sender.track?.id]);
    if (this.#done.get(sender) === key) return;
    const parameters = sender.getParameters() as Parameters;
    const encoding = parameters.encodings?.[0];
    if (!encoding) return; // not negotiated yet
    write(parameters, encoding, wish, sender.track?.kind === 'audio');
    this.#done.set(sender, key);
    try {
      await sender.setParameters(parameters);
    } catch {
      this.#done.delete(sender); // the parameters changed under our hands, or the link closes
    }
  }
}

function partOf(plan: Plan, source: Source): Partial<SenderPlan> {
  return source === 'screen-audio' ? plan.screenAudio : plan[source];
}

function write(
  parameters: Parameters,
  encoding: RTCRtpEncodingParameters,
  wish: Partial<SenderPlan>,
  sound: boolean,
): void {
  encoding.active = wish.active ?? true;
  if (wish.maxBitrate) encoding.maxBitrate = wish.maxBitrate;
  else delete encoding.maxBitrate;
  if (sound) {
    // Where queues tell packets apart, speech goes first; inside the browser it does in any case.
    encoding.priority = 'high';
    encoding.networkPriority = 'high';
    return;
  }
  if (wish.maxFramerate) encoding.maxFramerate = wish.maxFramerate;
  else delete encoding.maxFramerate;
  encoding.scaleResolutionDownBy = wish.scale ?? 1;
  if (wish.keep) parameters.degradationPreference = wish.keep;
}
