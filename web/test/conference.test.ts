import type {Participant} from '@parley-rtc/sdk';
import {signal} from '@preact/signals';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {GATHER_MS, Gather} from '../src/call/gather';
import {Assembly} from '../src/conference/assembly';
import {CaptionLines, LINES, MAX_MESSAGE, MAX_RATE, MAX_TEXT, readCaption, STAY_MS} from '../src/conference/captions';
import {isSlow} from '../src/conference/effects';
import {Floor, KEEP_MS, TAKE_MS} from '../src/conference/floor';
import {type Box, GAP, LEAST, pack, type Shape, stage} from '../src/conference/grid';
import {plan, type Wishes} from '../src/conference/plan';
import {keepPrefs, readPrefs} from '../src/conference/prefs';
import type {Visit} from '../src/visit/visit';

/** The areas that the pictures get on the screens of the design, beside the bar and the notch. */
const areas: Record<string, Box> = {
  '390×844': {x: 8, y: 64, width: 374, height: 688},
  '844×390': {x: 8, y: 8, width: 828, height: 298},
  '1440×900': {x: 12, y: 12, width: 1416, height: 804},
  '320×568': {x: 8, y: 64, width: 304, height: 412},
};

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** What is wrong with boxes in an area; empty when nothing is. */
function faults(boxes: readonly Box[], area: Box, shape: Shape): string[] {
  const out: string[] = [];
  for (const [i, b] of boxes.entries()) {
    if (b.x < area.x - 1 || b.y < area.y - 1) out.push(`${i} begins outside`);
    if (b.x + b.width > area.x + area.width + 1) out.push(`${i} is too far right`);
    if (b.y + b.height > area.y + area.height + 1) out.push(`${i} is too far down`);
    if (b.width < LEAST[shape].width || b.height < LEAST[shape].height) out.push(`${i} is ${b.width}×${b.height}`);
    for (const other of boxes.slice(i + 1)) if (overlap(b, other)) out.push(`${i} overlaps`);
  }
  return out;
}

