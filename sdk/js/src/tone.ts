/** Plays two soft notes, half a second in all, on an element that `route` sends to a speaker. */
export async function play(context: AudioContext, route: (element: HTMLMediaElement) => Promise<void>): Promise<void> {
  const out = context.createMediaStreamDestination();
  const gain = context.createGain();
  gain.connect(out);
  const start = context.currentTime + 0.05;
  for (const [index, frequency] of [523.25, 783.99].entries()) {
    const note = context.createOscillator();
    note.frequency.value = frequency;
    note.connect(gain);
    note.start(start + index * 0.25);
    note.stop(start + index * 0.25 + 0.25);
  }
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(0.2, start + 0.03);
  gain.gain.setValueAtTime(0.2, start + 0.4);
  gain.gain.linearRampToValueAtTime(0, start + 0.5);
  const element = new Audio();
  element.srcObject = out.stream;
  await route(element);
  await element.play().catch(() => {}); // without a gesture there is no sound, and nothing else is wrong
  await new Promise((resolve) => setTimeout(resolve, 650));
  element.srcObject = null;
  gain.disconnect();
}
