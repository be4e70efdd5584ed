import type {LocalMedia} from '@parley-rtc/sdk';

/** Two soft notes, a fourth apart: somebody is at the door. In hertz, and in seconds from the beginning. */
const NOTES = [
  {at: 0, hertz: 587.33},
  {at: 0.16, hertz: 783.99},
] as const;
const LONG = 0.7;
const LOUD = 0.12;

let last = Number.NEGATIVE_INFINITY;

/** Plays the sound of the door on the chosen speaker; once in three seconds, however many knock. */
export function playChime(media: Pick<LocalMedia, 'attach'>): void {
  if (performance.now() - last < 3000 || typeof AudioContext === 'undefined') return;
  last = performance.now();
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  for (const {at, hertz} of NOTES) {
    const from = context.currentTime + at;
    const tone = new OscillatorNode(context, {frequency: hertz});
    const volume = new GainNode(context, {gain: 0});
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(LOUD, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + LONG);
    tone.connect(volume).connect(out);
    tone.start(from);
    tone.stop(from + LONG);
  }
  const audio = new Audio();
  audio.srcObject = out.stream;
  const release = media.attach(audio);
  audio.play().catch(() => undefined); // a page that was never touched stays silent; the notice is there
  setTimeout(() => {
    release();
    audio.srcObject = null;
    void context.close();
  }, 1500);
}