describe('the grid', () => {
  for (const [size, area] of Object.entries(areas)) {
    for (const shape of ['landscape', 'portrait'] as Shape[]) {
      it(`holds 1 to 49 ${shape} pictures on ${size}: all inside, readable, apart, on some page, once`, () => {
        const found: string[] = [];
        for (let count = 1; count <= 49; count++) {
          const {pages, perPage} = pack(count, area, shape);
          let all = 0;
          for (let page = 0; page < pages; page++) {
            const {boxes} = pack(count, area, shape, page);
            found.push(...faults(boxes, area, shape).map((fault) => `${count} on page ${page}: ${fault}`));
            if (boxes.length > perPage || boxes.length === 0) found.push(`${count}: ${boxes.length} on page ${page}`);
            all += boxes.length;
          }
          if (all !== count) found.push(`${all} of ${count} have a place`);
        }
        expect(found).toEqual([]);
      });
      it(`gives the stage to one and the rest to 1 to 48 others on ${size}, ${shape}`, () => {
        const found: string[] = [];
        for (let count = 1; count <= 48; count++) {
          for (const whole of [false, true]) {
            const {big, boxes, pages} = stage(count, area, shape, 0, whole);
            found.push(...faults(boxes, area, shape).map((fault) => `${count}: ${fault}`));
            if (boxes.some((box) => overlap(big, box))) found.push(`${count}: one covers the stage`);
            // A screen is as wide as it can be; on a tall area that may be less than a face below it.
            const beside = (boxes[0]?.width ?? 0) * (boxes[0]?.height ?? 0);
            if (!whole && big.width * big.height <= beside) found.push(`${count}: the stage is the smaller one`);
            if (pages > count) found.push(`${count}: ${pages} pages`);
          }
        }
        expect(found).toEqual([]);
      });
    }
  }

  const raster = (count: number, area: Box, shape: Shape = 'landscape'): string => {
    const {boxes, pages} = pack(count, area, shape);
    const columns = new Set(boxes.slice(0, boxes.filter((b) => b.y === boxes[0]?.y).length).map((b) => b.x)).size;
    const rows = new Set(boxes.map((b) => b.y)).size;
    return `${columns}×${rows}${pages > 1 ? ` of ${pages}` : ''}`;
  };
  it.each<[string, number, string]>([
    ['1440×900', 1, '1×1'],
    ['1440×900', 2, '2×1'],
    ['1440×900', 3, '2×2'],
    ['1440×900', 4, '2×2'],
    ['1440×900', 5, '3×2'],
    ['1440×900', 6, '3×2'],
    ['1440×900', 9, '3×3'],
    ['1440×900', 12, '4×3'],
    ['1440×900', 25, '5×5'],
    ['1440×900', 49, '7×7'],
    ['390×844', 1, '1×1'],
    ['390×844', 2, '1×2'],
    ['390×844', 3, '1×3'],
    ['390×844', 6, '2×3'],
    ['390×844', 12, '2×6'],
    ['390×844', 13, '2×7'],
    ['390×844', 49, '2×7 of 4'],
    ['844×390', 3, '3×1'],
    ['844×390', 4, '4×1'],
    ['844×390', 6, '3×2'],
    ['844×390', 49, '4×3 of 5'],
  ])('on %s, %i pictures make %s', (size, count, expected) => {
    expect(raster(count, areas[size] as Box)).toBe(expected);
  });
  it('stands portrait pictures side by side on a broad stage', () => {
    expect(raster(4, areas['1440×900'] as Box, 'portrait')).toBe('4×1');
  });
  it('puts a row that is not full in the middle, and keeps the size on every page', () => {
    const area = areas['1440×900'] as Box;
    const {boxes} = pack(3, area, 'landscape');
    const last = boxes[2] as Box;
    expect(Math.abs(last.x + last.width / 2 - (area.x + area.width / 2))).toBeLessThanOrEqual(1);
    const phone = areas['390×844'] as Box;
    const sizes = [0, 1].map((page) => pack(15, phone, 'landscape', page).boxes.map((b) => `${b.width}×${b.height}`));
    expect(new Set(sizes.flat()).size).toBe(1);
  });
  it('leaves the same gap everywhere, and stays on the last page when people leave', () => {
    const [a, b] = pack(4, areas['1440×900'] as Box, 'landscape').boxes as [Box, Box];
    expect(b.x - a.x - a.width).toBe(GAP);
    expect(pack(20, areas['390×844'] as Box, 'landscape', 7)).toMatchObject({pages: 2, page: 1});
    expect(pack(0, areas['390×844'] as Box, 'landscape')).toEqual({boxes: [], perPage: 0, pages: 1, page: 0});
  });
  it('gives something even where nothing fits', () => {
    const {boxes, pages} = pack(3, {x: 0, y: 0, width: 100, height: 40}, 'landscape', 2);
    expect([boxes.length, pages]).toEqual([1, 3]);
  });
});

