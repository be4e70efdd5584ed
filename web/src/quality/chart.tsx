/** A small chart of two minutes: own strokes, no axes; the figures beside it are the scale. */

export type Values = readonly (number | null)[];

/** The box that a chart is drawn in; it is stretched to its place, strokes are not. */
const WIDTH = 119;
const HEIGHT = 40;

/** The path of a line through values, with gaps where nothing is known; `top` is the value at the upper edge. */
export function linePath(values: Values, top: number): string {
  let path = '';
  let pen = false;
  values.forEach((value, x) => {
    if (value === null) {
      pen = false;
      return;
    }
    const y = HEIGHT - Math.min(1, Math.max(0, top > 0 ? value / top : 0)) * HEIGHT;
    path += `${pen ? 'L' : 'M'}${x} ${y.toFixed(1)}`;
    // A lone value would be invisible.
    if (!pen && (values[x + 1] ?? null) === null) path += `l.1 0`;
    pen = true;
  });
  return path;
}

/** A round upper edge over all values, so that the scale does not move with every one of them. */
export function topOf(series: readonly Values[], least: number): number {
  const most = Math.max(least, ...series.flatMap((values) => values.map((v) => v ?? 0)));
  const magnitude = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5, 10].find((n) => n * magnitude >= most) ?? 10) * magnitude;
}

interface ChartProps {
  /** Drawn as a full line, then a dashed one. */
  series: readonly Values[];
  /** The upper edge is at least this. */
  least: number;
  /** All that the picture tells, in words. */
  label: string;
}

export function Chart({series, least, label}: ChartProps) {
  const top = topOf(series, least);
  return (
    <svg class="chart" viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path class="chart-ground" d={`M0 ${HEIGHT}H${WIDTH}`} />
      {series.map((values, i) => (
        <path key={i} class="chart-line" data-line={i} d={linePath(values, top)} />
      ))}
    </svg>
  );
}
