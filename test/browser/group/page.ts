/**
 * A page with nothing but a room and devices that never pause: a chord and a picture that moves. It plays what comes as an
 * app does, and measures how it is heard and seen: group.test.mjs reads that.
 */
import {type LocalMedia, openRoom, type Participant, type Source} from '@parley-rtc/sdk';

const query = new URLSearchParams(location.search);
const base = Number(query.get('hz') ?? 400);
const [wide = 160, high = 90] = query.get('size')?.split('x').map(Number) ?? [];
const context = new AudioContext();

/** Three tones, so that two copies of them, one a little later, never cancel each other out. */
function chord(): MediaStreamTrack {
  const out = context.createMediaStreamDestination();
  for (const factor of [1, 1.27, 1.63]) {
    const gain = new GainNode(context, {gain: 0.15});
    const tone = new OscillatorNode(context, {frequency: base * factor});
    tone.connect(gain).connect(out);
    tone.start();
  }
  return out.stream.getAudioTracks()[0] as MediaStreamTrack;
}

function picture(): MediaStreamTrack {
  const canvas = Object.assign(document.createElement('canvas'), {width: wide, height: high});
  const paint = canvas.getContext('2d') as CanvasRenderingContext2D;
  let n = 0;
  setInterval(() => {
    paint.fillStyle = `hsl(${(n * 3) % 360} 60% 50%)`;
    paint.fillRect(0, 0, wide, high);
    paint.fillStyle = 'white';
    paint.fillRect((n * 4) % wide, high / 3, wide / 8, high / 3);
    n++;
  }, 125);
  return canvas.captureStream(8).getVideoTracks()[0] as MediaStreamTrack;
}

/** A source that is on from the beginning, as the room reads it. */
function source(name: Source, track: MediaStreamTrack | null) {
  return {
    source: name,
    track,
    status: track ? 'on' : 'off',
    expected: false,
    level: () => 0.5,
    on: () => () => {},
    stop() {},
  };
}

/** Devices that nothing happens to: the guard of real ones would find these odd. */
const media = {
  microphone: source('microphone', chord()),
  camera: source('camera', query.has('sound') ? null : picture()),
  screen: {...source('screen', null), audioTrack: null},
  on: () => () => {},
} as unknown as LocalMedia;

/** Tells how long it is silent: a run of blocks below a threshold, by the clock of the sound. */
const meterCode = `
registerProcessor('meter', class extends AudioWorkletProcessor {
  silent = 0; heard = false; runs = []; blocks = 0;
  constructor() { super(); this.port.onmessage = () => this.port.postMessage({runs: this.runs.splice(0), blocks: this.blocks, silent: this.silent * 128 / sampleRate * 1000}); }
  process([input]) {
    let sum = 0; const data = input[0];
    if (data) for (const s of data) sum += s * s;
    const loud = data && Math.sqrt(sum / data.length) > 0.004;
    if (loud) {
      if (this.heard && this.silent > 1) this.runs.push({at: currentTime, ms: this.silent * 128 / sampleRate * 1000});
      this.heard = true; this.silent = 0; this.blocks++;
    } else this.silent++;
    return true;
  }
});`;

/** What is said about ways, for the failure of a test. */
const said: string[] = [];
const telling = /"type":"(offer|answer|close-link|renegotiate|moved|hub-reach|error|left|topology)"/;
function overhear(arrow: string, text: unknown): void {
  if (typeof text !== 'string' || !telling.test(text)) return;
  const {type, to, from, link, kind, re, n, code, words, ok, why, epoch, missing, places, tracks, show} =
    JSON.parse(text);
  const what = {
    type,
    to,
    from,
    link: link?.slice(0, 4),
    kind,
    re,
    n,
    code,
    words,
    ok,
    why,
    epoch,
    missing,
    places: places?.length,
    tracks: tracks?.length,
    show: show?.length,
  };
  said.push(`${Math.round(performance.now())} ${arrow} ${JSON.stringify(what)}`);
}
globalThis.WebSocket = class extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    this.addEventListener('message', ({data}) => overhear('<', data));
  }
  override send(text: string): void {
    overhear('>', text);
    super.send(text);
  }
};

const ready = context.audioWorklet.addModule(URL.createObjectURL(new Blob([meterCode], {type: 'text/javascript'})));

/** How long the old track of somebody's sound and the new one are mixed, in seconds. */
const fade = 0.06;

class Ear {
  readonly #meter = new AudioWorkletNode(context, 'meter', {numberOfOutputs: 1});
  #now: {source: MediaStreamAudioSourceNode; gain: GainNode; element: HTMLAudioElement} | null = null;
  turns = 0;

