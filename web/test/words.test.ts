import type {Ending, NetworkVerdict, Path, RoomError, RoomState, SourceStatus} from '@parley-rtc/sdk';
import {describe, expect, it} from 'vitest';
import {goodbyeOf} from '../src/call/endings';
import {pathParts} from '../src/call/path-words';
import {de as callDe} from '../src/call/words/de';
import {en as callEn} from '../src/call/words/en';
import {browserOf} from '../src/logic/browser';
import {deviceNote} from '../src/logic/device-words';
import {visitedAt} from '../src/logic/landing-time';
import {networkLine} from '../src/logic/network-words';
import {initials, listed} from '../src/logic/numbers';
import {refusalAhead, refusalOf} from '../src/logic/refusals';
import {de as landingDe, en as landingEn} from '../src/screens/landing-words';
import {de as doorDe} from '../src/words/de';
import {en as doorEn} from '../src/words/en';
import {chooseLanguage} from '../src/words/words';

const en = {...doorEn, ...callEn, landing: landingEn};
const de = {...doorDe, ...callDe, landing: landingDe};

/** Words that no person should ever read here. */
const FORBIDDEN = /\b(error|failed to|ICE|null|undefined|NaN|\[object)\b/;

describe.each([
  ['en', en],
  ['de', de],
] as const)('%s', (_, w) => {
  it('never speaks like a machine', () => {
    const look = (value: unknown, path: string): void => {
      if (typeof value === 'string') expect(value, path).not.toMatch(FORBIDDEN);
      else if (typeof value === 'function') look(value('7', 7, 7), path);
      else for (const [key, inner] of Object.entries(value as object)) look(inner, `${path}.${key}`);
    };
    look(w, 'words');
  });

  it('has a sentence and a fix for every trouble with a device', () => {
    for (const status of ['asking', 'denied', 'dismissed', 'missing', 'busy', 'insecure', 'failed'] as const) {
      for (const [microphone, camera] of [
        [status, status],
        [status, 'on'],
        ['on', status],
      ] as [SourceStatus, SourceStatus][]) {
        const note = deviceNote(microphone, camera, 'chrome', w);
        expect(note?.title).toBeTruthy();
        expect(note?.fix).toBeTruthy();
        expect(note?.which).toBe(microphone === camera ? 'both' : microphone === status ? 'microphone' : 'camera');
      }
    }
  });

  it('has words for every verdict, refusal and ending', () => {
    for (const kind of ['checking', 'udp', 'tcp', 'tls', 'blocked', 'no-relay'] as NetworkVerdict['kind'][]) {
      expect(networkLine({kind, directLikely: false}, w).title).toBeTruthy();
    }
    for (const code of ['no-room', 'full', 'locked', 'removed', 'busy', 'fault', 'timeout'] as RoomError['code'][]) {
      expect(w.refused[refusalOf(code)].fix).toBeTruthy();
    }
    const reasons: Ending['reason'][] = [
      'draining',
      'removed',
      'flood',
      'replaced',
      'protocol',
      'expired',
      'fault',
      'closed',
      'left',
      'unreachable',
    ];
    for (const reason of reasons) expect(goodbyeOf({reason, retry: 3}, true, w).title).toBeTruthy();
  });
});

describe('devices', () => {
  it('says nothing when nothing is wrong', () => {
    expect(deviceNote('on', 'off', 'chrome', en)).toBeNull();
    expect(deviceNote('muted', 'on', 'chrome', en)).toBeNull();
  });

  it('puts what has to be answered first', () => {
    expect(deviceNote('missing', 'asking', 'chrome', en)?.kind).toBe('asking');
    expect(deviceNote('missing', 'denied', 'chrome', en)?.which).toBe('camera');
  });

  it('names the way back of each browser', () => {
    const fixes = (['chrome', 'firefox', 'safari', 'ios', 'android', 'other'] as const).map(
      (browser) => deviceNote('denied', 'denied', browser, en)?.fix,
    );
    expect(new Set(fixes).size).toBe(6);
    expect(fixes[1]).toContain('the microphone and camera');
  });

  it('offers no second try where it cannot help', () => {
    expect(deviceNote('insecure', 'insecure', 'chrome', en)?.again).toBeNull();
    expect(deviceNote('busy', 'on', 'chrome', en)?.again).toBe('Try again');
  });

  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36', 0, 'chrome'],
    ['Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36', 5, 'android'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', 0, 'firefox'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15', 0, 'safari'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15', 5, 'ios'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) CriOS/142.0 Mobile Safari/604.1', 5, 'ios'],
    ['curl/8', 0, 'other'],
  ])('%s', (agent, touch, browser) => {
    expect(browserOf(agent, touch)).toBe(browser);
  });
});