describe('the floor', () => {
  const here = new Set(['ann', 'bob', 'cyd']);

  it('goes at once to the first who speaks, and stays while nobody does', () => {
    const floor = new Floor();
    expect(floor.look([], here, 0)).toBe('');
    expect(floor.look(['bob'], here, 100)).toBe('bob');
    expect(floor.look([], here, 60_000)).toBe('bob');
  });
  it('does not flap when two talk over each other', () => {
    const floor = new Floor();
    floor.look(['ann'], here, 0);
    const holders = new Set<string>();
    for (let now = 0; now < 60_000; now += 400) {
      const loud = Math.floor(now / 800) % 2 ? ['ann', 'bob'] : ['bob', 'ann'];
      holders.add(floor.look(loud, here, now));
    }
    expect([...holders]).toEqual(['ann']);
  });
  it('does not go to a cough, and goes to who goes on', () => {
    const floor = new Floor();
    floor.look(['ann'], here, 0);
    expect(floor.look(['bob', 'ann'], here, 10_000)).toBe('ann');
    expect(floor.next(10_000)).toBe(TAKE_MS);
    expect(floor.look(['ann'], here, 10_500)).toBe('ann');
    expect(floor.next(10_500)).toBeNull();
    floor.look(['bob'], here, 11_000);
    expect(floor.look(['bob'], here, 11_000 + TAKE_MS - 1)).toBe('ann');
    expect(floor.look(['bob'], here, 11_000 + TAKE_MS)).toBe('bob');
  });
  it('stays for a while with whoever has just got it', () => {
    const floor = new Floor();
    floor.look(['ann'], here, 0);
    floor.look(['bob'], here, 100);
    expect(floor.look(['bob'], here, 100 + TAKE_MS)).toBe('ann');
    expect(floor.next(100 + TAKE_MS)).toBe(KEEP_MS - 100 - TAKE_MS);
    expect(floor.look(['bob'], here, KEEP_MS)).toBe('bob');
  });
  it('is free again when its holder leaves, and never goes to who is not here', () => {
    const floor = new Floor();
    floor.look(['ann'], here, 0);
    expect(floor.look(['me', 'bob'], new Set(['bob']), 10)).toBe('bob');
    expect(floor.look(['me'], new Set(['cyd']), 20)).toBe('');
    expect(floor.next(20)).toBeNull();
  });
});

function person(id: string, change: Partial<Participant> = {}): Participant {
  const media = {microphone: true, camera: true, screen: false, screenAudio: false};
  return {id, name: id, isMe: id === 'me', state: 'present', media, hand: null, ...change} as Participant;
}

const sharing = {media: {microphone: true, camera: true, screen: true, screenAudio: false}};

describe('the plan', () => {
  const wide = areas['1440×900'] as Box;
  const phone = areas['390×844'] as Box;
  const usual: Wishes = {view: 'grid', pinned: '', page: 0};
  const told = (people: Participant[], floor = '', wishes: Partial<Wishes> = {}, area = wide): string => {
    const made = plan(people, floor, area, 'landscape', {...usual, ...wishes});
    return made.placed.map((p) => `${p.person.id}${p.source === 'screen' ? '!' : ''}${p.main ? '*' : ''}`).join(' ');
  };
  const all = ['me', 'ann', 'bob', 'cyd'].map((id) => person(id));
  const many = Array.from({length: 30}, (_, i) => person(i === 0 ? 'me' : `p${i}`));

  it('keeps the order of the seats, me first, whoever speaks', () => {
    expect(told([person('ann'), person('me'), person('bob')])).toBe('me ann bob');
    expect(told(all, 'cyd')).toBe('me ann bob cyd');
  });
  it('gives the stage to whoever has the floor, in that view, and never to me', () => {
    expect(told(all, 'bob', {view: 'speaker'})).toBe('bob* me ann cyd');
    expect(told(all, '', {view: 'speaker'})).toBe('ann* me bob cyd');
    expect(told(all, 'me', {view: 'speaker'})).toBe('ann* me bob cyd');
  });
  it('gives it to a screen before that, and to what is pinned before all', () => {
    const shared = [...all.slice(0, 3), person('cyd', sharing)];
    expect(told(shared, 'bob', {view: 'speaker'})).toBe('cyd!* me ann bob cyd');
    expect(told(shared, 'bob', {pinned: 'ann camera'})).toBe('ann* cyd! me bob cyd');
    expect(told(all, '', {pinned: 'gone camera'})).toBe('me ann bob cyd');
  });
  it('shows me my own screen beside the others', () => {
    expect(told([person('me', sharing), person('ann'), person('bob')])).toBe('me! me ann bob');
  });
  it('puts whoever speaks beside the screen, when they would be on another page', () => {
    const shared = [...many.slice(0, 29), person('p29', sharing)];
    expect(told(shared, 'p28', {}, phone).split(' ').slice(0, 3)).toEqual(['p29!*', 'p28', 'me']);
    expect(told(shared, 'p1', {}, phone).split(' ').slice(0, 3)).toEqual(['p29!*', 'me', 'p1']);
  });
  it('says on which page somebody speaks, and leaves the page alone', () => {
    const made = plan(many, 'p29', phone, 'landscape', usual);
    expect([made.page, made.elsewhere?.person.id, made.elsewhere?.page]).toEqual([0, 'p29', made.pages - 1]);
    expect(plan(many, 'p1', phone, 'landscape', usual).elsewhere).toBeNull();
  });
  it('has a place for everybody who is inside, once, over all pages', () => {
    const people = [...many, person('outside', {state: 'waiting'})];
    const {pages} = plan(people, '', phone, 'landscape', usual);
    const seen = Array.from({length: pages}, (_, page) =>
      plan(people, '', phone, 'landscape', {...usual, page}).placed.map((p) => p.person.id),
    ).flat();
    expect(seen).toEqual(many.map((p) => p.id));
  });
});

