/** Records as the server makes them: the very ones that its own tests expect. */

import gap from '../../internal/trace/testdata/tls-and-gap.txtar?raw';
import type {CallRecord} from '../src/record/types';

/** A call with a silence in its middle; `poor` makes it a bad one that still goes on. */
export function sampleRecord(poor: boolean): CallRecord {
  const text = gap.slice(gap.indexOf('-- record --'));
  const record = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as CallRecord;
  if (!poor) return record;
  delete record.ended;
  record.verdict.level = 'poor';
  for (const lane of record.people) {
    lane.quality = [
      {from: record.began + 30_000, to: record.began + 260_000, level: 0, cause: 'loss'},
      {from: record.began + 260_000, to: record.began + 590_000, level: 1, cause: 'relay-tcp'},
    ];
  }
  return record;
}
