import {initials} from '../logic/numbers';

/** Stands for a person whose camera is off. */
export function Avatar({name}: {name: string}) {
  return (
    <span class="avatar" aria-hidden="true">
      {initials(name)}
    </span>
  );
}
