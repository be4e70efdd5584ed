import {beforeEach, describe, expect, it} from 'vitest';
import type {LocalMedia, RoomStatus} from './api.js';
import {SeatMemory} from './memory.js';
import {Notes} from './notes.js';
import {OwnSeat} from './own-seat.js';
import {People} from './people.js';
import type {Publication} from './publication.js';
import {Secrecy} from './secrecy.js';
import type {Joined} from './wire.gen.js';

const track = {readyState: 'live'} as MediaStreamTrack;
const media = {
  microphone: {track, status: 'on', expected: true},
  camera: {track: null, status: 'off', expected: false},
  screen: {track: null, audioTrack: null, status: 'off'},
};
const silent = {microphone: false, camera: false, screen: false, screenAudio: false};
const speaking = {...silent, microphone: true};
const seat = (role: string) => ({id: 'a', name: 'Ann', role, state: 'present', order: 1, media: silent}) as never;
const joined = (re: number) =>
  ({type: 'joined', re, seat: 'a', token: 't', room: {seats: [seat('speaker')]} as never}) as Joined;

let sent: Record<string, unknown>[];
let happened: string[];
let links: Publication[];
let status: RoomStatus;
let roster: People;
let memory: SeatMemory;
let secrecy: Secrecy;
let own: OwnSeat;

beforeEach(() => {
  sent = [];
  happened = [];
  links = [];
  status = 'lobby';
  Object.assign(media.microphone, {status: 'on', expected: true});
  roster = new People(media as LocalMedia);
  memory = new SeatMemory(null, 'room');
  secrecy = new Secrecy({} as never); // it is never opened: each test says what became of it
  own = new OwnSeat({
    roster,
    memory,
    secrecy,
    record: new Notes({ready: () => false, send: () => {}}),
    send: (type, body) => sent.push({type, ...body}),
    status: () => status,
    asked: () => void happened.push('asked'),
    unseat: (error) => void happened.push(`unseat ${error.code}, ${own.fail(error)}`),
    publish: (tracks) => void links.push(tracks),
  });
});

/** Sits down as the one who asked first. */
function sit(role = 'speaker') {
  own.take(joined(1));
  roster.replace([seat(role)], 'a');
  status = 'joined';
}

describe('asking', () => {
  it('waits until somebody knocks', () => {
    void own.join('Ann', {note: 'hi'}, false);
    expect([own.pending, own.is(1), sent.length]).toEqual([true, false, 0]);
    own.knock();
    expect(sent).toEqual([{type: 'join', name: 'Ann', note: 'hi', media: speaking}]);
    expect([own.is(1), own.is(2), happened]).toEqual([true, false, ['asked']]);
  });

  it('is done once at a time', async () => {
    void own.join('Ann', {}, true);
    await expect(own.join('Ben', {}, true)).rejects.toMatchObject({code: 'order'});
    expect(sent).toHaveLength(1);
  });

  it('says nothing when nothing is asked for', () => {
    own.knock();
    expect([sent, happened, own.is(0), own.is()]).toEqual([[], [], false, false]);
  });

  it('offers nothing for a listener', () => {
    void own.join('Ann', {listen: true}, true);
    expect(sent).toEqual([{type: 'join', name: 'Ann', listen: true, media: silent}]);
  });

  it('waits for the code that encrypts, and gives up without it', async () => {
    secrecy.key = 'key';
    const asked = own.join('Ann', {}, true);
    expect([sent, happened]).toEqual([[], []]);
    secrecy.unable = 'key';
    own.knock();
    await expect(asked).rejects.toMatchObject({code: 'encrypted'});
    expect([sent, happened, own.pending]).toEqual([[], ['unseat encrypted, true'], false]);
  });
});

describe('asking again', () => {
  it('asks for the same seat under the same name, and no app waits', () => {
    void own.join('Ann', {}, true);
    sit();
    own.again(true);
    expect(sent[1]).toMatchObject({type: 'join', name: 'Ann', seat: 't'});
    expect(own.take(joined(2))).toMatchObject({same: true});
    own.again(true);
    expect(own.fail(new Error() as never)).toBe(false);
  });

  it('has lost its links once a session was lost on the way', () => {
    void own.join('Ann', {}, true);
    sit();
    own.again(false);
    own.again(true);
    expect(own.take(joined(3))).toMatchObject({same: false});
  });
});

describe('what I send', () => {
  it('is told when it is not what the join said', () => {
    void own.join('Ann', {}, true);
    sit();
    own.publish();
    expect(sent).toHaveLength(1);
    Object.assign(media.microphone, {status: 'muted', expected: false});
    own.publish();
    own.publish();
    expect(sent.slice(1)).toEqual([{type: 'media', media: silent}]);
    expect(links.map((tracks) => [...tracks.keys()])).toEqual([['microphone'], [], []]);
  });

  it('is nothing from a listener', () => {
    void own.join('Ann', {}, true);
    sit('listener');
    own.publish();
    expect(sent.slice(1)).toEqual([{type: 'media', media: silent}]);
    expect(links[0]?.size).toBe(0);
  });

  it('goes to the links without a seat, and nobody is told', () => {
    own.publish();
    expect([links.length, sent.length]).toEqual([1, 0]);
  });
});
