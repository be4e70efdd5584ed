/** A page with nothing but a room: data.test.mjs sends and receives through it. */
import {type Delivery, openRoom, type RoomData} from '@parley-rtc/sdk';

const room = openRoom({room: new URLSearchParams(location.search).get('room') ?? '', client: {name: 'echo'}});
const ends = new Map<string, {data: RoomData; got: (string | number[])[]}>();

/** Opens a label and keeps what comes on it. */
function open(label: string, delivery: Delivery): void {
  const end = {data: room.data(label, delivery), got: [] as (string | number[])[]};
  end.data.on('message', ({data}) => {
    end.got.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
  });
  ends.set(label, end);
}

const of = (label: string) => ends.get(label) ?? {data: null, got: []};

/** Sends texts and bytes one after the other, each as soon as it is taken. */
async function send(label: string, list: (string | number[])[]): Promise<void> {
  for (const item of list) {
    const data = typeof item === 'string' ? item : new Uint8Array(item);
    while (!of(label).data?.send(data)) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Object.assign(window, {
  echo: {
    join: () => room.join('Page'),
    open,
    send,
    reaches: (label: string) => (of(label).data?.open.size ?? 0) > 0,
    got: (label: string) => of(label).got,
  },
});
