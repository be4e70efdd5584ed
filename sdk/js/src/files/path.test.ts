import {describe, expect, it} from 'vitest';
import {baseName, cleanPath, fits, otherName, plainName} from './path.js';

describe('a path of an offer', () => {
  it.each([
    'a',
    'letter.txt',
    'garden/beds/north.txt',
    '..hidden',
    'a..b',
    'console.txt',
    'comet',
    '日本語/ファイル.txt',
    "<img src=x onerror='alert(1)'>.txt",
    `${'a/'.repeat(31)}b`,
    'x'.repeat(255),
  ])('may be %s', (path) => expect(fits(path)).toBe(true));

  it.each([
    '',
    '/',
    '/etc/passwd',
    'a/',
    'a//b',
    '.',
    '..',
    '../a',
    'a/../b',
    'a/..',
    './a',
    'C:\\windows',
    'C:a',
    'a\\..\\b',
    'a\u0000b',
    'a\nb',
    'a\u0085b',
    'NUL',
    'con.txt',
    'a/COM1',
    'lpt9.tar.gz',
    `${'a/'.repeat(32)}b`,
    'x'.repeat(256),
    '日'.repeat(86),
  ])('may not be %j', (path) => expect(fits(path)).toBe(false));
});

describe('a path of this machine', () => {
  it.each([
    ['a/b.txt', 'a/b.txt'],
    ['/a//b/../c', 'a/b/c'],
    ['what: now?.txt', 'what_ now?.txt'],
    ['back\\slash', 'back_slash'],
    ['con', '_con'],
    ['..', 'file'],
    ['', 'file'],
  ])('%s goes out as %s', (from, to) => expect(cleanPath(from)).toBe(to));

  it.each([
    'x'.repeat(400),
    `${'日'.repeat(200)}.txt`,
    `a.${'x'.repeat(300)}`,
    '👩‍👩‍👧'.repeat(50),
    '\u0001'.repeat(300),
  ])('is shortened until it fits', (path) => expect(fits(cleanPath(path))).toBe(true));

  it('keeps the ending when it is shortened', () => {
    expect(cleanPath(`${'日'.repeat(200)}.txt`)).toMatch(/日\.txt$/);
  });
});

describe('names', () => {
  it('cannot be turned around', () => {
    expect(plainName('photo\u202egpj.exe')).toBe('photogpj.exe');
    expect(plainName('\u2066\u202e')).toBe('file');
    expect(plainName('name. . ')).toBe('name');
  });
  it('get a number when they are taken', () => {
    expect(otherName('a.tar.gz', 2)).toBe('a.tar (2).gz');
    expect(otherName('.profile', 2)).toBe('.profile (2)');
    expect(otherName('folder', 3)).toBe('folder (3)');
  });
  it('are the last part', () => {
    expect(baseName('a/b/c')).toBe('c');
    expect(baseName('c')).toBe('c');
  });
});

describe('what is left out of a name', () => {
  it.each([
    ['NU\u202eL', '_NUL'],
    ['com1\u202c.txt', '_com1.txt'],
    ['a\u200f\u061cb.', 'ab'],
    ['photo\u202egpj.exe', 'photogpj.exe'],
  ])('does not make it a device, or another: %j', (name, plain) => expect(plainName(name)).toBe(plain));
});
