import {describe, expect, it} from 'vitest';
import {pathOf, serverName} from './path.js';

type Entry = {id: string; type: string; [field: string]: unknown};

function reports(...entries: Entry[]): Parameters<typeof pathOf>[0] {
  return new Map(entries.map((e) => [e.id, {timestamp: 0, ...e}])) as Parameters<typeof pathOf>[0];
}

const transport = {id: 'T', type: 'transport', selectedCandidatePairId: 'P'};
const pair = {
  id: 'P',
  type: 'candidate-pair',
  localCandidateId: 'L',
  remoteCandidateId: 'R',
  currentRoundTripTime: 0.0234,
};
const end = (id: 'L' | 'R', candidateType: string, more = {}) => ({id, type: 'candidate', candidateType, ...more});
const turn = {relayProtocol: 'tls', url: 'turns:relay.example:443?transport=tcp'};

describe('pathOf', () => {
  it.each<[string, Entry[], unknown]>([
    ['nothing selected', [end('L', 'host')], {kind: 'connecting'}],
    ['two hosts', [transport, pair, end('L', 'host'), end('R', 'prflx')], {kind: 'direct', rttMs: 23}],
    [
      'our relay',
      [transport, pair, end('L', 'relay', turn), end('R', 'srflx')],
      {kind: 'relayed', protocol: 'tls', server: 'relay.example', rttMs: 23},
    ],
    [
      'their relay',
      [transport, pair, end('L', 'prflx'), end('R', 'relay')],
      {kind: 'relayed', server: 'given.example', rttMs: 23},
    ],
    [
      'Firefox: marked pair, no round trip time',
      [
        {id: 'P0', type: 'candidate-pair', nominated: true, state: 'succeeded', localCandidateId: 'R'},
        {...pair, selected: true, currentRoundTripTime: 0},
        end('L', 'host'),
        end('R', 'host'),
        {id: 'A', type: 'remote-inbound-rtp', roundTripTime: 0.05},
        {id: 'B', type: 'remote-inbound-rtp', roundTripTime: 0.04},
      ],
      {kind: 'direct', rttMs: 40},
    ],
    [
      'nominated only',
      [{...pair, nominated: true, state: 'succeeded', currentRoundTripTime: undefined}, end('L', 'host')],
      {kind: 'direct'},
    ],
  ])('%s', (_, entries, path) => {
    expect(pathOf(reports(...entries), ['turn:given.example:8443'])).toEqual(path);
  });
});

it.each([
  ['turn:192.0.2.1:3478?transport=udp', '192.0.2.1'],
  ['turns:relay.example', 'relay.example'],
  ['turn:[2001:db8::1]:3478', '2001:db8::1'],
  ['stun:a.example:1', 'a.example'],
  ['http://a', undefined],
  ['', undefined],
])('serverName of %s', (url, name) => {
  expect(serverName(url)).toBe(name);
});
