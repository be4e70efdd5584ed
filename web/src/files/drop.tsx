import {useEffect, useState} from 'preact/hooks';
import {useVisit} from '../visit/visit';
import type {Desk} from './desk';
import {FileIcon} from './icon';
import {fileWords} from './words';

const carriesFiles = (data: DataTransfer | null): data is DataTransfer => data?.types.includes('Files') ?? false;

/** The whole window takes files that are dropped or pasted, and says so while they hang over it. */
export function DropTarget({desk}: {desk: Desk}) {
  const visit = useVisit();
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0; // every element under the pointer says enter and leave
    const enter = (e: DragEvent): void => {
      if (!carriesFiles(e.dataTransfer)) return;
      e.preventDefault();
      depth++;
      setOver(true);
    };
    const hover = (e: DragEvent): void => {
      if (!carriesFiles(e.dataTransfer)) return;
      e.preventDefault();
      e.dataTransfer.dropEffect = 'copy';
    };
    const leave = (e: DragEvent): void => {
      if (!carriesFiles(e.dataTransfer)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const drop = (e: DragEvent): void => {
      depth = 0;
      setOver(false);
      if (!carriesFiles(e.dataTransfer)) return;
      e.preventDefault();
      void desk.drop(e.dataTransfer);
    };
    const paste = (e: ClipboardEvent): void => {
      if (!carriesFiles(e.clipboardData)) return;
      e.preventDefault();
      void desk.drop(e.clipboardData);
    };
    const ear = new AbortController();
    window.addEventListener('dragenter', enter, ear);
    window.addEventListener('dragover', hover, ear);
    window.addEventListener('dragleave', leave, ear);
    window.addEventListener('drop', drop, ear);
    window.addEventListener('paste', paste, ear);
    return () => ear.abort();
  }, [desk]);

  if (!over) return null;
  const w = fileWords();
  const others = visit.others.value;
  const [only] = others;
  const line = only === undefined ? w.dropNobody : others.length > 1 ? w.dropAll : w.drop(only.name);
  return (
    <div class="drop" aria-hidden="true">
      <p>
        <FileIcon name="files" />
        <span>{line}</span>
      </p>
    </div>
  );
}
