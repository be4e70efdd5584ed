/** Which key does what in a call, and when it must keep its hands off. */

export type KeyAction = 'microphone' | 'camera' | 'hand' | 'talk' | 'help' | 'escape';

export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  target: EventTarget | null;
}

/** Whether a target takes letters, so that no shortcut may steal them. */
export function isTyping(target: EventTarget | null): boolean {
  const element = target as Partial<HTMLElement> & {type?: string};
  if (element?.isContentEditable) return true;
  const tag = element?.tagName?.toLowerCase();
  if (tag === 'textarea' || tag === 'select') return true;
  return tag === 'input' && !['checkbox', 'radio', 'button', 'submit', 'range'].includes(element.type ?? 'text');
}

/** Whether a target is a control of a panel or dialog, where Space keeps its own meaning. */
function ownsSpace(target: EventTarget | null): boolean {
  const element = target as Partial<Element> | null;
  return element?.closest?.('dialog, [role="menu"], [data-panel] :is(button, a, [tabindex="0"]), input') != null;
}

/** What a key press asks for in a call; null when it is not ours. */
export function actionOf(press: Press): KeyAction | null {
  if (press.key === 'Escape') return 'escape';
  if (press.ctrlKey || press.metaKey || press.altKey || isTyping(press.target)) return null;
  switch (press.key) {
    case 'm':
    case 'M':
      return 'microphone';
    case 'v':
    case 'V':
      return 'camera';
    case 'h':
    case 'H':
      return 'hand';
    case '?':
      return 'help';
    case ' ':
      return ownsSpace(press.target) ? null : 'talk';
    default:
      return null;
  }
}
