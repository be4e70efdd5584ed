import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {Capture} from './source.js';

class Track {
  readyState = 'live';
  enabled = true;
  onended: (() => void) | null = null;
  constructor(
    readonly kind: string,
    readonly id: string,
  ) {}
  getSettings() {
    return {deviceId: this.id};
  }
  clone() {
    return new Track(this.kind, this.id);
  }
  stop() {
    this.readyState = 'ended';
  }
}

/** The questions that the browser was asked, to be answered by the test. */
let questions: {device: string; allow: (id: string) => Track; refuse: (name: string) => void}[];

beforeEach(() => {
  questions = [];
  const getUserMedia = (wish: MediaStreamConstraints) =>
    new Promise((resolve, reject) => {
      const [kind, {deviceId}] = Object.entries(wish)[0] as [string, MediaTrackConstraints];
      questions.push({
        device: JSON.stringify(deviceId ?? null),
        allow: (id) => {
          const track = new Track(kind, id);
          resolve({getTracks: () => [track]});
          return track;
        },
        refuse: (name) => reject(Object.assign(new Error(), {name})),
      });
    });
  vi.stubGlobal('navigator', {mediaDevices: {getUserMedia}});
});
afterEach(() => vi.unstubAllGlobals());

const settle = () => new Promise((resolve) => setTimeout(resolve));

describe.each(['microphone', 'camera'] as const)('%s', (kind) => {
  const open = () => new Capture(kind, null, () => null);

  it('takes what the browser gives', async () => {
    const source = open();
    const started = source.start();
    expect(source.status).toBe('asking');
    questions[0]?.allow('a');
    await started;
    expect([source.status, source.deviceId]).toEqual(['on', 'a']);
  });

  it('releases what is allowed after it was closed, and asks no more', async () => {
    const source = open();
    const started = source.start();
    source.close();
    const track = questions[0]?.allow('a');
    await started;
    expect([source.status, source.track, track?.readyState]).toEqual(['off', null, 'ended']);
    await source.start();
    expect(questions).toHaveLength(1);
  });

  it('tries another device when the first one is taken', async () => {
    const source = open();
    const started = source.start();
    questions[0]?.refuse('NotReadableError');
    await started;
    expect(source.status).toBe('busy');
    const used = source.use('b');
    await settle();
    expect(questions[1]?.device).toBe('{"exact":"b"}');
    questions[1]?.allow('b');
    await used;
    expect([source.status, source.deviceId]).toEqual(['on', 'b']);
  });

  it('stays off when a device is chosen while it is off', async () => {
    const source = open();
    await source.use('b');
    expect([source.status, source.deviceId, questions.length]).toEqual(['off', 'b', 0]);
  });

  it('asks for the newest of two choices only', async () => {
    const source = open();
    const started = source.start();
    const uses = [source.use('b'), source.use('c')];
    questions[0]?.allow('a');
    await started;
    await settle();
    expect(questions.map((q) => q.device)).toEqual(['null', '{"exact":"c"}']);
    questions[1]?.allow('c');
    await Promise.all(uses);
    expect(source.deviceId).toBe('c');
  });
});
