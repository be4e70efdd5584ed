import type {Participant} from '@parley-rtc/sdk';
import {effect, signal} from '@preact/signals';
import {render} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {Icon} from '../call/icon';
import {words} from '../call/words/words';
import {useWatch} from '../hooks';
import {Avatar} from '../parts/avatar';
import {SourceToggles} from '../parts/toggle';
import {Video} from '../parts/video';
import {useVisit, type Visit, VisitProvider} from '../visit/visit';
import type {Assembly} from './assembly';

/** The call in a small window above the others: a page of its own where the browser has that, else a bare picture. */

interface DocumentPip {
  requestWindow(options: {width: number; height: number}): Promise<Window>;
}

const SIZE = {width: 360, height: 260};

/** Whether the small window is open. */
export const pip = signal(false);

let shut = (): void => {};

function documentPip(): DocumentPip | null {
  return (window as {documentPictureInPicture?: DocumentPip}).documentPictureInPicture ?? null;
}

export function canPip(): boolean {
  return documentPip() !== null || document.pictureInPictureEnabled === true;
}

/** Opens the small window; from a press only. What the browser refuses, it explains itself. */
export async function openPip(visit: Visit, assembly: Assembly): Promise<void> {
  const pages = documentPip();
  try {
    if (pages) await openPage(await pages.requestWindow(SIZE), visit, assembly);
    else await openVideo(assembly);
  } catch {
    pip.value = false;
  }
}

export function closePip(): void {
  shut();
}

async function openPage(page: Window, visit: Visit, assembly: Assembly): Promise<void> {
  const {document: doc} = page;
  for (const sheet of document.querySelectorAll('link[rel="stylesheet"], style'))
    doc.head.append(sheet.cloneNode(true));
  const {lang} = document.documentElement;
  doc.documentElement.lang = lang;
  doc.documentElement.dataset.dark = 'true';
  doc.title = visit.room.name;
  doc.body.className = 'mini';
  render(
    <VisitProvider value={visit}>
      <Mini assembly={assembly} />
    </VisitProvider>,
    doc.body,
  );
  pip.value = true;
  shut = () => page.close();
  const stop = effect(() => {
    if (visit.phase.value !== 'call') page.close();
  });
  page.addEventListener('pagehide', () => {
    stop();
    render(null, doc.body);
    assembly.mini = null;
    pip.value = false;
    shut = () => {};
  });
}

/** The first picture of somebody else, as it stands on the stage. */
async function openVideo(assembly: Assembly): Promise<void> {
  const video =
    document.querySelector<HTMLVideoElement>('.tile[data-main="true"] video[data-seat]') ??
    document.querySelector<HTMLVideoElement>('.tile video[data-seat]');
  if (!video) return;
  const frame = await video.requestPictureInPicture();
  const {seat = '', source} = video.dataset;
  const look = (): void => {
    const {width, height} = frame;
    assembly.mini = {seat, source: source === 'screen' ? 'screen' : 'camera', width, height};
  };
  look();
  frame.addEventListener('resize', look);
  pip.value = true;
  shut = () => void document.exitPictureInPicture().catch(() => undefined);
  video.addEventListener(
    'leavepictureinpicture',
    () => {
      assembly.mini = null;
      pip.value = false;
      shut = () => {};
    },
    {once: true},
  );
}

/** Whoever has the floor, or shares, with the few controls that matter. */
function Mini({assembly}: {assembly: Assembly}) {
  const visit = useVisit();
  const others = visit.others.value;
  const person =
    others.find((p) => p.media.screen) ?? others.find((p) => p.id === assembly.floor.value) ?? others[0] ?? null;
  const w = words().controls;
  return (
    <main class="mini-call">
      {person && <MiniPicture key={person.id} person={person} assembly={assembly} />}
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would announce a form where there is none */}
      <div class="mini-bar" role="group" aria-label={w.bar}>
        {visit.room.me?.role !== 'listener' && <SourceToggles />}
        <button type="button" class="tool leave" aria-label={w.leave} title={w.leave} onClick={() => visit.leave()}>
          <Icon name="leave" />
        </button>
      </div>
    </main>
  );
}

function MiniPicture({person, assembly}: {person: Participant; assembly: Assembly}) {
  useWatch(person, 'change', 'track');
  const [box, setBox] = useState<HTMLElement | null>(null);
  const source = person.media.screen ? 'screen' : 'camera';
  const track = person.media[source] ? (person.tracks.get(source) ?? null) : null;
  useEffect(() => {
    const page = box?.ownerDocument.defaultView;
    if (!box || !page) return;
    const look = (): void => {
      const scale = page.devicePixelRatio;
      const {clientWidth, clientHeight} = box;
      assembly.mini = {
        seat: person.id,
        source,
        width: Math.round(clientWidth * scale),
        height: Math.round(clientHeight * scale),
      };
    };
    look();
    page.addEventListener('resize', look);
    return () => page.removeEventListener('resize', look);
  }, [box, person, source, assembly]);
  return (
    <figure class="mini-picture" ref={setBox}>
      {track ? (
        <Video track={track} label={person.name} source={source} seat={person.id} />
      ) : (
        <div class="tile-off">
          <Avatar name={person.name} />
        </div>
      )}
      <figcaption dir="auto">{person.name}</figcaption>
    </figure>
  );
}
