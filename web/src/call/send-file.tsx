import {useEffect, useRef, useState} from 'preact/hooks';
import {Tool} from '../parts/toggle';
import {useVisit, type Visit} from '../visit/visit';
import {Icon} from './icon';
import {words} from './words/words';

type Code = typeof import('../files');
/** The code for files, and the desk of this visit. */
export type Filing = Code & {desk: InstanceType<Code['Desk']>};

/** Fetches what files need as soon as somebody is in the room, so that offers are heard. Null until then. */
export function useFiling(visit: Visit): Filing | null {
  const [filing, setFiling] = useState<Filing | null>(null);
  useEffect(() => {
    let over = false;
    let stop = (): void => {};
    Promise.all([import('../files'), visit.room.files()]).then(
      ([code, files]) => {
        if (over) return;
        const desk = new code.Desk(visit, files);
        stop = () => desk.stop();
        setFiling({...code, desk});
      },
      () => undefined, // the page is older than the server; the call goes on without files
    );
    return () => {
      over = true;
      stop();
      setFiling(null);
    };
  }, [visit]);
  return filing;
}

/** Send file: the browser's own list of files, then they are offered. A narrow bar leaves it to the conversation. */
export function SendFile({filing, inChat = false}: {filing: Filing | null; inChat?: boolean}) {
  const visit = useVisit();
  const input = useRef<HTMLInputElement>(null);
  const w = words().controls;
  const press = (): void => {
    if (visit.others.value.length === 0) visit.herald.show(w.nobody);
    else input.current?.click();
  };
  return (
    <span class={inChat ? 'narrow-only' : 'wide-only'}>
      <Tool label={w.sendFile} icon={<Icon name="attach" />} onClick={press} />
      <input
        type="file"
        multiple
        hidden
        ref={input}
        aria-label={w.sendFile}
        onChange={(e) => {
          const items = Array.from(e.currentTarget.files ?? [], (file) => ({file}));
          e.currentTarget.value = ''; // the same file may be chosen again
          filing?.desk.send(items);
        }}
      />
    </span>
  );
}

/** Files: their panel, once there is something in it. A narrow bar leaves it to the conversation. */
export function FilesTool({filing}: {filing: Filing | null}) {
  const visit = useVisit();
  const open = visit.panel.value === 'files';
  if (!open && !filing?.desk.transfers.value.length) return null;
  const asked = filing?.desk.questions.value.length ?? 0;
  const w = words().controls;
  return (
    // While the panel is open the button that closes it stays.
    <span class={open ? '' : 'roomy'}>
      <Tool
        id="open-files"
        label={w.files}
        icon={<Icon name="files" />}
        expanded={open}
        badge={{count: asked, words: w.filesWait(asked)}}
        onClick={() => visit.show('files')}
      />
    </span>
  );
}