  constructor() {
    this.#meter.connect(context.destination);
  }

  play(track: MediaStreamTrack | null): void {
    const old = this.#now;
    this.turns++;
    this.#now = null;
    if (track) {
      const stream = new MediaStream([track]);
      const element = Object.assign(new Audio(), {srcObject: stream, muted: true});
      void element.play();
      const gain = new GainNode(context, {gain: 0});
      const source = context.createMediaStreamSource(stream);
      source.connect(gain).connect(this.#meter);
      gain.gain.setTargetAtTime(1, context.currentTime, fade / 3);
      this.#now = {source, gain, element};
    }
    if (!old) return;
    // The new one takes a moment to begin.
    old.gain.gain.setTargetAtTime(0, context.currentTime + fade, fade / 3);
    setTimeout(() => {
      old.source.disconnect();
      old.gain.disconnect();
      old.element.srcObject = null;
    }, 500);
  }

  look(): Promise<{runs: {at: number; ms: number}[]; blocks: number; silent: number}> {
    return new Promise((resolve) => {
      this.#meter.port.onmessage = ({data}) => resolve(data);
      this.#meter.port.postMessage(0);
    });
  }
}

class Eye {
  readonly #video = Object.assign(document.createElement('video'), {muted: true, autoplay: true, playsInline: true});
  frames = 0;
  turns = 0;
  longest = 0;
  #last = 0;

  constructor() {
    document.body.append(this.#video);
    this.#next();
  }

  show(track: MediaStreamTrack | null): void {
    this.turns++;
    this.#video.srcObject = track && new MediaStream([track]);
    void this.#video.play().catch(() => {});
  }

  #next(): void {
    this.#video.requestVideoFrameCallback((now) => {
      this.frames++;
      if (this.#last) this.longest = Math.max(this.longest, now - this.#last);
      this.#last = now;
      this.#next();
    });
  }
}

const room = openRoom({
  room: query.get('room') ?? '',
  media,
  client: {name: 'group'},
  ...(query.has('host') && {host: query.get('host') as string}),
  ...(query.has('key') && {key: query.get('key') as string}),
});
const troubles: string[] = [];
const log: string[] = [];
const senses = new Map<string, {ear: Ear; eye: Eye}>();
room.on('trouble', ({kind, detail}) => troubles.push(`${kind}: ${detail}`));
room.on('topology', (topology) => log.push(`${Math.round(performance.now())} ${JSON.stringify(topology)}`));

function attend(person: Participant): void {
  if (person.isMe || senses.has(person.id)) return;
  const sense = {ear: new Ear(), eye: new Eye()};
  senses.set(person.id, sense);
  const take = (source: Source, track: MediaStreamTrack | null) => {
    log.push(`${Math.round(performance.now())} ${person.name} ${source} ${track?.id.slice(0, 8) ?? null}`);
    if (source === 'microphone') sense.ear.play(track);
    if (source === 'camera') sense.eye.show(track);
  };
  person.on('track', ({source, track}) => take(source, track));
  for (const [source, track] of person.tracks) take(source, track);
}
room.on('people', (people) => {
  if (room.status === 'joined') people.forEach(attend);
});

const texts: string[] = [];
let data: ReturnType<typeof room.data> | null = null;

async function look() {
  const people = [];
  for (const person of room.people) {
    if (person.isMe) continue;
    const sense = senses.get(person.id);
    people.push({
      name: person.name,
      seat: person.id,
      path: person.path,
      tracks: [...person.tracks.keys()],
      held: person.held('camera'),
      level: person.level(),
      quality: person.quality,
      hub: person.hub,
      frames: sense?.eye.frames ?? 0,
      longest: Math.round(sense?.eye.longest ?? 0),
      turns: [sense?.ear.turns, sense?.eye.turns],
      sound: await sense?.ear.look(),
    });
  }
  return {
    status: room.status,
    topology: room.topology,
    speakers: room.speakers,
    troubles,
    people,
    log,
    said,
    texts,
    me: room.me && {hub: room.me.hub, quality: room.me.quality, stats: await room.me.stats()},
  };
}

Object.assign(window, {
  group: {
    room,
    async join(name: string) {
      await context.resume();
      await ready;
      await room.join(name);
      room.people.forEach(attend);
      data = room.data('chat');
      data.on('message', ({from, data: text}) =>
        texts.push(`${room.people.find((p) => p.id === from)?.name}: ${text}`),
      );
    },
    leave: () => room.leave(),
    say: (text: string, to?: string) => data?.send(text, to),
    look,
  },
});
