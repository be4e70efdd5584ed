/**
 * Pong for two over a data channel that sends nothing twice: the whole of what a game needs of Parley is `openRoom`,
 * `join` and `data`. The one who came first keeps the ball; both send what they have sixty times a second.
 */
import {openRoom} from '@parley-rtc/sdk';
import {court, newGame, step, within} from './game';
import {Line} from './line';
import {read, write} from './packet';

const tick = 1_000 / 60;
const byId = (id: string) => document.getElementById(id) as HTMLElement;
const canvas = byId('court') as HTMLCanvasElement;
const name = new URLSearchParams(location.search).get('room') ?? '';
if (!/^[a-z0-9_-]{1,64}$/.test(name)) {
  location.search = `?room=pong-${Math.random().toString(36).slice(2, 8)}`;
}

const room = openRoom({room: name, client: {name: 'pong'}});
const data = room.data('pong', {ordered: false, maxRetransmits: 0});
const game = newGame();
let line = new Line();
let sent = 0;
let mine = 0.3;
const keys = {ArrowUp: -1, ArrowDown: 1} as Record<string, number>;
let held = 0;

/** Whether I came first: then I keep the ball and play on the left. */
const keeps = () => room.people.find((p) => p.state !== 'waiting')?.isMe ?? true;

data.on('message', ({data}) => {
  const packet = read(data);
  if (!packet || !line.take(packet, performance.now())) return;
  if (packet.game) Object.assign(game, packet.game);
  game.paddles[keeps() ? 1 : 0] = within(packet.paddle);
});
data.on('open', () => {
  line = new Line();
});

let last = performance.now();
setInterval(() => {
  const now = performance.now();
  const seconds = Math.min(0.1, (now - last) / 1_000);
  last = now;
  mine = within(mine + held * seconds * 0.6);
  game.paddles[keeps() ? 0 : 1] = mine;
  if (data.open.size > 0) step(game, seconds); // the other side's word comes over it
  const {at, came} = line.echo;
  const echo = at ? {echo: at, held: now - came} : {echo: 0, held: 0};
  data.send(write({n: ++sent, at: now, ...echo, paddle: mine, game: keeps() ? game : null}));
}, tick);

requestAnimationFrame(function draw() {
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.setTransform(canvas.width, 0, 0, canvas.width, 0, 0);
  pen.clearRect(0, 0, 1, 1);
  pen.fillStyle = '#39424c';
  pen.fillRect(0.498, 0, 0.004, court.height);
  pen.fillStyle = '#e8ebee';
  for (const [side, y] of game.paddles.entries()) {
    pen.fillRect(side ? 1 - court.edge : court.edge - 0.012, y - court.paddle / 2, 0.012, court.paddle);
  }
  pen.fillStyle = '#f2a65a';
  pen.beginPath();
  pen.arc(game.x, game.y, court.ball, 0, 2 * Math.PI);
  pen.fill();
  requestAnimationFrame(draw);
});

setInterval(() => {
  const latency = line.latency();
  byId('score').textContent = game.score.join(' : ');
  byId('latency').textContent = latency ? `${latency.middle.toFixed(1)} ms` : '–';
  byId('worst').textContent = latency ? `${latency.worst.toFixed(1)} ms` : '–';
  byId('rate').textContent = latency ? `${Math.round(line.rate(performance.now()))}/s` : '–';
  byId('lost').textContent = latency ? `${(100 * line.lost()).toFixed(1)} %` : '–';
}, 500);

const tell = () => {
  byId('line').textContent =
    room.status === 'ended'
      ? 'The game is over. Reload to play again.'
      : room.status !== 'joined'
        ? 'Reaching the server…'
        : data.open.size > 0
          ? `You play on the ${keeps() ? 'left' : 'right'}. Arrow keys, mouse or finger move your paddle.`
          : 'Open this page’s address in a second window: that is the other player.';
};
room.on('status', tell);
room.on('people', tell);
data.on('open', tell);
data.on('close', tell);

addEventListener('keydown', (e) => {
  if (!(e.key in keys)) return;
  e.preventDefault();
  held = keys[e.key] ?? 0;
});
addEventListener('keyup', (e) => {
  if (keys[e.key] === held) held = 0;
});
canvas.addEventListener('pointermove', (e) => {
  const box = canvas.getBoundingClientRect();
  mine = within(((e.clientY - box.y) / box.height) * court.height);
});

room.join(room.previous?.name ?? 'Player').catch((error: Error) => {
  byId('line').textContent = error.message;
});
