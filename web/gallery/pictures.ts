/** Pictures for the fakes: drawn people and a drawn screen, as live tracks. */

interface Look {
  wall: string;
  floor: string;
  shirt: string;
  skin: string;
  hair: string;
  lamp: string;
}

const LOOKS: Record<string, Look> = {
  me: {wall: '#c9b8a4', floor: '#a8937c', shirt: '#39556b', skin: '#d8a888', hair: '#3a2a22', lamp: '#f3dcae'},
  ann: {wall: '#8fa7ab', floor: '#71898d', shirt: '#a8523c', skin: '#b98262', hair: '#1f1a1a', lamp: '#f6ead2'},
  ben: {wall: '#b7bfae', floor: '#96a08b', shirt: '#2f4a3d', skin: '#e3b99b', hair: '#8a5a34', lamp: '#fff3d6'},
};

/** A person before a wall, as a camera track. */
export function cameraTrack(look: keyof typeof LOOKS, width = 1280, height = 720): MediaStreamTrack {
  const colours = LOOKS[look] ?? (LOOKS.me as Look);
  return live(width, height, (c, t) => drawPerson(c, width, height, colours, t));
}

/** A document, as a screen track. */
export function screenTrack(): MediaStreamTrack {
  return live(1600, 1000, (c) => drawDocument(c));
}

function live(width: number, height: number, draw: (c: CanvasRenderingContext2D, t: number) => void): MediaStreamTrack {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('gallery: no canvas');
  const next = (): void => draw(context, performance.now() / 1000);
  next();
  setInterval(next, 200);
  const track = canvas.captureStream(5).getVideoTracks()[0];
  if (track === undefined) throw new Error('gallery: no track');
  return track;
}

function drawPerson(c: CanvasRenderingContext2D, w: number, h: number, k: Look, t: number): void {
  const u = Math.min(w, h * 1.2) / 10;
  const x = w / 2 + Math.sin(t / 2) * u * 0.05;
  const y = h * 0.5;
  c.fillStyle = k.wall;
  c.fillRect(0, 0, w, h);
  c.fillStyle = k.floor;
  c.fillRect(0, h * 0.82, w, h * 0.18);
  c.fillStyle = k.lamp;
  c.fillRect(w * 0.06, h * 0.1, w * 0.2, h * 0.42);
  c.fillStyle = k.floor;
  c.fillRect(w * 0.155, h * 0.1, w * 0.008, h * 0.42);
  for (let i = 0; i < 7; i++) {
    c.fillStyle = [k.shirt, k.hair, k.lamp, k.floor][i % 4] ?? k.floor;
    c.fillRect(w * 0.76 + i * u * 0.24, h * 0.3 - (i % 3) * u * 0.12, u * 0.19, u + (i % 3) * u * 0.12);
  }
  c.fillStyle = k.hair;
  c.fillRect(w * 0.74, h * 0.3 + u, u * 2.1, u * 0.1);

  c.fillStyle = k.hair;
  round(c, x, y - u * 0.55, u * 1.42, u * 1.65);
  c.fillStyle = k.shirt;
  c.beginPath();
  c.moveTo(x - u * 2.9, h);
  c.bezierCurveTo(x - u * 2.7, y + u * 1.4, x - u * 1.4, y + u * 1.35, x, y + u * 1.35);
  c.bezierCurveTo(x + u * 1.4, y + u * 1.35, x + u * 2.7, y + u * 1.4, x + u * 2.9, h);
  c.fill();
  c.fillStyle = k.skin;
  c.fillRect(x - u * 0.5, y + u * 0.5, u, u * 1.1);
  round(c, x, y + u * 1.5, u * 0.55, u * 0.4);
  round(c, x, y - u * 0.25, u * 1.08, u * 1.38);
  c.fillStyle = k.hair;
  c.beginPath();
  c.ellipse(x, y - u * 0.85, u * 1.2, u * 0.85, 0, Math.PI * 0.96, Math.PI * 2.04);
  c.fill();
  for (const side of [-1, 1]) round(c, x + side * u * 0.42, y - u * 0.25, u * 0.09, u * 0.12);
  c.strokeStyle = k.hair;
  c.lineWidth = u * 0.07;
  c.beginPath();
  c.arc(x, y + u * 0.3, u * 0.4, Math.PI * 0.15, Math.PI * 0.85);
  c.stroke();
}

function round(c: CanvasRenderingContext2D, x: number, y: number, rx: number, ry: number): void {
  c.beginPath();
  c.ellipse(x, y, rx, ry, 0, 0, Math.PI * 2);
  c.fill();
}

function drawDocument(c: CanvasRenderingContext2D): void {
  c.fillStyle = '#fbfaf8';
  c.fillRect(0, 0, 1600, 1000);
  c.fillStyle = '#e8e4de';
  c.fillRect(0, 0, 1600, 64);
  c.fillStyle = '#22272c';
  c.font = '600 56px system-ui, sans-serif';
  c.fillText('Garden plan, second draft', 120, 190);
  c.font = '30px system-ui, sans-serif';
  const lines = [
    'Beds along the south wall, apples to the east.',
    'Water comes from the rain tank behind the shed.',
    'The bench stays where the evening sun is.',
  ];
  lines.forEach((line, i) => {
    c.fillText(line, 120, 270 + i * 50);
  });
  ['#c98b4f', '#6f8f6a', '#8fa7ab', '#d9cfc0'].forEach((colour, i) => {
    c.fillStyle = colour;
    c.fillRect(120 + i * 340, 470, 300, 380 - i * 60);
  });
}
