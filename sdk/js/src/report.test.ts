import {beforeEach, describe, expect, test, vi} from 'vitest';
import {batchMs, maxWaiting, Report, urgentMs} from './report.js';
import {MaxCause, MaxReport, type ReportEvent} from './wire.gen.js';

function desk() {
  const sent: ReportEvent[][] = [];
  const state = {ready: true};
  const report = new Report({ready: () => state.ready, send: (events) => sent.push(events)});
  return {report, sent, state};
}

describe('Report', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  test('gathers events for five seconds', () => {
    const {report, sent} = desk();
    report.note({kind: 'gathered'});
    vi.advanceTimersByTime(batchMs - 1);
    report.note({kind: 'first-frame', ms: 12.4});
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent.map((events) => events.map(({kind, ms}) => [kind, ms]))).toEqual([
      [
        ['gathered', undefined],
        ['first-frame', 12],
      ],
    ]);
    vi.advanceTimersByTime(10 * batchMs);
    expect(sent).toHaveLength(1);
  });

  test('a change of path leaves at once, with what waited', () => {
    const {report, sent} = desk();
    report.note({kind: 'pair'});
    report.note({kind: 'path', path: {kind: 'direct'}});
    vi.advanceTimersByTime(urgentMs);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toHaveLength(2);
  });

  test('waits for a seat, and then sends in messages of 64', () => {
    const {report, sent, state} = desk();
    state.ready = false;
    for (let i = 0; i < 100; i++) report.note({kind: 'note', ms: i});
    vi.advanceTimersByTime(60_000);
    expect(sent).toEqual([]);
    state.ready = true;
    report.flush();
    expect(sent.map((events) => events.length)).toEqual([MaxReport, 36]);
  });

  test('what waits is bounded, and quality makes room first', () => {
    const {report, sent, state} = desk();
    state.ready = false;
    report.note({kind: 'gathered'});
    for (let i = 0; i < 2 * maxWaiting; i++) report.note({kind: 'quality', level: 2, ms: i});
    state.ready = true;
    report.flush();
    const all = sent.flat();
    expect(all).toHaveLength(maxWaiting);
    expect(all[0]?.kind).toBe('gathered');
    expect(all.at(-1)?.ms).toBe(2 * maxWaiting - 1);
  });

  test('a cause fits the server', () => {
    const {report, sent} = desk();
    report.note({kind: 'note', cause: `a\nb${'ä'.repeat(200)}`});
    report.flush();
    const cause = sent[0]?.[0]?.cause ?? '';
    expect(cause.startsWith('a bä')).toBe(true);
    expect(new TextEncoder().encode(cause).length).toBeLessThanOrEqual(MaxCause);
    expect(cause).not.toContain('\uFFFD');
  });

  test('a call that is over is forgotten', () => {
    const {report, sent} = desk();
    report.note({kind: 'path'});
    report.clear();
    vi.advanceTimersByTime(60_000);
    report.flush();
    expect(sent).toEqual([]);
  });
});
