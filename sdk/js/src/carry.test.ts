import {describe, expect, it} from 'vitest';
import {type Choice, carry, holdMs} from './carry.js';

const base: Choice = {
  using: 'main',
  main: true,
  spare: true,
  told: 'main',
  leads: true,
  steadyMs: Number.POSITIVE_INFINITY,
  holdMs: 1_500,
};

describe('carry', () => {
  it.each<[string, Partial<Choice>, 'main' | 'spare']>([
    ['all is well', {}, 'main'],
    ['no spare', {spare: false}, 'main'],
    ['nothing works', {main: false, spare: false}, 'main'],
    ['nothing works, on the spare', {using: 'spare', main: false, spare: false}, 'spare'],
    ['the main one is silent', {main: false}, 'spare'],
    ['the main one is silent, on the spare already', {using: 'spare', main: false}, 'spare'],
    ['the spare dies', {using: 'spare', spare: false}, 'main'],
    ['the other side does not hear us on the main one', {told: 'spare'}, 'spare'],
    ['the main one is back, but not for long', {using: 'spare', steadyMs: 1_400}, 'spare'],
    ['the main one is back', {using: 'spare', steadyMs: 1_500}, 'main'],
    ['the main one is back, and the other side leads', {using: 'spare', leads: false, told: 'spare'}, 'spare'],
    ['the other side leads back', {using: 'spare', leads: false, told: 'main'}, 'main'],
    ['the other side leads back, but we hear nothing there', {using: 'spare', leads: false, main: false}, 'spare'],
  ])('%s', (_, change, expected) => {
    expect(carry({...base, ...change})).toBe(expected);
  });

  it('believes less and less in a link that comes and goes', () => {
    expect([1, 2, 3, 20].map(holdMs)).toEqual([3_000, 6_000, 12_000, 60_000]);
  });
});