describe('captions', () => {
  const say = (text: unknown, more: object = {}): string => JSON.stringify({type: 'caption', text, ...more});
  const texts = (lines: CaptionLines): string[] => lines.lines.map((l) => `${l.seat}: ${l.text}`);

  it.each<[string, unknown]>([
    ['no text', new ArrayBuffer(2)],
    ['no JSON', '{'],
    ['null', 'null'],
    ['another type', JSON.stringify({type: 'chat', text: 'hi'})],
    ['no words', say(undefined)],
    ['words that are none', say({})],
    ['too many words', say('x'.repeat(MAX_TEXT + 1))],
    ['too long a message', say('hi', {note: 'x'.repeat(MAX_MESSAGE)})],
  ])('takes no %s', (_, data) => {
    expect(readCaption('s1', data)).toBeNull();
  });
  it('reads what it knows, and no more', () => {
    expect(
      readCaption('s1', say(' hi\n\u202ethere ', {seat: 's2', id: '7', lang: 'de', final: true, mood: 1})),
    ).toEqual({
      seat: 's2',
      from: 's1',
      id: '7',
      text: 'hi there',
      lang: 'de',
      final: true,
    });
    expect(readCaption('s1', say('hi', {seat: 4, id: {}, lang: '"><', final: 'yes'}))).toEqual({
      seat: 's1',
      from: 's1',
      id: '',
      text: 'hi',
      lang: '',
      final: false,
    });
  });
  it('lets a sentence grow, keeps the last lines, and forgets them in time', () => {
    const lines = new CaptionLines();
    lines.take('bot', say('The', {seat: 's1', id: 'a'}), 0);
    lines.take('bot', say('The beds', {seat: 's1', id: 'a', final: true}), 500);
    lines.take('bot', say('Yes', {seat: 's2', id: 'a'}), 600);
    expect(texts(lines)).toEqual(['s1: The beds', 's2: Yes']);
    for (let i = 0; i < 5; i++) lines.take('bot', say(`${i}`, {seat: 's1', id: `b${i}`}), 1500 + i);
    expect(texts(lines)).toHaveLength(LINES);
    expect(texts(lines).at(-1)).toBe('s1: 4');
    lines.take('bot', say('', {seat: 's1', id: 'b4'}), 1600);
    expect(texts(lines).at(-1)).toBe('s1: 3');
    expect([lines.expire(1600 + STAY_MS), texts(lines)]).toEqual([true, []]);
    expect(lines.expire(1600 + STAY_MS)).toBe(false);
  });
  it('goes on with the sentence that is not final when there are no ids', () => {
    const lines = new CaptionLines();
    for (const [text, final] of [
      ['One', false],
      ['One two', true],
      ['Three', false],
    ] as const)
      lines.take('bot', say(text, {final}), 0);
    expect(texts(lines)).toEqual(['bot: One two', 'bot: Three']);
  });
  it('lets nobody write over what another one wrote, or more than it takes', () => {
    const lines = new CaptionLines();
    lines.take('bot', say('mine', {id: 'a', seat: 's1'}), 0);
    lines.take('mallory', say('yours', {id: 'a', seat: 's1'}), 0);
    expect(texts(lines)).toEqual(['s1: mine', 's1: yours']);
    let taken = 0;
    for (let i = 0; i < 1000; i++) if (lines.take('flood', say(`${i}`, {id: 'x'}), 5000)) taken++;
    expect(taken).toBe(MAX_RATE);
    expect(lines.take('flood', say('later', {id: 'x'}), 6000)).toBe(true);
    lines.retain(new Set(['bot']));
    expect(lines.lines.every((l) => l.from === 'bot')).toBe(true);
  });
  it('go from the screen with who posted them, once', () => {
    const person = (id: string) => ({id, state: 'present', hand: null});
    const heard: Record<string, (value: never) => void> = {};
    const on = (event: string, listener: (value: never) => void) => {
      heard[event] = listener;
      return () => {};
    };
    const data = {on, close: () => {}};
    const room = {on, people: ['s1', 'bot'].map(person), me: null, info: null, speakers: [], data: () => data};
    const people = signal(room.people);
    const visit = {room, media: {on}, herald: {}, people, others: people, outside: signal([]), seated: signal(true)};
    const assembly = new Assembly(visit as unknown as Visit);
    assembly.caption(true);
    const post = (text: string) => heard.message?.({from: 'bot', data: say(text, {seat: 's1'})} as never);
    const leave = () => {
      room.people = room.people.slice(0, 1);
      heard.people?.(room.people as never);
    };
    post('hi');
    expect(assembly.lines.value.map((l) => l.text)).toEqual(['hi']);
    leave();
    expect(assembly.lines.value).toEqual([]);
    post('there');
    assembly.caption(false);
    leave();
    expect(assembly.lines.value).toEqual([]);
    assembly.stop();
  });
});

