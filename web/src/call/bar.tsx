import {SourceToggles, Tool} from '../parts/toggle';
import {useVisit} from '../visit/visit';
import type {Conferring} from './conference';
import {Icon} from './icon';
import {HandTool, MoreTool} from './more';
import {FilesTool, type Filing, SendFile} from './send-file';
import {ShareTool} from './share';
import {words} from './words/words';

/** The control bar: what one does in a call, in one row within the thumb's reach. */
export function Bar({filing, conferring}: {filing: Filing | null; conferring: Conferring | null}) {
  const visit = useVisit();
  const w = words().controls;
  const open = visit.panel.value;
  const unread = visit.unread.value;
  const waiting = visit.outside.value.length;
  const listens = visit.people.value.some((p) => p.isMe && p.role === 'listener');
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would announce a form where there is none
    <div class="bar" role="group" aria-label={w.bar}>
      <div class="bar-group">
        {!listens && <SourceToggles />}
        {!listens && <ShareTool />}
        {conferring && visit.others.value.length > 1 && <HandTool conferring={conferring} />}
      </div>
      <div class="bar-group">
        <Tool
          id="open-chat"
          label={w.chat}
          icon={<Icon name="chat" />}
          expanded={open === 'chat'}
          badge={{count: unread, words: w.unread(unread)}}
          onClick={() => visit.show('chat')}
        />
        <SendFile filing={filing} />
        <FilesTool filing={filing} />
        <Tool
          id="open-people"
          label={w.people}
          icon={<Icon name="people" />}
          expanded={open === 'people'}
          badge={{count: waiting, words: w.waiting(waiting)}}
          onClick={() => visit.show('people')}
        />
        <span class="bar-settings" data-open={open === 'settings'}>
          <Tool
            id="open-settings"
            label={w.settings}
            icon={<Icon name="settings" />}
            expanded={open === 'settings'}
            onClick={() => visit.show('settings')}
          />
        </span>
        <MoreTool conferring={conferring} />
      </div>
      <button type="button" class="tool leave" aria-label={w.leave} title={w.leave} onClick={() => visit.leave()}>
        <Icon name="leave" />
        <span>{w.leave}</span>
      </button>
    </div>
  );
}
