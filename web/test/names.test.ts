import {describe, expect, it} from 'vitest';
import {pastedFragment, randomRoomName} from '../src/logic/landing-name';
import {clipName, MAX_NOTE} from '../src/logic/person-name';
import {cleanRoomName} from '../src/logic/room-name';
import {routeOf, splitHost} from '../src/logic/route';

describe('cleanRoomName', () => {
  it.each([
    ['Garden Table', 'garden-table'],
    ['  stand-up!! ', 'stand-up'],
    ['Größe & Spaß', 'groesse-spass'],
    ['Café_Été', 'cafe_ete'],
    ['a  --  b', 'a-b'],
    ['日本', ''],
    ['', ''],
    ['50%', '50'],
    ['https://talk.example/r/book-club', 'book-club'],
    ['talk.example/r/book-club?x=1#host=abc', 'book-club'],
    ['https://talk.example/r/B%C3%BCcher', 'buecher'],
    ['x'.repeat(80), 'x'.repeat(64)],
    [`${'x'.repeat(63)} y`, 'x'.repeat(63)],
  ])('%j becomes %j', (typed, clean) => {
    expect(cleanRoomName(typed)).toBe(clean);
  });

  it('leaves clean names alone', () => {
    for (const name of ['a', 'garden-table', 'x_1']) expect(cleanRoomName(name)).toBe(name);
  });
});

describe('randomRoomName', () => {
  it('takes every part from the random bytes and is clean', () => {
    const zeros = randomRoomName((b) => b.fill(0));
    const others = randomRoomName((b) => b.fill(201));
    expect(zeros).toMatch(/^[a-z]+-[a-z]+-[a-z2-9]{5}$/);
    expect(others).not.toBe(zeros);
    expect(cleanRoomName(zeros)).toBe(zeros);
  });
});

describe('addresses', () => {
  it.each([
    ['/', {page: 'landing'}],
    ['/r/garden-table', {page: 'room', room: 'garden-table'}],
    ['/r/Garden%20Table/', {page: 'room', room: 'garden-table'}],
    ['/r/%F0%9F%90%B8', {page: 'landing'}],
    ['/r/a/b', {page: 'landing'}],
    ['/elsewhere', {page: 'landing'}],
  ])('%s', (path, route) => {
    expect(routeOf(path)).toEqual(route);
  });

  it('takes the host secret out of the fragment and leaves the rest', () => {
    expect(splitHost('#host=s3cret')).toEqual({host: 's3cret', rest: ''});
    expect(splitHost('#key=k&host=s3cret')).toEqual({host: 's3cret', rest: '#key=k'});
    expect(splitHost('#key=k')).toEqual({host: '', rest: '#key=k'});
    expect(splitHost('')).toEqual({host: '', rest: ''});
  });

  it('keeps the fragment of a pasted host link', () => {
    expect(pastedFragment('https://talk.example/r/garden#host=abc')).toBe('#host=abc');
    expect(pastedFragment('garden')).toBe('');
  });
});

describe('clipName', () => {
  const bytes = (text: string): number => new TextEncoder().encode(text).length;
  it.each([
    ['  Ann ', 'Ann'],
    ['x'.repeat(80), 'x'.repeat(64)],
    ['я'.repeat(40), 'я'.repeat(32)],
    ['日'.repeat(30), '日'.repeat(21)],
    ['👨‍👩‍👧‍👦'.repeat(3), '👨‍👩‍👧‍👦'.repeat(2)],
    [`${'x'.repeat(63)} y`, 'x'.repeat(63)],
    [`${'e'.repeat(63)}e\u0301`, 'e'.repeat(63)],
  ])('%j becomes %j', (typed, name) => {
    expect(clipName(typed)).toBe(name);
    expect(bytes(clipName(typed))).toBeLessThanOrEqual(64);
  });
  it('cuts a note later', () => {
    expect(clipName('я'.repeat(200), MAX_NOTE)).toBe('я'.repeat(100));
  });
});
