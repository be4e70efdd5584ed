import {Facts} from './evidence';
import type {Teller} from './say';
import type {CallRecord, Lane, Link} from './types';
import {words} from './words/words';

/** How each person's connections came about: what was gathered, tried and won, and how long the steps took. */
export function Connections({record, teller}: {record: CallRecord; teller: Teller}) {
  const w = words();
  return (
    <section aria-labelledby="connections">
      <h2 id="connections">{w.connect}</h2>
      <div class="cards">
        {record.people.map((lane) => (
          <article key={lane.seat} class="card">
            <h3>{lane.name}</h3>
            <Facts list={about(lane, teller)} />
            {lane.links.map((link) => (
              <div key={link.with}>
                <h4>{w.to(lane.name, teller.name(link.with))}</h4>
                <Facts list={steps(link, teller)} />
              </div>
            ))}
          </article>
        ))}
      </div>
    </section>
  );
}

type Fact = [string, string | false | undefined];

function told(facts: {[name: string]: string}, list: Fact[]): [string, string][] {
  return list.flatMap(([key, value]) => (value ? [[facts[key] ?? key, value] as [string, string]] : []));
}

function about({client, version, address, clock}: Lane, teller: Teller): [string, string][] {
  const {facts} = teller.w;
  return told(facts, [
    ['client', [client, version].filter(Boolean).join(' ')],
    ['address', address],
    ['clock', clock !== undefined && clockWords(clock, teller)],
  ]);
}

/** A clock within a second of ours is right: a report takes that long at times. */
function clockWords(offset: number, teller: Teller): string {
  const {facts} = teller.w;
  if (Math.abs(offset) < 1_000) return facts.right ?? '';
  return `${offset < 0 ? facts.fast : facts.slow} ${teller.long(Math.abs(offset))}`;
}

function steps(link: Link, teller: Teller): [string, string][] {
  const {w} = teller;
  const ms = (n: number | undefined) => n !== undefined && teller.long(n);
  const gathered = Object.entries(link.gathered ?? {}).map(([type, n]) => {
    const [kind = '', by = ''] = type.split('/');
    return [n > 1 && `${n} ×`, w.candidate[kind] ?? kind, by.toUpperCase()].filter(Boolean).join(' ');
  });
  return told(w.facts, [
    ['gathered', gathered.join('\n')],
    ['tried', !!link.tried && `${link.tried}${link.failed ? `, ${w.facts.failed}: ${link.failed}` : ''}`],
    ['won', link.won && `${teller.candidate(link.won.local)}\n${teller.candidate(link.won.remote)}`],
    ['why', link.why && (w.why[link.why] ?? link.why)],
    ['ice', ms(link.iceMs)],
    ['dtls', ms(link.dtlsMs)],
    ['packet', ms(link.firstPacketMs)],
    ['frame', ms(link.firstFrameMs)],
    ['restarts', !!link.restarts && String(link.restarts)],
    ['replaced', !!link.replaced && String(link.replaced)],
  ]);
}
