import {useEffect, useRef} from 'preact/hooks';
import type {Visit} from '../visit/visit';
import {actionOf, isTyping} from './keys';
import {words} from './words/words';

/** The keys of a call: M, V, H, hold-Space, ? and Escape. */
export function useKeys(visit: Visit, acts: Record<'help' | 'hand', () => void>): void {
  const latest = useRef(acts);
  latest.current = acts;
  useEffect(() => {
    const microphone = visit.media.microphone;

    const stopTalking = (): void => {
      if (!visit.talking.value) return;
      visit.talking.value = false;
      microphone.stop();
    };
    const listens = (): boolean => visit.room.me?.role === 'listener';
    const talk = (e: KeyboardEvent): void => {
      if (listens()) return;
      // Space has a meaning here as long as there is a microphone, so it never presses the focused button as well.
      if (microphone.status !== 'on' && microphone.status !== 'muted') return;
      e.preventDefault();
      if (e.repeat || microphone.status === 'on') return;
      visit.talking.value = true;
      void microphone.start();
    };
    const flip = (source: 'microphone' | 'camera'): void => {
      if (listens()) return;
      const on = visit.media[source].status === 'on';
      visit.toggle(source);
      const {say} = words();
      if (source === 'microphone') visit.herald.say(on ? say.micOff : say.micOn);
      else visit.herald.say(on ? say.camOff : say.camOn);
    };
    const down = (e: KeyboardEvent): void => {
      if (e.defaultPrevented || e.isComposing) return;
      const action = document.querySelector('dialog[open]') ? null : actionOf(e);
      if (action === 'talk') talk(e);
      else if (e.repeat) return;
      else if (action === 'help' || action === 'hand') latest.current[action]();
      else if (action === 'escape') visit.panel.value = null;
      else if (action !== null) flip(action);
    };
    const up = (e: KeyboardEvent): void => {
      if (e.key !== ' ') return;
      // A button is pressed when Space comes up.
      if (visit.talking.value || (actionOf(e) === 'talk' && microphone.status === 'on')) e.preventDefault();
      if (!isTyping(e.target) || visit.talking.value) stopTalking();
    };

    window.addEventListener('keydown', down);
    window.addEventListener('keyup', up);
    window.addEventListener('blur', stopTalking);
    return () => {
      stopTalking();
      window.removeEventListener('keydown', down);
      window.removeEventListener('keyup', up);
      window.removeEventListener('blur', stopTalking);
    };
  }, [visit]);
}
