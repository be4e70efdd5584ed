import {useEffect, useRef, useState} from 'preact/hooks';
import {Icon} from '../call/icon';
import {words} from '../call/words/words';
import {listed} from '../logic/numbers';
import {useVisit} from '../visit/visit';
import {ask, flipHand} from './acts';
import {Glyph} from './icon';
import {noHubWords} from './network';
import {conferenceWords} from './words';

/** What stands at the top of the stage in a conference: that one only listens, an invitation, who keeps others out. */
export function ConferenceNotices() {
  const visit = useVisit();
  const me = visit.people.value.find((p) => p.isMe);
  useRole(me?.role ?? null);
  const w = conferenceWords();
  if (me?.role === 'listener') {
    return me.invited ? (
      <div class="notice" data-wraps role="alert">
        <Glyph name="hand" />
        <p>{w.invitation}</p>
        <button type="button" class="btn small primary" onClick={() => void ask(visit, visit.room.speak(true))}>
          {w.speakNow}
        </button>
        <button type="button" class="btn small" onClick={() => void ask(visit, visit.room.speak(false))}>
          {w.notNow}
        </button>
      </div>
    ) : (
      me.hand === null && (
        <div class="notice passing" data-wraps>
          <Icon name="speaker" />
          <p>{w.listening}</p>
          <button type="button" class="btn small" onClick={() => flipHand(visit)}>
            {w.hand}
          </button>
        </div>
      )
    );
  }
  return <NoHub />;
}

/** Tells me of my new role, and turns off what a listener does not send. */
function useRole(role: string | null): void {
  const {herald, media} = useVisit();
  const before = useRef(role);
  useEffect(() => {
    const was = before.current;
    before.current = role;
    if (role === 'listener') {
      media.microphone.stop();
      media.camera.stop();
      media.screen.stop();
    }
    if (was === null || role === null || was === role) return;
    const w = conferenceWords();
    if (role === 'listener') herald.show(w.nowListener);
    else if (role === 'host') herald.show(w.nowHost);
    else herald.show(was === 'host' ? w.noHost : w.nowSpeaker);
  }, [role, herald, media]);
}

/** Why nobody else can come in, until it is put away. Only hosts and whoever is concerned need to know. */
function NoHub() {
  const visit = useVisit();
  const [away, setAway] = useState('');
  const people = visit.people.value;
  const me = people.find((p) => p.isMe);
  const found = noHubWords(people, location.hostname, (names) => listed(names, words()));
  const key = found ? `${found.title} ${found.fix}` : '';
  if (found === null || away === key || (!visit.isHost.value && me?.hub !== 'no')) return null;
  return (
    <div class="notice" data-tone="slow">
      <Icon name="warn" />
      <p>
        <b>{found.title}</b>
        <span>{found.fix}</span>
      </p>
      <button type="button" class="icon-btn" aria-label={words().app.close} onClick={() => setAway(key)}>
        <Icon name="close" />
      </button>
    </div>
  );
}
