import {useEffect, useState} from 'preact/hooks';

/** A QR code as one path. The encoder comes in a file of its own, after the page stands. */
export function QR({text, label}: {text: string; label: string}) {
  const [code, setCode] = useState<{size: number; path: string} | null>(null);
  useEffect(() => {
    let wanted = true;
    void import('uqr').then(({encode}) => {
      if (!wanted) return;
      const {size, data} = encode(text, {border: 2});
      const cells = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
      setCode({size, path: cells.join('')});
    });
    return () => {
      wanted = false;
    };
  }, [text]);
  return (
    <div class="qr" role="img" aria-label={label}>
      {code && (
        <svg viewBox={`0 0 ${code.size} ${code.size}`} shape-rendering="crispEdges" aria-hidden="true">
          <path d={code.path} />
        </svg>
      )}
    </div>
  );
}
