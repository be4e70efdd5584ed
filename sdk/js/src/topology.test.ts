import {describe, expect, it} from 'vitest';
import {type Situation, wantedLinks} from './topology.js';
import type {RoomState} from './wire.gen.js';

const room: RoomState = {name: 'r', exists: true, may: 'join', role: 'speaker'};
const base: Situation = {
  status: 'lobby',
  session: 'me',
  info: {...room, early: true},
  warm: true,
  returning: false,
  others: [{session: 'ann', present: true}],
  earlier: new Set(),
  direct: true,
};

describe('wantedLinks', () => {
  it.each<[string, Partial<Situation>, {seated: string[]; make: string[]; live: boolean; prepare: string | null}]>([
    ['warm, early allowed', {}, {seated: ['ann'], make: ['ann'], live: false, prepare: 'offer'}],
    ['not asked to warm', {warm: false}, {seated: [], make: [], live: false, prepare: null}],
    ['early not allowed: only prepare', {info: room}, {seated: [], make: [], live: false, prepare: 'offer'}],
    ['nobody there', {others: []}, {seated: [], make: [], live: false, prepare: null}],
    [
      'joining: right behind the join',
      {status: 'joining', info: room, warm: false},
      {seated: ['ann'], make: ['ann'], live: false, prepare: null},
    ],
    [
      'coming back to a seat in a room that is full for strangers',
      {status: 'joining', info: {...room, may: 'no'}, warm: false, returning: true},
      {seated: ['ann'], make: ['ann'], live: false, prepare: null},
    ],
    [
      'joining a room with a waiting room',
      {status: 'joining', info: {...room, may: 'knock'}},
      {seated: [], make: [], live: false, prepare: null},
    ],
    ['waiting', {status: 'waiting', info: {...room, may: 'knock'}}, {seated: [], make: [], live: false, prepare: null}],
    [
      'joined after them',
      {status: 'joined', earlier: new Set(['ann'])},
      {seated: ['ann'], make: ['ann'], live: true, prepare: 'answer'},
    ],
    [
      'joined before them: they make it',
      {status: 'joined'},
      {seated: ['ann'], make: [], live: true, prepare: 'answer'},
    ],
    [
      'joined after them, but they are away',
      {status: 'joined', earlier: new Set(['ann']), others: [{session: 'ann', present: false}]},
      {seated: ['ann'], make: [], live: true, prepare: 'answer'},
    ],
    ['ended', {status: 'ended'}, {seated: [], make: [], live: false, prepare: null}],
  ])('%s', (_, change, expected) => {
    const {seated, make, live, prepare} = wantedLinks({...base, ...change});
    expect({seated: [...seated], make: [...make], live, prepare}).toEqual(expected);
  });
});