describe('news of many', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells each at once in a small room, and together in a full one', () => {
    let full = false;
    const said: string[] = [];
    const gather = new Gather(
      () => full,
      (first, others) => said.push(`${first}+${others}`),
    );
    gather.add('ann');
    expect(said).toEqual(['ann+0']);
    full = true;
    for (const name of ['bob', 'cyd', 'dan']) gather.add(name);
    expect(said).toHaveLength(1);
    vi.advanceTimersByTime(GATHER_MS);
    expect(said).toEqual(['ann+0', 'bob+2']);
    gather.add('eve');
    gather.stop();
    vi.advanceTimersByTime(GATHER_MS);
    expect(said).toHaveLength(2);
  });
});

describe('what a device remembers', () => {
  it('has a default for everything, and takes nothing that makes no sense', () => {
    const kept = new Map<string, string>();
    const shelf = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    const usual = {view: 'grid', captions: false, blur: false, noise: true, voice: false};
    expect(readPrefs(shelf)).toEqual(usual);
    keepPrefs({view: 'speaker', noise: false}, shelf);
    expect(readPrefs(shelf)).toEqual({...usual, view: 'speaker', noise: false});
    kept.set('parley.conference', '{"view":"cube","blur":"yes"}');
    expect(readPrefs(shelf)).toEqual(usual);
    kept.set('parley.conference', '[');
    expect(readPrefs(shelf)).toEqual(usual);
  });
  it('blurs nothing on a machine that has enough to do', () => {
    const slow = (hardwareConcurrency: number, deviceMemory?: number): boolean =>
      isSlow({hardwareConcurrency, ...(deviceMemory && {deviceMemory})});
    expect([slow(2, 8), slow(8, 2), slow(8, 8), slow(8), slow(0)]).toEqual([true, true, false, false, false]);
  });
});