describe('the path line', () => {
  const line = (path: Path): string => pathParts(path, en).join(' · ');

  it.each<[Path, string]>([
    [{kind: 'direct', rttMs: 23.7}, 'Direct · encrypted end to end · 24 ms'],
    [{kind: 'direct'}, 'Direct · encrypted end to end'],
    [
      {kind: 'relayed', protocol: 'tls', server: 'relay.example', rttMs: 80},
      'Relayed by relay.example over TLS · encrypted end to end · 80 ms',
    ],
    [{kind: 'relayed', protocol: 'udp'}, 'Relayed over UDP · encrypted end to end'],
    [{kind: 'relayed'}, 'Relayed · encrypted end to end'],
    [{kind: 'hub', rttMs: 31} as never, 'Through the server · 31 ms'],
    [{kind: 'connecting'}, 'Connecting…'],
    [{kind: 'lost', rttMs: 10}, 'Reconnecting…'],
    [{kind: 'none'}, ''],
  ])('%j', (path, words) => {
    expect(line(path)).toBe(words);
  });
});

describe('the door', () => {
  const info = (change: Partial<RoomState>): RoomState => ({
    name: 'x',
    exists: true,
    may: 'no',
    role: 'speaker',
    ...change,
  });

  it('knows before the join what would refuse it', () => {
    expect(refusalAhead(null, false)).toBeNull();
    expect(refusalAhead(info({may: 'join'}), true)).toBeNull();
    expect(refusalAhead(info({exists: false}), true)).toBe('no-room');
    expect(refusalAhead(info({locked: true}), true)).toBe('locked');
    expect(refusalAhead(info({why: 'no-hub'}), true)).toBe('no-hub');
    expect(refusalOf('no-hub')).toBe('no-hub');
    expect(refusalAhead(info({}), false)).toBe('full');
    expect(refusalAhead(info({}), true)).toBe('removed');
  });

  it('has plain words for codes that are for programs', () => {
    expect(refusalOf('malformed')).toBe('other');
    expect(refusalOf('closed')).toBe('away');
    expect(refusalOf('full')).toBe('full');
  });
});

describe('endings', () => {
  it('comes back by itself only when the server says when', () => {
    expect(goodbyeOf({reason: 'unreachable', retry: 5}, true, en)).toMatchObject({action: 'rejoin', auto: 5});
    expect(goodbyeOf({reason: 'replaced', retry: 5}, true, en)).toMatchObject({action: 'rejoin', auto: 0});
    expect(goodbyeOf({reason: 'removed', retry: 0}, true, en).action).toBe('none');
    expect(goodbyeOf({reason: 'protocol', retry: 0}, true, en).action).toBe('reload');
    expect(goodbyeOf({reason: 'removed', retry: 0}, false, en).title).toMatch(/did not let you in/);
  });
});

describe('figures', () => {
  it('reads days', () => {
    const now = new Date(2026, 10, 21, 0, 30).getTime();
    expect(visitedAt(now - 60_000, now, landingEn, 'en-GB')).toBe('today, 00:29');
    expect(visitedAt(now - 3_600_000, now, landingEn, 'en-GB')).toBe('yesterday');
    expect(visitedAt(now - 50 * 3_600_000, now, landingEn, 'en-GB')).toBe('3 days ago');
  });

  it('reads names', () => {
    expect(initials('Ann Okafor')).toBe('AO');
    expect(initials('  robin ')).toBe('R');
    expect(initials('')).toBe('?');
    expect(initials('Ann van der Berg')).toBe('AB');
    expect(listed(['Ann'], en)).toBe('Ann');
    expect(listed(['Ann', 'Ben', 'Cleo'], en)).toBe('Ann, Ben and Cleo');
    expect(en.door.here('Tom and Co', 1)).toBe('Tom and Co is here.');
  });

  it('speaks the first language it can', () => {
    expect(chooseLanguage(['fr-FR', 'de-AT', 'en'])).toBe('de');
    expect(chooseLanguage(['ja'])).toBe('en');
    expect(chooseLanguage([])).toBe('en');
  });
});
