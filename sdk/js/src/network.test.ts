import {describe, expect, it} from 'vitest';
import {judge} from './reach.js';
import {only, transportOf} from './ways.js';

describe('transportOf', () => {
  it.each([
    ['stun:example.org', null],
    ['turn:example.org', 'udp'],
    ['turn:example.org:8443?transport=udp', 'udp'],
    ['turn:example.org:8443?transport=tcp', 'tcp'],
    ['turns:example.org:443', 'tls'],
    ['turns:example.org:443?transport=tcp', 'tls'],
  ])('%s', (url, transport) => {
    expect(transportOf(url)).toBe(transport);
  });
});

it('only keeps credentials with the addresses that pass', () => {
  const servers = [{urls: 'stun:a'}, {urls: ['turn:a', 'turn:a?transport=tcp'], username: 'u', credential: 'c'}];
  expect(only(servers, (url) => transportOf(url) === 'tcp')).toEqual([
    {urls: ['turn:a?transport=tcp'], username: 'u', credential: 'c'},
  ]);
});

describe('judge', () => {
  const host = 'candidate:1 1 udp 2122 192.168.1.5 5000 typ host generation 0';
  const mdns = 'candidate:1 1 udp 2122 3f2a.local 5000 typ host generation 0';
  const tcp = 'candidate:2 1 tcp 1518 192.168.1.5 9 typ host tcptype active';
  const seen = (port: number, base = 'raddr 192.168.1.5 rport 5000') =>
    `candidate:3 1 udp 1686 203.0.113.9 ${port} typ srflx ${base} generation 0`;
  it.each<[string, string[], boolean, boolean]>([
    ['nothing', [], true, false],
    ['one sight', [host, seen(5000)], true, true],
    ['one sight under another port', [host, seen(61000)], true, true],
    ['the same sight twice', [seen(61000), seen(61000)], true, true],
    ['two sights of one socket: symmetric', [seen(61000), seen(61001)], true, false],
    ['two sights of two sockets', [seen(61000), seen(61001, 'raddr 10.0.0.5 rport 7')], true, true],
    [
      'two sights of hidden sockets',
      [mdns, seen(1, 'raddr 0.0.0.0 rport 0'), seen(2, 'raddr 0.0.0.0 rport 0')],
      true,
      true,
    ],
    ['UDP works and needs no translation', [host], true, true],
    ['no UDP, only hosts', [host, tcp], false, false],
    ['only hidden hosts', [mdns], true, false],
    ['STUN without TURN', [host, seen(5000)], false, true],
    ['garbage', ['', 'candidate', 'a b c d e f g h i'], true, false],
  ])('%s', (_, lines, udp, likely) => {
    expect(judge(lines, udp)).toBe(likely);
  });
});
