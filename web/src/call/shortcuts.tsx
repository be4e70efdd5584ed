import {useEffect, useRef} from 'preact/hooks';
import {Icon} from './icon';
import {words} from './words/words';

/** The list of keys. A native dialog keeps the focus and closes on Escape by itself. */
export function Shortcuts({close}: {close: () => void}) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => element.current?.showModal(), []);
  const w = words().shortcuts;
  const keys: [string, string][] = [
    ['M', w.mute],
    ['V', w.camera],
    ['H', w.hand],
    [w.space, w.talk],
    [w.enterKey, w.enter],
    ['Esc', w.escape],
    ['?', w.help],
  ];
  return (
    <dialog class="shortcuts" ref={element} aria-labelledby="shortcuts" onClose={close}>
      <header>
        <h2 id="shortcuts">{w.title}</h2>
        <button type="button" class="icon-btn" aria-label={words().app.close} onClick={() => element.current?.close()}>
          <Icon name="close" />
        </button>
      </header>
      <dl>
        {keys.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">{w.note}</p>
    </dialog>
  );
}
