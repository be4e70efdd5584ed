/** Says findings, events and figures in the reader's language and time of day. */

import type {CallRecord, Candidate, Entry, Finding} from './types';
import type {Told} from './words/en';
import type {RecordWords} from './words/words';

/** Says what is in one record. */
export class Teller {
  readonly #names: ReadonlyMap<string, string>;

  constructor(
    readonly record: CallRecord,
    readonly w: RecordWords,
    readonly locale: string,
  ) {
    this.#names = new Map(record.people.map(({seat, name}) => [seat, name]));
  }

  name(seat = ''): string {
    return this.#names.get(seat) ?? '?';
  }

  /** The time of day; with seconds where moments are told apart. */
  clock(at: number, seconds = false): string {
    return new Date(at).toLocaleTimeString(this.locale, {
      hour: '2-digit',
      minute: '2-digit',
      ...(seconds && {second: '2-digit'}),
    });
  }

  date(at: number): string {
    return new Date(at).toLocaleDateString(this.locale, {dateStyle: 'long'});
  }

  /** A duration: 120 ms, 1.5 s, 2 min 5 s, 1 h 4 min. */
  long(ms: number): string {
    const number = (n: number, digits = 0) => n.toLocaleString(this.locale, {maximumFractionDigits: digits});
    const s = Math.round(ms / 1000);
    if (ms < 1000) return `${number(ms)} ms`;
    if (ms < 9_950) return `${number(ms / 1000, 1)} s`;
    if (s < 60) return `${s} s`;
    if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
    return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  }

  finding(f: Finding): string {
    const say = this.w.finding[f.code];
    return say ? say(this.#told(f.seat, f.other, f)) : f.text;
  }

  event(e: Entry): string {
    const told = this.#told(e.who, e.seat, {
      ...e,
      count: e.candidates?.length ?? 0,
      ...(e.relay && {protocol: e.relay.transport}),
      ...e.path,
    });
    const {w} = this;
    switch (e.kind) {
      case 'left':
        return (w.left[e.cause ?? 'left'] ?? w.left.left)?.(told) ?? e.kind;
      case 'pair':
        return w.pair[e.pair?.state ?? 'tried']?.(told) ?? e.kind;
      case 'path':
        return w.way[e.path?.kind ?? '']?.(told) ?? e.kind;
      case 'quality':
        return w.levels[e.level ?? 2]?.(told) ?? e.kind;
    }
    return w.event[e.kind]?.(told) ?? e.kind;
  }

  candidate(c: Candidate): string {
    const type = this.w.candidate[c.type] ?? c.type;
    const by = (c.type === 'relay' ? (c.relay ?? c.protocol) : c.protocol).toUpperCase();
    return [type, by, c.address].filter(Boolean).join(' · ');
  }

  /** What an event rests on, as names and values. */
  facts(e: Entry): [string, string][] {
    const {facts} = this.w;
    const list: [string, string | false | undefined][] = [
      ['cause', e.kind !== 'note' && e.kind !== 'left' && this.cause(e.cause)],
      ['ms', e.ms !== undefined && this.long(e.ms)],
      ['source', e.source],
      ['path', e.path && [this.w.path[e.path.kind], e.path.protocol?.toUpperCase()].filter(Boolean).join(' · ')],
      ['server', e.path?.server],
      ['local', e.pair && this.candidate(e.pair.local)],
      ['remote', e.pair && this.candidate(e.pair.remote)],
      ['candidates', e.candidates?.map((c) => this.candidate(c)).join('\n')],
      ['score', e.score !== undefined && e.score > 0 && (e.score / 100).toLocaleString(this.locale)],
      ['relay', e.relay?.transport.toUpperCase()],
      ['sent', e.relay?.up ? this.bytes(e.relay.up) : ''],
      ['received', e.relay?.down ? this.bytes(e.relay.down) : ''],
      ['link', e.link],
      ['from', e.server ? this.w.server : this.w.told(this.name(e.who))],
      ['heard', !e.server && Math.abs(e.got - e.at) >= 1_000 && this.clock(e.got, true)],
    ];
    return list.flatMap(([key, value]) => (value ? [[facts[key] ?? key, value] as [string, string]] : []));
  }

  /** Bytes, for people. */
  bytes(n: number): string {
    const step = n < 1e3 ? 0 : n < 1e6 ? 1 : n < 1e9 ? 2 : 3;
    return `${(n / 1000 ** step).toLocaleString(this.locale, {maximumFractionDigits: step ? 1 : 0})} ${['B', 'kB', 'MB', 'GB'][step]}`;
  }

  cause(code = ''): string {
    return this.w.cause[code] ?? code;
  }

  #told(who = '', other = '', x: Partial<Finding> & {protocol?: string}): Told {
    return {
      who: this.name(who),
      other: this.name(other),
      at: x.at === undefined ? '' : this.clock(x.at),
      long: this.long(x.ms ?? 0),
      protocol: x.protocol?.toUpperCase() ?? '',
      cause: this.cause(x.cause),
      count: x.count ?? 0,
      percent: x.percent ?? 0,
    };
  }
}
