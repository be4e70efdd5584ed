import type {Participant} from '@parley-rtc/sdk';
import {describe, expect, it} from 'vitest';
import {arrange} from '../src/call/arrange';
import {moveCorner, nearestCorner} from '../src/call/corner';
import {actionOf, isTyping, type Press} from '../src/call/keys';
import {Memory, type Shelf} from '../src/logic/memory';
import {shapeOf} from '../src/logic/shape';

function person(id: string, change: Partial<Participant> = {}): Participant {
  const media = {microphone: true, camera: true, screen: false, screenAudio: false};
  return {id, name: id, isMe: id === 'me', state: 'present', media, ...change} as Participant;
}

const sharing = {media: {microphone: true, camera: true, screen: true, screenAudio: false}};
const places = (people: Participant[], swapped = false): string[] =>
  arrange(people, swapped).map((p) => `${p.person.id} ${p.source} ${p.place}${p.place === 'small' ? p.index : ''}`);

describe('arrange', () => {
  it('makes the other big and me small', () => {
    expect(places([person('me'), person('ann')])).toEqual(['me camera small0', 'ann camera big']);
  });
  it('keeps the order when the pictures are swapped, so that no element moves', () => {
    expect(places([person('me'), person('ann')], true)).toEqual(['me camera big', 'ann camera small0']);
  });
  it('gives the stage to a shared screen', () => {
    expect(places([person('me'), person('ann', sharing)], true)).toEqual([
      'ann screen big',
      'me camera small0',
      'ann camera small1',
    ]);
  });
  it('shows me my own screen small, for what the others point at', () => {
    expect(places([person('me', sharing), person('ann')])).toEqual([
      'me camera small0',
      'ann camera big',
      'me screen small1',
    ]);
  });
  it('leaves out who waits outside', () => {
    expect(places([person('me'), person('ben', {state: 'waiting'})])).toEqual(['me camera small0']);
  });
});

describe('shapeOf', () => {
  it('fills the box while about half of the picture is seen', () => {
    expect(shapeOf(16 / 9, 16 / 10)).toBe(16 / 10);
    expect(shapeOf(4 / 3, 2)).toBe(2);
    expect(shapeOf(16 / 9, 664 / 768)).toBe(664 / 768);
  });
  it('narrows the box when more would be cut away', () => {
    expect(shapeOf(9 / 16, 16 / 9)).toBeCloseTo(9 / 8);
    expect(shapeOf(16 / 9, 9 / 19)).toBeCloseTo(8 / 9);
  });
  it('fills the box while the size is not known', () => {
    expect(shapeOf(Number.NaN, 2)).toBe(2);
  });
});

describe('corners', () => {
  it('finds the nearest', () => {
    expect(nearestCorner(10, 10, 100, 100)).toBe('tl');
    expect(nearestCorner(90, 60, 100, 100)).toBe('br');
  });
  it('moves by arrows and by nothing else', () => {
    expect(moveCorner('br', 'ArrowUp')).toBe('tr');
    expect(moveCorner('tr', 'ArrowLeft')).toBe('tl');
    expect(moveCorner('tl', 'ArrowLeft')).toBe('tl');
    expect(moveCorner('br', 'Enter')).toBeNull();
  });
});

/** An element as the guard sees it: its tag, its type, and which ancestors it has. */
function element(
  tagName: string,
  more: {type?: string; inside?: string; isContentEditable?: boolean} = {},
): EventTarget {
  return {tagName, closest: (q: string) => (more.inside && q.includes(more.inside) ? {} : null), ...more} as never;
}

const press = (key: string, target: EventTarget | null = element('BODY'), change: Partial<Press> = {}): Press => ({
  key,
  target,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...change,
});

describe('keys', () => {
  it.each([
    ['m', 'microphone'],
    ['M', 'microphone'],
    ['v', 'camera'],
    ['h', 'hand'],
    [' ', 'talk'],
    ['?', 'help'],
    ['Escape', 'escape'],
    ['x', null],
  ])('%s asks for %s', (key, action) => {
    expect(actionOf(press(key))).toBe(action);
  });

  it('keep quiet while somebody types', () => {
    for (const target of [
      element('TEXTAREA'),
      element('SELECT'),
      element('INPUT', {type: 'text'}),
      element('INPUT', {type: 'search'}),
      element('DIV', {isContentEditable: true}),
    ]) {
      expect(isTyping(target)).toBe(true);
      for (const key of ['m', 'v', '?', ' ']) expect(actionOf(press(key, target))).toBeNull();
      expect(actionOf(press('Escape', target))).toBe('escape');
    }
  });

  it('take Space from a button of the bar, but not from a panel or menu', () => {
    expect(actionOf(press(' ', element('BUTTON')))).toBe('talk');
    expect(actionOf(press(' ', element('BUTTON', {inside: '[data-panel] :is(button'})))).toBeNull();
    expect(actionOf(press(' ', element('BUTTON', {inside: '[role="menu"]'})))).toBeNull();
  });

  it('leave the browser its own', () => {
    expect(actionOf(press('m', element('BODY'), {ctrlKey: true}))).toBeNull();
    expect(actionOf(press('v', element('BODY'), {metaKey: true}))).toBeNull();
    expect(actionOf(press('m', element('BODY'), {altKey: true}))).toBeNull();
  });
});

describe('Memory', () => {
  const shelf = (): Shelf & {map: Map<string, string>} => {
    const map = new Map<string, string>();
    return {
      map,
      getItem: (k) => map.get(k) ?? null,
      setItem: (k, v) => void map.set(k, v),
      removeItem: (k) => void map.delete(k),
    };
  };

  it('keeps the five newest rooms once each', () => {
    const memory = new Memory(shelf());
    for (const [at, room] of ['a', 'b', 'c', 'd', 'e', 'f', 'c'].entries()) memory.visited(room, at);
    expect(memory.rooms.map((r) => r.room)).toEqual(['c', 'f', 'e', 'd', 'b']);
  });

  it('forgets a room with its host secret', () => {
    const memory = new Memory(shelf());
    memory.visited('a', 1);
    memory.setHost('a', 's3cret');
    expect(memory.host('a')).toBe('s3cret');
    memory.forget('a');
    expect(memory.rooms).toEqual([]);
    expect(memory.host('a')).toBe('');
  });

  it('answers with defaults when the shelf is spoiled, forbidden or full', () => {
    const spoiled = shelf();
    spoiled.map.set('parley.rooms', '{"room":1}').set('parley.name', '7').set('parley.wishes', 'nonsense');
    const closed: Shelf = {
      getItem: () => {
        throw new Error('denied');
      },
      setItem: () => {
        throw new Error('full');
      },
      removeItem: () => {
        throw new Error('denied');
      },
    };
    for (const memory of [new Memory(spoiled), new Memory(closed), new Memory(null)]) {
      expect(memory.rooms).toEqual([]);
      expect(memory.name).toBe('');
      expect(memory.wishes).toEqual({microphone: true, camera: true});
    }
    const memory = new Memory(closed);
    memory.name = 'Robin';
    memory.setHost('a', '');
    expect(memory.name).toBe('');
  });
});
