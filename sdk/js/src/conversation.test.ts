import {expect, test} from 'vitest';
import {Conversation} from './conversation.js';

const said = (id: string, at: number, from = 's2') => ({type: 'chat' as const, id, text: id, from, name: from, at});
const kept = (id: string, seq: number, from = 's2') => ({id, text: id, from, name: from, at: seq * 10, seq});
const ids = (c: Conversation) => c.list.map((m) => m.id);

test('mine stands at the end until the server has it, then where the server put it', () => {
  const c = new Conversation();
  const mine = c.write('s1', 'Ann', 'hello');
  c.receive(said('a', 10), 's1');
  expect(ids(c)).toEqual(['a', mine.id]);
  expect(c.list[1]).toMatchObject({sent: false, mine: true});
  c.receive({...said(mine.id, 5, 's1'), unsaved: true}, 's1');
  expect(ids(c)).toEqual([mine.id, 'a']);
  expect(c.list[0]).toMatchObject({sent: true, mine: true, unsaved: true});
  c.saved({type: 'chat-saved', from: 's1', id: mine.id, seq: 7});
  expect(c.list[0]).toMatchObject({unsaved: false, seq: 7});
});

test('the past comes page by page and doubles nothing', () => {
  const c = new Conversation();
  expect(c.more).toBe(false);
  c.recall({type: 'history', messages: [kept('c', 3), kept('d', 4)], more: true}, 's1');
  c.receive(said('e', 50), 's1');
  expect([c.more, c.oldest]).toEqual([true, 3]);
  c.recall({type: 'history', re: 1, messages: [kept('a', 1), kept('b', 2), kept('c', 3)], more: false}, 's1');
  expect(ids(c)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect([c.more, c.oldest]).toEqual([false, 1]);
  // The newest page again, as after the server's restart, says nothing of what is older than it.
  c.recall({type: 'history', messages: [kept('c', 3), kept('d', 4)], more: true}, 's1');
  expect([c.more, c.list.length]).toEqual([false, 5]);
});

test('what is not kept any more stays readable and leads nowhere', () => {
  const c = new Conversation();
  c.recall({type: 'history', messages: [kept('c', 3)], more: true}, 's1');
  c.forget();
  expect(c.more).toBe(false);
  expect(c.oldest).toBe(0);
  expect(ids(c)).toEqual(['c']);
});

test('the oldest give way when there are too many', () => {
  const c = new Conversation();
  for (let i = 0; i < 2_010; i++) c.receive(said(`m${i}`, i), 's1');
  expect(c.list).toHaveLength(2_000);
  expect(c.list[0]?.id).toBe('m10');
});
