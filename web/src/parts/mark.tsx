/** The mark: two people facing each other, seen from above, and the table between them. */

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M11 7a12.7 12.7 0 0 0 0 18M21 7a12.7 12.7 0 0 1 0 18" />
      <circle cx="16" cy="16" r="3" />
    </svg>
  );
}

/**
 * The mark grown to the size of the page: what is between the arcs is the table. An arc is lit when somebody sits
 * there.
 */
export function Table({you, them}: {you: boolean; them: boolean}) {
  return (
    <div class="table" aria-hidden="true">
      {[you, them].map((lit, side) => (
        <svg key={side === 0 ? 'you' : 'them'} viewBox="0 0 60 200" data-lit={lit} aria-hidden="true">
          <path d="M54 4A117 117 0 0 0 54 196" />
        </svg>
      ))}
    </div>
  );
}
