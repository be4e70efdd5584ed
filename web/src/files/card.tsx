import type {Transfer} from '@parley-rtc/sdk';
import {plainName} from '@parley-rtc/sdk/files';
import {useState} from 'preact/hooks';
import {Icon} from '../call/icon';
import {useVisit} from '../visit/visit';
import {language} from '../words/words';
import type {Desk} from './desk';
import {percent, size, timeLeft} from './figures';
import {FileIcon} from './icon';
import {Pick} from './pick';
import {statusLine} from './status';
import {fileWords} from './words';

interface CardProps {
  transfer: Transfer;
  desk: Desk;
}

const OVER: readonly Transfer['state'][] = ['done', 'refused', 'cancelled', 'failed'];
const WITH_BAR: readonly Transfer['state'][] = ['moving', 'paused', 'waiting', 'queued', 'checking', 'missing'];

/** One transfer: what it is, where it stands, and what can be done about it. For the panel and the conversation. */
export function TransferCard({transfer, desk}: CardProps) {
  const visit = useVisit();
  const w = fileWords();
  const {direction, files, name, person, state, total} = transfer;
  const connected = visit.others.value.some((p) => p.id === transfer.seat && p.path.kind !== 'lost');
  const line = statusLine(transfer, desk.placed(transfer), connected, w);
  const bad = state === 'failed' || (state === 'offered' && transfer.obstacle !== null);
  const plain = plainName(name);
  const whole = [
    ...(files.length > 1 ? [w.count(files.length)] : []),
    size(total, language()),
    (direction === 'in' ? w.from : w.toWhom)(person),
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would announce a form where there is none
    <div class="transfer" data-state={state} data-direction={direction} role="group" aria-label={plain}>
      <span class="transfer-mark" data-bad={bad}>
        <FileIcon name={files.length > 1 ? 'files' : 'file'} />
      </span>
      <div class="transfer-what">
        <b>
          <bdi>{plain}</bdi>
        </b>
        <small>
          {whole.slice(0, -1).join(' · ')} · <bdi>{whole.at(-1)}</bdi>
        </small>
      </div>
      {OVER.includes(state) && (
        <button
          type="button"
          class="icon-btn"
          aria-label={`${w.remove}: ${plain}`}
          title={w.remove}
          onClick={() => desk.remove(transfer)}
        >
          <Icon name="close" />
        </button>
      )}
      {WITH_BAR.includes(state) && total > 0 && <Bar transfer={transfer} label={w.progress(plain)} />}
      {line && (
        <p class="transfer-line" data-bad={bad}>
          {state === 'done' && <FileIcon name="check" />}
          <span>{line}</span>
        </p>
      )}
      {files.length === 1 && files[0]?.hash && <Hash hash={files[0].hash} />}
      {files.length > 1 && <List transfer={transfer} />}
      <Acts transfer={transfer} desk={desk} />
    </div>
  );
}

function Bar({transfer, label}: {transfer: Transfer; label: string}) {
  const w = fileWords();
  const {bytes, leftMs, speedBps, state, total} = transfer;
  const share = percent(bytes, total);
  const figures = [
    `${share} %`,
    w.of(size(bytes, language()), size(total, language())),
    ...(state === 'moving' && speedBps > 0 ? [w.speed(size(speedBps, language())), timeLeft(leftMs, w)] : []),
  ];
  return (
    <div class="transfer-bar">
      <progress max={100} value={share} aria-label={label} />
      <small class="figures">{figures.filter(Boolean).join(' · ')}</small>
    </div>
  );
}

/** The checksum, shortened, to be compared and copied. */
function Hash({hash}: {hash: string}) {
  const {herald} = useVisit();
  const w = fileWords();
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(hash);
    } catch {
      return; // the browser keeps its clipboard closed; the title shows all of it
    }
    herald.say(w.copied);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <button type="button" class="transfer-hash" title={hash} onClick={() => void copy()}>
      <Icon name={copied ? 'check' : 'copy'} />
      <span class="hidden">{w.copyHash} </span>
      <code>
        SHA-256 {hash.slice(0, 8)}…{hash.slice(-4)}
      </code>
    </button>
  );
}

/** How many of a folder's files are listed: more are for the file manager. */
const LISTED = 200;

function List({transfer}: {transfer: Transfer}) {
  const w = fileWords();
  const [open, setOpen] = useState(false);
  const {files} = transfer;
  return (
    <details class="transfer-list" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{w.details(files.length)}</summary>
      {open && (
        <ul>
          {files.slice(0, LISTED).map((file) => (
            <li key={file.path}>
              <bdi>{file.path.split('/').map(plainName).join('/')}</bdi>
              <small class="figures">{size(file.size, language())}</small>
              {file.hash && <Hash hash={file.hash} />}
            </li>
          ))}
          {files.length > LISTED && <li>…</li>}
        </ul>
      )}
    </details>
  );
}

function Acts({transfer, desk}: CardProps) {
  const visit = useVisit();
  const w = fileWords();
  const {direction, freed, obstacle, pausedBy, saved, seat, state} = transfer;
  // Space may have been made since it was looked for: accepting looks again.
  const blocked = obstacle !== null && obstacle !== 'no-space';
  const cancel = <Act words={w.cancel} act={() => desk.cancel(transfer)} />;
  switch (state) {
    case 'offered':
      if (direction === 'out') return <div class="transfer-acts">{cancel}</div>;
      return (
        <div class="transfer-acts">
          <Act words={w.accept} primary act={() => desk.accept(transfer)} disabled={blocked} />
          {desk.canPlace(transfer) && !blocked && <Act words={w.acceptTo} act={() => void desk.acceptTo(transfer)} />}
          <Act words={w.refuse} act={() => desk.refuse(transfer)} />
        </div>
      );
    case 'moving':
      return (
        <div class="transfer-acts">
          <Act words={w.pause} act={() => desk.pause(transfer)} />
          {cancel}
        </div>
      );
    case 'paused':
      return (
        <div class="transfer-acts">
          {pausedBy === 'me' && <Act words={w.goOn} primary act={() => desk.resume(transfer)} />}
          {cancel}
        </div>
      );
    case 'missing':
      return (
        <div class="transfer-acts">
          {transfer.reopens && <Act words={w.allow} primary act={() => desk.retry(transfer)} />}
          <Pick primary={!transfer.reopens} take={(items) => desk.retry(transfer, items)}>
            {w.again}
          </Pick>
          {cancel}
        </div>
      );
    case 'queued':
    case 'checking':
    case 'waiting': {
      // The person may have come back as a new one; only this person can tell that it is them.
      const others = visit.others.value.some((p) => p.id === seat) ? [] : visit.others.value;
      return (
        <div class="transfer-acts">
          {direction === 'out' &&
            others
              .slice(0, 3)
              .map((p) => <Act key={p.id} words={w.sendTo(p.name)} act={() => desk.redirect(transfer, p)} />)}
          {cancel}
        </div>
      );
    }
    case 'done':
      if (direction === 'out' || freed) return null;
      return (
        <div class="transfer-acts">
          <Act
            words={transfer.files.length > 1 ? w.saveAll : w.save}
            primary={!saved}
            act={() => void desk.save(transfer)}
          />
        </div>
      );
    default:
      return null;
  }
}

interface ActProps {
  words: string;
  act: () => void;
  primary?: boolean;
  disabled?: boolean;
}

function Act({words, act, primary = false, disabled = false}: ActProps) {
  return (
    <button type="button" class={primary ? 'btn small primary' : 'btn small'} disabled={disabled} onClick={act}>
      {words}
    </button>
  );
}
