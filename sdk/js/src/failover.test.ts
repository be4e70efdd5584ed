import {describe, expect, it} from 'vitest';
import {type Action, nothing, type Source, type SourceEvent, step} from './failover.js';
import {arrived, defaultMoved, type Known, successors} from './inventory.js';

const device = (id: string, group = id, label = `the ${id}`): Known => ({kind: 'audioinput', id, group, label});
const [built, usb, headset] = [device('built'), device('usb'), device('headset')];
const standard = (of: Known): Known => ({...of, id: 'default', label: `Default - ${of.label}`});

/** What a test expects, in short: `ask usb`, `wait 2000`, `is busy`, `switched built→usb`. */
function short(action: Action): string {
  switch (action.do) {
    case 'ask':
      return `ask ${action.id}`;
    case 'wait':
      return `wait ${action.ms}`;
    case 'status':
      return `is ${action.status}`;
    case 'tell':
      return `${action.kind} ${action.before?.id ?? '-'}→${action.device?.id ?? '-'}`;
  }
}

const list = (...devices: Known[]): SourceEvent => ({type: 'list', list: devices});
const live = (id: string, at = 0): SourceEvent => ({type: 'live', device: device(id), at});
const unplugged = (at = 60_000): SourceEvent => ({type: 'ended', present: false, permission: 'granted', at});
const taken = (at = 60_000): SourceEvent => ({type: 'ended', present: true, permission: 'granted', at});
const refused = (status: 'busy' | 'failed' | 'missing' | 'denied' | 'dismissed', prompt = false): SourceEvent => ({
  type: 'refused',
  status,
  permission: prompt ? 'prompt' : 'granted',
});
const chosen = (id: string): SourceEvent => ({type: 'chosen', id});
const due: SourceEvent = {type: 'due'};
const woke: SourceEvent = {type: 'woke'};

function run(events: readonly [SourceEvent, ...string[]][]): Source {
  let source = nothing;
  for (const [event, ...expected] of events) {
    const [next, actions] = step(source, event);
    expect(actions.map(short), JSON.stringify(event)).toEqual(expected);
    source = next;
  }
  return source;
}

