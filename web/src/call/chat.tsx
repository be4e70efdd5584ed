import type {ChatMessage, History} from '@parley-rtc/sdk';
import {Component} from 'preact';
import {useLayoutEffect, useRef, useState} from 'preact/hooks';
import {clock} from '../logic/numbers';
import {useVisit} from '../visit/visit';
import {language} from '../words/words';
import {byTime, type ChatGroup, day, groupChat} from './chat-groups';
import {usePages} from './chat-pages';
import {Icon} from './icon';
import {findLinks} from './links';
import {Panel} from './panel';
import {type Filing, SendFile} from './send-file';
import {words} from './words/words';

/** The longest message the server takes, in bytes of UTF-8. */
const MAX_BYTES = 4000;

export function ChatPanel({filing}: {filing: Filing | null}) {
  const visit = useVisit();
  const w = words().chat;
  const list = useRef<HTMLDivElement>(null);
  const all = visit.chat.value;
  const kept = visit.info.value?.history ?? 'none';

  // The newest message stays in sight, as long as the reader has not scrolled up to read.
  const pinned = useRef(true);
  const top = useRef(0);
  const height = useRef(0);
  const {start, back} = usePages(all, pinned.current);
  const messages = all.slice(start);
  const newest = messages.at(-1);
  const oldest = messages[0];
  const today = new Date().toDateString();
  const groups = useRef<ChatGroup[]>([]);
  groups.current = groupChat(messages, groups.current);
  const transfers = filing?.desk.transfers.value ?? [];
  // What comes above the reader's eyes must not move what they read.
  useLayoutEffect(() => {
    const box = list.current;
    if (box === null) return;
    if (!pinned.current && height.current > 0) box.scrollTop += box.scrollHeight - height.current;
    height.current = 0;
  }, [oldest?.id]);
  useLayoutEffect(() => {
    if (newest?.mine) pinned.current = true;
  }, [newest?.id]);
  useLayoutEffect(() => {
    const box = list.current;
    if (box === null) return;
    const follow = (): void => {
      if (pinned.current) box.scrollTop = box.scrollHeight;
    };
    follow();
    // A phone's keyboard takes a part of the list away.
    const observer = new ResizeObserver(follow);
    observer.observe(box);
    return () => observer.disconnect();
  }, [all, start, transfers.length]);

  return (
    <Panel name="chat" title={w.title}>
      <div
        class="chat-list"
        ref={list}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls has to be reachable by keyboard
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={w.title}
        onScroll={(e) => {
          const box = e.currentTarget;
          const low = box.scrollHeight - box.scrollTop - box.clientHeight < 48;
          // Messages that arrive between two frames leave the list behind without anybody having scrolled up.
          if (low || box.scrollTop < top.current) pinned.current = low;
          top.current = box.scrollTop;
        }}
      >
        {(start > 0 || visit.earlier.value) && (
          <button
            type="button"
            class="btn small chat-earlier"
            onClick={() => {
              pinned.current = false;
              height.current = list.current?.scrollHeight ?? 0;
              back();
              if (start > 0) return;
              // The answer shows itself; without one the button is still there.
              visit.room.earlier().catch(() => visit.herald.show(w.noEarlier));
            }}
          >
            {w.earlier}
          </button>
        )}
        {messages.length + transfers.length === 0 && <p class="empty">{w.empty[kept]}</p>}
        {byTime(groups.current, transfers).map((entry) =>
          'files' in entry ? (
            filing && <filing.TransferCard key={entry.id} transfer={entry} desk={filing.desk} />
          ) : (
            <Group key={entry.id} group={entry} today={today} />
          ),
        )}
      </div>
      <Keeping />
      <Composer filing={filing} />
    </Panel>
  );
}

interface Said {
  group: ChatGroup;
  /** At midnight a time gets its day. */
  today: string;
}

/** What one person said in one go. */
class Group extends Component<Said> {
  override shouldComponentUpdate({group, today}: Said) {
    return group !== this.props.group || today !== this.props.today;
  }

  override render() {
    const {group} = this.props;
    return (
      <section class="chat-group" data-mine={group.mine}>
        <h3>
          {group.mine ? words().chat.you : <bdi>{group.name}</bdi>}{' '}
          <time dateTime={new Date(group.at).toISOString()}>
            {day(group.at, Date.now(), language())}
            {clock(group.at, language())}
          </time>
        </h3>
        {group.messages.map((message) => (
          <Message key={message.id} message={message} />
        ))}
      </section>
    );
  }
}

const policies: readonly History[] = ['none', 'session', 'forever'];

/** Says for how long the conversation is kept; a host may change it. */
function Keeping() {
  const visit = useVisit();
  const w = words().chat;
  const policy = visit.info.value?.history ?? 'none';
  if (!visit.isHost.value) return visit.chat.value.length > 0 ? <p class="chat-kept">{w.kept[policy]}</p> : null;
  return (
    <label class="chat-kept">
      <span>{w.keep}</span>
      <select
        class="field"
        value={policy}
        onChange={(e) => {
          const select = e.currentTarget;
          visit.room.keepHistory(select.value as History).catch(() => {
            select.value = policy;
            visit.herald.show(words().notice.refused);
          });
        }}
      >
        {policies.map((p) => (
          <option key={p} value={p}>
            {w.keepFor[p]}
          </option>
        ))}
      </select>
    </label>
  );
}

function Message({message}: {message: ChatMessage}) {
  return (
    <p data-sent={message.sent} dir="auto">
      {findLinks(message.text).map(({text, href}, i) =>
        href === undefined ? (
          text
        ) : (
          <a key={i} href={href} target="_blank" rel="noopener noreferrer">
            {text}
          </a>
        ),
      )}
      {!message.sent && <small>{words().chat.unsent}</small>}
      {message.unsaved && <small class="unsaved">{words().chat.unsaved}</small>}
    </p>
  );
}

function Composer({filing}: {filing: Filing | null}) {
  const visit = useVisit();
  const w = words().chat;
  const [text, setText] = useState('');
  const over = new TextEncoder().encode(text).length - MAX_BYTES;

  const send = (e: Event): void => {
    e.preventDefault();
    if (text.trim() === '' || over > 0) return;
    visit.room.sendChat(text.trim());
    setText('');
  };
  return (
    <form class="composer" onSubmit={send}>
      <SendFile filing={filing} inChat />
      <textarea
        class="field"
        aria-label={w.field}
        placeholder={w.field}
        rows={1}
        value={text}
        aria-invalid={over > 0}
        enterkeyhint="send"
        onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => {
          // Enter sends and Shift-Enter breaks the line; while an input method composes, Enter belongs to it.
          if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) send(e);
        }}
      />
      <button type="submit" class="btn primary square" aria-label={w.send}>
        <Icon name="send" />
      </button>
      {over > 0 && <p class="hint bad">{w.long(over)}</p>}
    </form>
  );
}
