import {useEffect, useLayoutEffect, useRef} from 'preact/hooks';
import {useVisit} from '../visit/visit';
import type {Assembly} from './assembly';
import {Glyph} from './icon';
import {conferenceWords} from './words';

/** What stands on the stage beside the pictures: the measure of their area, the pages, captions, and signs. */
export function StageParts({assembly}: {assembly: Assembly}) {
  const plan = assembly.plan.value;
  return (
    <>
      <Measure assembly={assembly} pages={plan?.pages ?? 1} />
      {plan !== null && <Pager assembly={assembly} />}
      <Signs assembly={assembly} />
      <Captions assembly={assembly} />
    </>
  );
}

/** An empty box that the style sheet puts where pictures may be: notch, bar and pager left out. */
function Measure({assembly, pages}: {assembly: Assembly; pages: number}) {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = element.current;
    const stage = box?.parentElement;
    if (!box || !stage) return;
    const look = (): void => {
      const {offsetLeft: x, offsetTop: y, offsetWidth: width, offsetHeight: height} = box;
      const before = assembly.area.peek();
      if (before && before.x === x && before.y === y && before.width === width && before.height === height) return;
      if (width > 0 && height > 0) assembly.area.value = {x, y, width, height};
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(box);
    assembly.look(stage);
    return () => {
      observer.disconnect();
      assembly.look(null);
    };
  }, [assembly]);
  return <div class="measure" ref={element} data-pages={pages > 1} aria-hidden="true" />;
}

function Pager({assembly}: {assembly: Assembly}) {
  const plan = assembly.plan.value;
  useEffect(() => {
    const key = (e: KeyboardEvent): void => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog[open]')) return;
      if (e.target instanceof Element && e.target.closest('input, textarea, select, .panel')) return;
      const step = e.key === 'PageDown' ? 1 : e.key === 'PageUp' ? -1 : 0;
      const now = assembly.plan.peek();
      if (step === 0 || now === null || now.pages === 1) return;
      e.preventDefault();
      assembly.turn(Math.min(now.pages - 1, now.page + step));
    };
    window.addEventListener('keydown', key);
    return () => window.removeEventListener('keydown', key);
  }, [assembly]);
  if (plan === null || plan.pages === 1) return null;
  const {page, pages, elsewhere} = plan;
  const w = conferenceWords();
  return (
    <nav class="pager" aria-label={w.pages}>
      {elsewhere && (
        <button type="button" class="btn small elsewhere" onClick={() => assembly.turn(elsewhere.page)}>
          <i class="voice" />
          <span dir="auto">{w.speaksElsewhere(elsewhere.person.name)}</span>
        </button>
      )}
      <span class="pager-steps">
        <button
          type="button"
          class="icon-btn"
          aria-label={w.before}
          aria-disabled={page === 0}
          onClick={() => assembly.turn(page - 1)}
        >
          <Glyph name="left" />
        </button>
        <span class="figures" role="status" aria-label={w.page(page + 1, pages)}>
          {page + 1} / {pages}
        </span>
        <button
          type="button"
          class="icon-btn"
          aria-label={w.after}
          aria-disabled={page === pages - 1}
          onClick={() => assembly.turn(Math.min(pages - 1, page + 1))}
        >
          <Glyph name="right" />
        </button>
      </span>
    </nav>
  );
}

/** Signs of people whose pictures are not to be seen, and all of them where two are alone. */
function Signs({assembly}: {assembly: Assembly}) {
  const seen = new Set(assembly.plan.value?.placed.filter((p) => p.source === 'camera').map((p) => p.person.id));
  const signs = assembly.signs.value.filter((s) => !seen.has(s.seat)).slice(-4);
  if (signs.length === 0) return null;
  const {reactions} = conferenceWords();
  return (
    <ul class="signs" aria-hidden="true">
      {signs.map((sign) => (
        <li key={sign.id} data-kind={sign.kind} title={reactions[sign.kind]}>
          <Glyph name={sign.kind} />
          <bdi>{sign.name}</bdi>
        </li>
      ))}
    </ul>
  );
}

/** What a recogniser in the room writes of what is said. Ears hear it already: it is for eyes only. */
function Captions({assembly}: {assembly: Assembly}) {
  const visit = useVisit();
  const lines = assembly.lines.value;
  if (!assembly.captions.value || lines.length === 0) return null;
  const w = conferenceWords();
  const name = (seat: string): string => visit.people.value.find((p) => p.id === seat)?.name ?? '';
  return (
    <div class="captions" aria-live="off">
      {lines.map((line) => {
        const who = name(line.seat) || name(line.from);
        const by = line.from === line.seat ? '' : name(line.from);
        return (
          <p key={`${line.from} ${line.seat} ${line.id || 'now'}`} data-final={line.final}>
            <b dir="auto">{by === '' || by === who ? who : w.captionBy(who, by)}</b>{' '}
            <bdi {...(line.lang === '' ? {} : {lang: line.lang})}>{line.text}</bdi>
          </p>
        );
      })}
    </div>
  );
}
