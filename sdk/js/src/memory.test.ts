import {describe, expect, it} from 'vitest';
import {SeatMemory, type Store} from './memory.js';

function memoryStore(): Store & {items: Map<string, string>} {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

const seat = {id: 's1', token: 't1', name: 'Ann', host: ''};

describe('SeatMemory', () => {
  it('survives a reload, room by room', () => {
    const store = memoryStore();
    new SeatMemory(store, 'kitchen').keep(seat);
    expect(new SeatMemory(store, 'kitchen').held).toEqual(seat);
    expect(new SeatMemory(store, 'garden').held).toBeNull();
    new SeatMemory(store, 'kitchen').forget();
    expect(store.items.size).toBe(0);
  });

  it.each([
    '',
    'null',
    '{',
    '[]',
    '"x"',
    '{"id":"s"}',
    '{"id":1,"token":"t","name":"n"}',
    '{"id":"s","token":"","name":"n"}',
  ])('takes nothing from %j', (text) => {
    const store = memoryStore();
    store.setItem('parley.seat.kitchen', text);
    expect(new SeatMemory(store, 'kitchen').held).toBeNull();
  });

  it('works for the life of the page where storage is refused', () => {
    const refuse = () => {
      throw new Error('QuotaExceededError');
    };
    for (const store of [null, {getItem: refuse, setItem: refuse, removeItem: refuse}]) {
      const memory = new SeatMemory(store, 'kitchen');
      expect(memory.held).toBeNull();
      memory.keep(seat);
      expect(memory.held).toEqual(seat);
      memory.forget();
      expect(memory.held).toBeNull();
    }
  });
});
