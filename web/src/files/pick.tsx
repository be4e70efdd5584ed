import type {Sendable} from '@parley-rtc/sdk';
import {chosen} from '@parley-rtc/sdk/files';
import type {ComponentChildren} from 'preact';
import {useRef} from 'preact/hooks';

interface PickProps {
  /** Takes whole folders instead of files. */
  folder?: boolean;
  primary?: boolean;
  children: ComponentChildren;
  take: (items: Sendable[]) => void;
}

/** A button that opens the browser's own list of files. */
export function Pick({folder = false, primary = false, children, take}: PickProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class={primary ? 'btn primary small' : 'btn small'} onClick={() => input.current?.click()}>
        {children}
      </button>
      <input
        type="file"
        multiple
        hidden
        ref={input}
        {...(folder && {webkitdirectory: true})}
        onChange={(e) => {
          const items = chosen(e.currentTarget.files ?? []);
          e.currentTarget.value = ''; // the same file may be chosen again
          take(items);
        }}
      />
    </>
  );
}
