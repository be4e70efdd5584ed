import type {ChatMessage} from '@parley-rtc/sdk';
import {describe, expect, it} from 'vitest';
import {groupChat} from '../src/call/chat-groups';
import {findLinks} from '../src/call/links';

const links = (text: string): string[] => findLinks(text).flatMap((p) => p.href ?? []);

describe('findLinks', () => {
  it('lets nothing turn the letters of an address around', () => {
    expect(links('https://evil.example/\u202egnp.exe')).toEqual(['https://evil.example/']);
    expect(links('https://a.example\u2066/x')).toEqual(['https://a.example/']);
  });

  it.each([
    ['see https://a.example/x?y=1#z.', ['https://a.example/x?y=1#z']],
    ['(http://a.example/wiki/Table_(furniture))', ['http://a.example/wiki/Table_(furniture)']],
    ['two: https://a.example, https://b.example!', ['https://a.example/', 'https://b.example/']],
    ['"https://a.example/q"', ['https://a.example/q']],
    ['javascript:alert(1) data:text/html,x file:///etc ftp://a.example', []],
    ['xhttps://a.example', []],
    ['https://', []],
    ['<https://a.example/<script>', ['https://a.example/']],
  ])('%j', (text, found) => {
    expect(links(text)).toEqual(found);
  });

  it('loses no character', () => {
    for (const text of ['', 'plain', 'a https://a.example. b', 'https://a.example https://b.example']) {
      expect(
        findLinks(text)
          .map((p) => p.text)
          .join(''),
      ).toBe(text);
    }
  });
});

describe('groupChat', () => {
  const message = (id: string, from: string, at: number): ChatMessage => ({
    id,
    from,
    name: from,
    text: id,
    at,
    mine: from === 'me',
    sent: true,
    unsaved: false,
  });

  it('puts one person in one minute together', () => {
    const groups = groupChat([
      message('1', 'ann', 0),
      message('2', 'ann', 59_999),
      message('3', 'ann', 60_000),
      message('4', 'me', 60_001),
      message('5', 'ann', 60_002),
    ]);
    expect(groups.map((g) => g.messages.map((m) => m.id).join())).toEqual(['1,2', '3', '4', '5']);
    expect(groups.map((g) => g.mine)).toEqual([false, false, true, false]);
  });

  it('puts nothing under another name than it was written under', () => {
    const groups = groupChat([message('1', 'ann', 0), {...message('2', 'ann', 1), name: 'bob'}]);
    expect(groups.map((g) => [g.name, g.messages.map((m) => m.id).join()])).toEqual([
      ['ann', '1'],
      ['bob', '2'],
    ]);
  });

  it('keeps the groups that did not change, so that they are not drawn again', () => {
    const all = [message('1', 'ann', 0), message('2', 'me', 1), message('3', 'me', 2)];
    const before = groupChat(all);
    const after = groupChat([...all, message('4', 'me', 3), message('5', 'ann', 4)], before);
    expect(after[0]).toBe(before[0]);
    expect(after.map((g) => g.messages.map((m) => m.id).join())).toEqual(['1', '2,3,4', '5']);
    const saved = groupChat([{...message('1', 'ann', 0), unsaved: true}, ...all.slice(1)], before);
    expect([saved[0] === before[0], saved[1] === before[1]]).toEqual([false, true]);
  });

  it('has no group without messages', () => {
    expect(groupChat([])).toEqual([]);
  });
});
