import '../src/style/tokens.css';
import '../src/style/base.css';
import '../src/style/landing.css';
import '../src/style/door.css';
import '../src/style/table.css';
import '../src/style/tool.css';
import {render} from 'preact';
import {Screen} from '../src/app';
import {Memory} from '../src/logic/memory';
import {Spoken} from '../src/parts/notes';
import {loadInner} from '../src/screens/inner';
import {Landing} from '../src/screens/landing';
import {RecordPage} from '../src/screens/record';
import {Visit, VisitProvider} from '../src/visit/visit';
import {chooseLanguage, loadLanguage} from '../src/words/words';
import {sampleRecord} from './sample-record';
import {type Scene, scenes} from './scenes';

/** A memory that starts the same on every look. */
function freshMemory(calls = '[]'): Memory {
  const shelf = new Map([['parley.calls', calls]]);
  const memory = new Memory({
    getItem: (key) => shelf.get(key) ?? null,
    setItem: (key, value) => void shelf.set(key, value),
    removeItem: (key) => void shelf.delete(key),
  });
  memory.name = 'Robin';
  return memory;
}

const pages = ['landing', 'landing-recent', 'landing-calls', 'record', 'record-poor', 'record-evidence', 'record-gone'];

function drawLanding(root: HTMLElement, scene: string): void {
  const at = (hours: number): number => Date.now() - hours * 3_600_000;
  const calls = ['garden-table', 'book-club', 'garden-table', 'quiet-harbor-k3t9a'].map((room, i) => {
    return {id: `call-${i}`, token: 'token', room, at: at(i * i * 9)};
  });
  const told = scene === 'landing-calls' ? JSON.stringify(calls) : '[]';
  localStorage.setItem('parley.calls', told);
  const memory = freshMemory(told);
  if (scene !== 'landing') {
    memory.visited('quiet-harbor-k3t9a', Date.now() - 3 * 86_400_000);
    memory.visited('book-club', Date.now() - 86_400_000);
    memory.visited('garden-table', Date.now() - 1000);
  }
  render(<Landing memory={memory} go={() => undefined} />, root);
  if (scene === 'landing-calls') document.querySelector<HTMLElement>('summary')?.click();
}

async function drawScene(root: HTMLElement, {room, media, act}: Scene): Promise<void> {
  await loadInner();
  const makers = {openRoom: () => room, openMedia: () => media};
  const visit = new Visit({room: room.name, memory: freshMemory(), tab: null, makers, again: () => undefined});
  render(
    <VisitProvider value={visit}>
      <Screen />
      <Spoken />
    </VisitProvider>,
    root,
  );
  act?.(visit);
}

/** The page of a record, whose server answers with a made-up one. */
function drawRecord(root: HTMLElement, scene: string): void {
  const record = sampleRecord(scene === 'record-poor');
  window.fetch = async () => (scene === 'record-gone' ? new Response('', {status: 404}) : Response.json(record));
  render(<RecordPage id={record.id} />, root);
  if (scene === 'record-evidence') setTimeout(() => document.querySelector<HTMLElement>('.sentence')?.click(), 300);
}

function drawIndex(root: HTMLElement): void {
  render(
    <main>
      <h1>Parley gallery</h1>
      <ul id="scenes">
        {[...pages, ...Object.keys(scenes)].map((scene) => (
          <li key={scene}>
            <a href={`?scene=${scene}`}>{scene}</a>
          </li>
        ))}
      </ul>
    </main>,
    root,
  );
}

async function start(): Promise<void> {
  const query = new URLSearchParams(location.search);
  const tag = chooseLanguage([query.get('lang') ?? 'en']);
  document.documentElement.lang = tag;
  await loadLanguage(tag);
  const root = document.getElementById('app') as HTMLElement;
  const id = query.get('scene') ?? '';
  const make = scenes[id];
  if (id.startsWith('landing')) drawLanding(root, id);
  else if (id.startsWith('record')) drawRecord(root, id);
  else if (make) await drawScene(root, make());
  else drawIndex(root);
}

void start();