describe('failover', () => {
  it.each<[string, [SourceEvent, ...string[]][], Source['phase']]>([
    [
      'unplugged: the next one is taken, and comes back when it is plugged in again',
      [
        [chosen('headset')],
        [list(built, headset)],
        [live('headset')],
        [list(built)],
        [unplugged(), 'ask built'],
        [live('built', 60_200), 'switched headset→built'],
        [list(built, headset), 'ask headset'],
        [live('headset', 90_000), 'returned built→headset'],
      ],
      'live',
    ],
    [
      'the one that came back cannot be had: nothing changes',
      [
        [chosen('headset')],
        [list(built)],
        [live('built')],
        [list(built, headset), 'ask headset'],
        [refused('busy')],
        [list(built, headset)],
      ],
      'live',
    ],
    ['a newcomer is not taken', [[chosen('built')], [list(built)], [live('built')], [list(built, headset)]], 'live'],
    [
      'nothing left: said once, and the next one plugged in is taken',
      [
        [list(usb)],
        [live('usb')],
        [list()],
        [unplugged(), 'is missing', 'lost usb→-'],
        [woke, 'is missing'],
        [list(built), 'ask built'],
        [live('built', 70_000), 'switched usb→built'],
      ],
      'live',
    ],
    [
      'taken by another program: the same once more, then the others, then pauses that grow and end',
      [
        [list(built, usb)],
        [live('built')],
        [taken(), 'ask built'],
        [refused('busy'), 'ask usb'],
        [refused('busy'), 'is busy', 'lost built→-', 'wait 2000'],
        [due, 'ask built'],
        [refused('busy'), 'ask usb'],
        [refused('failed'), 'is busy', 'wait 4000'],
        [due, 'ask built'],
        [refused('busy'), 'ask usb'],
        [refused('busy'), 'is busy', 'wait 8000'],
        [due, 'ask built'],
        [refused('busy'), 'ask usb'],
        [refused('busy'), 'is busy', 'wait 16000'],
        [due, 'ask built'],
        [refused('busy'), 'ask usb'],
        [refused('busy'), 'is busy', 'wait 30000'],
        [due, 'ask built'],
        [refused('busy'), 'ask usb'],
        [refused('busy'), 'is busy'],
        [due],
        [woke, 'ask built'],
        [live('built', 200_000), 'returned -→built'],
      ],
      'live',
    ],
    [
      'it ends and is there again at once: no word',
      [[list(built)], [live('built')], [taken(), 'ask built'], [live('built', 60_100)]],
      'live',
    ],
    [
      'one that ends again and again is not chased',
      [
        [list(built)],
        [live('built')],
        [taken(60_000), 'ask built'],
        [live('built', 60_100)],
        [taken(60_200), 'ask built'],
        [live('built', 60_300)],
        [taken(60_400), 'is failed', 'lost built→-', 'wait 4000'],
        [due, 'ask built'],
        [live('built', 64_500), 'returned -→built'],
        [taken(64_600), 'is failed', 'lost built→-', 'wait 8000'],
      ],
      'waiting',
    ],
    [
      'a start that is refused tries the others, without a pause between them',
      [[list(built, usb)], [refused('busy'), 'ask usb'], [live('usb'), 'switched built→usb']],
      'live',
    ],
    [
      'a start that is refused where the browser asks each time: the person decides',
      [[list(built, usb)], [refused('busy', true), 'is busy']],
      'stuck',
    ],
    [
      'nothing there at the start',
      [[list()], [refused('missing'), 'is missing'], [list(usb), 'ask usb'], [live('usb'), 'switched -→usb']],
      'live',
    ],
    [
      'permission taken back: no question by itself, and back when it is given back',
      [
        [list(built)],
        [live('built')],
        [{type: 'permission', state: 'denied'}, 'is denied', 'revoked built→-'],
        [{type: 'ended', present: true, permission: 'denied', at: 60_000}],
        [woke],
        [list(built, usb)],
        [{type: 'permission', state: 'granted'}, 'ask built'],
        [live('built', 70_000), 'returned -→built'],
      ],
      'live',
    ],
    [
      'permission given back while the list is still hidden: whatever there is',
      [
        [list(built)],
        [live('built')],
        [{type: 'permission', state: 'denied'}, 'is denied', 'revoked built→-'],
        [list(device('', '', ''))],
        [{type: 'permission', state: 'granted'}, 'ask '],
        [live('built', 70_000), 'returned -→built'],
      ],
      'live',
    ],
    [
      'permission reset: the person is not asked out of the blue',
      [
        [list(built)],
        [live('built')],
        [{type: 'ended', present: true, permission: 'prompt', at: 60_000}, 'is dismissed', 'revoked built→-'],
        [woke],
      ],
      'stuck',
    ],
    [
      'refused for good in the middle of a search',
      [
        [list(built, usb)],
        [live('usb')],
        [unplugged(), 'ask built'],
        [refused('denied'), 'is denied', 'revoked usb→-'],
      ],
      'stuck',
    ],
    [
      'the system prefers another: who follows the system follows',
      [
        [chosen('default')],
        [list(standard(built), built, usb)],
        [live('default')],
        [list(standard(usb), built, usb), 'ask default'],
        [live('default', 5_000), 'followed default→default'],
      ],
      'live',
    ],
    [
      'the system prefers a newcomer: it is offered, not taken',
      [
        [list(standard(built), built)],
        [live('default')],
        [list(standard(built), built, headset)],
        [list(standard(headset), built, headset)],
        [list(standard(usb), built, headset, usb)],
      ],
      'live',
    ],
    [
      'who chose a device does not follow the system',
      [[chosen('built')], [list(standard(built), built, usb)], [live('built')], [list(standard(usb), built, usb)]],
      'live',
    ],
    [
      'turned off: nobody looks for it',
      [[list(built)], [live('built')], [{type: 'idle'}], [unplugged()], [woke], [list(usb)]],
      'idle',
    ],
    [
      'a track that ends twice is lost once',
      [[list(built, usb)], [live('usb')], [unplugged(), 'ask built'], [unplugged()]],
      'trying',
    ],
  ])('%s', (_, events, phase) => {
    expect(run(events).phase).toBe(phase);
  });

  it('is never endless, whatever happens', () => {
    // Everything that the machine does for itself is refused or breaks: it has to come to rest.
    for (const answer of ['busy', 'failed', 'missing'] as const) {
      let source = run([[list(built, usb, headset)], [live('built')]]);
      let asks = 0;
      let waits = 0;
      let todo: SourceEvent[] = [taken()];
      while (todo.length > 0 && asks < 1000) {
        const [event, ...rest] = todo as [SourceEvent, ...SourceEvent[]];
        const [next, actions] = step(source, event);
        source = next;
        asks += actions.filter((a) => a.do === 'ask').length;
        waits += actions.filter((a) => a.do === 'wait').length;
        todo = [
          ...rest,
          ...actions.flatMap((a) => (a.do === 'ask' ? [refused(answer)] : a.do === 'wait' ? [due] : [])),
        ];
      }
      expect(asks).toBeLessThanOrEqual(18);
      expect(waits).toBeLessThanOrEqual(5);
      expect(source.phase).toBe('stuck');
    }
  });
});

describe('inventory', () => {
  const hidden = device('', '', '');
  it.each<[string, Known[], Known[], string[]]>([
    ['plugged in', [built], [built, usb], ['usb']],
    ['the first of its kind', [], [usb], ['usb']],
    ['unplugged', [built, usb], [built], []],
    ['uncovered by a permission', [hidden], [built, usb], []],
    ['ids without labels', [device('x', '', '')], [device('x'), usb], []],
    ['an alias is no device', [built], [standard(built), built], []],
  ])('arrived: %s', (_, before, now, ids) => {
    expect(arrived(before, now).map((d) => d.id)).toEqual(ids);
  });

  it.each<[string, Known[], Known[], boolean]>([
    ['the same', [standard(built)], [standard(built)], false],
    ['another', [standard(built)], [standard(usb)], true],
    ['uncovered', [{...standard(built), label: '', group: ''}], [standard(built)], false],
    ['a browser without the alias', [built], [usb], false],
  ])('the favourite of the system: %s', (_, before, now, moved) => {
    expect(defaultMoved(before, now, 'audioinput')).toBe(moved);
  });

  it.each<[string, Known[], Known | null, string | null, boolean, string[]]>([
    [
      'what was chosen, the system’s, the same hardware, the rest',
      [usb, device('twin', 'headset'), standard(built), built],
      headset,
      'built',
      false,
      ['built', 'default', 'twin', 'usb'],
    ],
    ['still there: itself first', [built, usb], usb, null, true, ['usb', 'built']],
    ['gone: not itself', [built, usb], usb, null, false, ['built']],
    ['the system still prefers the lost one', [standard(headset), usb], headset, null, false, ['default', 'usb']],
    ['nothing there', [], usb, 'usb', false, []],
    ['never the alias for calls', [{...built, id: 'communications'}, built], usb, null, false, ['built']],
  ])('successors: %s', (_, devices, lost, choice, present, ids) => {
    expect(successors(devices, lost, choice, present)).toEqual(ids);
  });
});
