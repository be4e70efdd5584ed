import type {Encryption, Path} from '@parley-rtc/sdk';
import {describe, expect, it} from 'vitest';
import {pathParts} from '../src/call/path-words';
import {en as call} from '../src/call/words/en';
import {en as door} from '../src/words/en';

const en = {...door, ...call};

/** The path line, as it is read. */
const line = (path: Path, encryption?: Encryption) => pathParts(path, en, encryption).join(' · ');

describe('the path line never says more than is true', () => {
  it.each<[Path, Encryption | undefined, RegExp, RegExp]>([
    [{kind: 'direct'}, undefined, /^Direct · encrypted/, /end-to-end|key/],
    [{kind: 'direct'}, 'known', /end-to-end encrypted, key checked/, /not/],
    [{kind: 'relayed', protocol: 'udp', server: 'a'}, 'pending', /key not checked yet/, /end-to-end/],
    [{kind: 'hub'}, undefined, /^Through the server$/, /encrypted/],
    [{kind: 'hub', rttMs: 12}, 'known', /^Through the server · end-to-end encrypted, key checked · 12/, /not/],
    [{kind: 'hub'}, 'pending', /^Through the server · key not checked yet/, /end-to-end/],
    [{kind: 'hub'}, 'stranger', /^Through the server · key does not fit/, /end-to-end/],
  ])('%o, %s', (path, encryption, says, hides) => {
    expect(line(path, encryption)).toMatch(says);
    expect(line(path, encryption)).not.toMatch(hides);
  });

  it('says nothing of encryption while there is no way', () => {
    for (const kind of ['none', 'connecting', 'lost'] as const) expect(line({kind}, 'known')).not.toMatch(/encrypted/);
  });
});
