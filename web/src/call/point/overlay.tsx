import {useEffect, useRef, useState} from 'preact/hooks';
import {useVisit} from '../../visit/visit';
import {words} from '../words/words';
import './overlay.css';
import type {Pointers} from './pointers';

/** Where the picture stands in its element, in pixels of the page: a screen is shown whole, so there may be bars. */
function pictureIn(canvas: HTMLCanvasElement): DOMRect | null {
  const video = canvas.parentElement?.querySelector('video');
  if (!video?.videoWidth) return null;
  const box = video.getBoundingClientRect();
  const scale = Math.min(box.width / video.videoWidth, box.height / video.videoHeight);
  const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
  return new DOMRect(box.x + (box.width - width) / 2, box.y + (box.height - height) / 2, width, height);
}

interface OverlayProps {
  pointers: Pointers;
  /** Whose screen it is. */
  screen: string;
  /** Whether I may point here; otherwise the others' pointers are only shown. */
  active: boolean;
}

/** Pointers and lines on a shared screen. */
export function Overlay({pointers, screen, active}: OverlayProps) {
  const visit = useVisit();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [on, setOn] = useState(pointers.on);
  const w = words().point;
  const names = new Map(visit.people.value.map((p) => [p.id, {name: p.name, order: p.order}]));
  const me = visit.people.value.find((p) => p.isMe);
  if (me) names.set('me', {name: '', order: me.order});
  const latest = useRef(names);
  latest.current = names;

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    let frame = 0;
    const draw = (): void => {
      frame = 0;
      paint(element, pointers, screen, latest.current);
      if (!pointers.board.empty) frame = requestAnimationFrame(draw);
    };
    const before = pointers.changed;
    pointers.changed = () => {
      before();
      frame ||= requestAnimationFrame(draw);
    };
    return () => {
      pointers.changed = before;
      cancelAnimationFrame(frame);
    };
  }, [pointers, screen]);

  const at = (e: PointerEvent): [number, number] | null => {
    const picture = canvas.current && pictureIn(canvas.current);
    if (!picture) return null;
    const [x, y] = [(e.clientX - picture.x) / picture.width, (e.clientY - picture.y) / picture.height];
    return x < 0 || x > 1 || y < 0 || y > 1 ? null : [x, y];
  };
  const spot = useRef<[number, number]>([0.5, 0.5]);
  const move = (place: [number, number] | null, drawing: boolean): void => {
    if (!place) return;
    spot.current = place;
    pointers.point(screen, ...place);
    if (drawing) pointers.draw(screen, ...place);
  };

  const listening = active && on;
  return (
    <>
      <canvas
        ref={canvas}
        class="point-board"
        data-on={listening}
        {...(listening && {
          tabIndex: 0,
          role: 'application',
          'aria-label': w.board,
          onPointerMove: (e: PointerEvent) => move(at(e), e.buttons === 1),
          onPointerDown: (e: PointerEvent) => {
            const place = at(e);
            if (!place || e.button !== 0) return;
            (e.currentTarget as Element).setPointerCapture(e.pointerId);
            pointers.begin(screen, ...place);
          },
          onPointerUp: () => pointers.flush(screen),
          onPointerLeave: () => pointers.away(screen),
          onKeyDown: (e: KeyboardEvent) => {
            const step = steps[e.key];
            if (!step) return;
            e.preventDefault();
            const [x, y] = spot.current;
            const next: [number, number] = [clamp(x + step[0]), clamp(y + step[1])];
            if (e.shiftKey) pointers.begin(screen, x, y);
            move(next, e.shiftKey);
            if (e.shiftKey) pointers.flush(screen);
          },
          onBlur: () => pointers.away(screen),
        })}
      />
      {active && (
        <button
          type="button"
          class="btn small point-toggle"
          aria-pressed={on}
          onClick={() => {
            pointers.on = !on;
            setOn(!on);
            if (on) pointers.away(screen);
          }}
        >
          <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d="M12.6 20.6 6 3.7a.6.6 0 0 1 .8-.8l15.8 6.6a.6.6 0 0 1 0 1.1l-6.3 2.4-2.6 6.3a.6.6 0 0 1-1.1 0z" />
          </svg>
          <span>{w.toggle}</span>
        </button>
      )}
    </>
  );
}

const steps: Record<string, [number, number]> = {
  ArrowLeft: [-0.02, 0],
  ArrowRight: [0.02, 0],
  ArrowUp: [0, -0.02],
  ArrowDown: [0, 0.02],
};

function clamp(v: number): number {
  return Math.min(1, Math.max(0, v));
}

type Names = ReadonlyMap<string, {name: string; order: number}>;

/** Each person has a colour of their own, as far apart as a few people need. */
function colour(order: number, strength = 1): string {
  return `oklch(0.8 0.15 ${(62 + order * 137.5) % 360} / ${strength})`;
}

function paint(canvas: HTMLCanvasElement, {board}: Pointers, screen: string, names: Names): void {
  const pen = canvas.getContext('2d');
  const picture = pictureIn(canvas);
  if (!pen) return;
  const box = canvas.getBoundingClientRect();
  const density = devicePixelRatio;
  canvas.width = Math.round(box.width * density); // clears it, too
  canvas.height = Math.round(box.height * density);
  if (!picture) return;
  pen.scale(density, density);
  pen.translate(picture.x - box.x, picture.y - box.y);
  const {spots, lines} = board.seen(screen, performance.now());
  pen.lineWidth = Math.max(2, picture.width / 320);
  pen.lineCap = pen.lineJoin = 'round';
  for (const {seat, points, strength} of lines) {
    pen.strokeStyle = colour(names.get(seat)?.order ?? 0, strength);
    pen.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      pen.lineTo((points[i] ?? 0) * picture.width, (points[i + 1] ?? 0) * picture.height);
    }
    pen.stroke();
  }
  for (const {seat, x, y} of spots) {
    if (seat === 'me') continue; // my own pointer is the system's
    label(pen, names.get(seat), x * picture.width, y * picture.height);
  }
}

function label(
  pen: CanvasRenderingContext2D,
  who: {name: string; order: number} | undefined,
  x: number,
  y: number,
): void {
  if (!who) return; // gone
  pen.fillStyle = colour(who.order);
  pen.beginPath();
  for (const [dx, dy] of [
    [0, 0],
    [5, 16],
    [8, 10],
    [15, 8],
  ]) {
    pen.lineTo(x + (dx ?? 0), y + (dy ?? 0));
  }
  pen.fill();
  pen.font = '600 12px system-ui, sans-serif';
  const name = who.name.length > 24 ? `${who.name.slice(0, 23)}…` : who.name;
  const width = pen.measureText(name).width + 12;
  pen.beginPath();
  pen.roundRect(x + 12, y + 14, width, 20, 6);
  pen.fill();
  pen.fillStyle = '#0e1216';
  pen.fillText(name, x + 18, y + 28);
}
