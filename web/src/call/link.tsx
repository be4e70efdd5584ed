import {useEffect, useState} from 'preact/hooks';
import {roomPath} from '../logic/route';
import {useVisit} from '../visit/visit';
import {Icon} from './icon';
import {words} from './words/words';

/** The address that lets a guest in; `key` is that of an encrypted room. */
export function guestLink(room: string, key: string): string {
  return location.origin + roomPath(room) + (key === '' ? '' : `#key=${key}`);
}

/** The address that makes whoever opens it a host. */
export function hostLink(room: string, key: string, secret: string): string {
  return `${guestLink(room, '')}#host=${secret}${key === '' ? '' : `&key=${key}`}`;
}

/** Copies a link and says so for a moment, in place. */
export function CopyButton({text, label, primary = false}: {text: string; label: string; primary?: boolean}) {
  const visit = useVisit();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = async (): Promise<void> => {
    if (!(await put(text))) return;
    setCopied(true);
    visit.herald.say(words().say.copied);
  };

  return (
    <button type="button" class={primary ? 'btn primary' : 'btn'} aria-label={label} onClick={() => void copy()}>
      <Icon name={copied ? 'check' : 'copy'} />
      <span class="swap-text">
        <span data-shown={!copied}>{label}</span>
        <span data-shown={copied}>{words().alone.copied}</span>
      </span>
    </button>
  );
}

/** The system's share sheet, where there is one. */
export function ShareButton({url, text}: {url: string; text: string}) {
  if (typeof navigator.share !== 'function') return null;
  // Closing the sheet rejects; that is an answer, not a fault.
  const share = (): void => void navigator.share({title: 'Parley', text, url}).catch(() => undefined);
  return (
    <button type="button" class="btn" onClick={share}>
      <Icon name="share" />
      {words().alone.share}
    </button>
  );
}

async function put(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return putBySelection(text);
  }
}

/** For pages and browsers where the clipboard is closed: select a text and let the browser copy it. */
function putBySelection(text: string): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'hidden';
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  return done;
}
