import {describe, expect, it} from 'vitest';
import type {FakePeerConnection} from '../peerconnection.fake.js';
import {make, mine, onHub, seat, settled, told, useFakes, waiting} from './hub.fake.js';

useFakes();

/** The places for pictures. */
const pictures = ({transceivers}: FakePeerConnection) =>
  transceivers.filter((t) => t.receiver.track.kind === 'video' && t.direction === 'recvonly');

describe('on the hub', () => {
  it('names what may be sent, and asks for everybody until the app says what it shows', async () => {
    const all = await settled();
    expect(all.said('offer')[0]).toMatchObject({
      tracks: [{source: 'microphone'}, {source: 'camera'}],
      show: [
        {seat: 'B', source: 'camera', width: 640, height: 360},
        {seat: 'C', source: 'camera', width: 640, height: 360},
      ],
    });
    all.hub.show([
      {seat: 'C', source: 'camera', width: 1280, height: 720},
      {seat: 'X', source: 'camera', width: 9, height: 9},
    ]);
    await all.run(300);
    expect(told(all, 'show').at(-1).show).toMatchObject([{seat: 'C', width: 1280, height: 720}]);
    const count = told(all, 'show').length;
    all.hub.show([{seat: 'C', source: 'camera', width: 1300, height: 720}]); // not worth a word
    await all.run(300);
    expect(told(all, 'show')).toHaveLength(count);
  });

  it('makes places as more is shown', async () => {
    const all = await settled();
    for (const id of ['D', 'E', 'F', 'G']) all.roster.update(seat(id));
    await all.run(300);
    const offers = all.said('offer');
    expect(offers).toHaveLength(2);
    expect(offers[1]?.show).toHaveLength(6);
  });

  it('makes no more places than are shown, however long an answer takes', async () => {
    const all = await waiting();
    all.state.answers = true;
    for (const id of ['C', 'D', 'E', 'F', 'G']) all.roster.update(seat(id));
    all.hub.update('a', onHub);
    await all.run(300);
    expect(pictures(all.pc())).toHaveLength(8);
    for (const id of ['H', 'I', 'J']) all.roster.update(seat(id));
    await all.run(3_000);
    expect(all.pc().signalingState).toBe('have-local-offer'); // those that are missing have to wait for it
    expect(pictures(all.pc())).toHaveLength(12);
    await all.connect();
    await all.run(300);
    expect(all.said('offer').at(-1)?.show).toHaveLength(9);
    expect(pictures(all.pc())).toHaveLength(12);
  });

  it('has places for everybody who is shown in its first offer', async () => {
    const all = make(...['C', 'D', 'E', 'F', 'G', 'H'].map((id) => seat(id)));
    all.hub.update('a', onHub);
    await all.run(300);
    expect(all.said('offer')).toHaveLength(1);
    expect(all.said('offer')[0]?.show).toHaveLength(7);
    await all.connect();
    await all.run(300);
    expect(all.said('offer')).toHaveLength(1);
    expect(pictures(all.pc())).toHaveLength(8);
  });

  it('turns off what nobody needs, and on again', async () => {
    const all = await settled();
    await all.run(100);
    const camera = all.pc().transceivers[1];
    expect(camera?.encodings.map(({rid, active}) => [rid, active])).toEqual([
      ['l', true],
      ['m', true],
      ['h', true],
    ]);
    all.word({type: 'layers', layers: [{mid: '1', rids: ['l']}]});
    await all.run(100);
    expect(camera?.encodings.map(({active}) => active)).toEqual([true, false, false]);
    all.word({type: 'layers', layers: [{mid: '1', rids: ['l', 'm', 'h']}]});
    await all.run(100);
    expect(camera?.encodings.map(({active}) => active)).toEqual([true, true, true]);
  });

  it('sends sound that went off and on again while the browser was busy', async () => {
    const all = await settled();
    const {sender} = all.pc().transceivers[0] as FakePeerConnection['transceivers'][0];
    const queue: (() => void)[] = []; // what waits for a negotiation to end
    sender.replaceTrack = (track) =>
      new Promise((done) => {
        queue.push(() => {
          sender.track = track;
          done();
        });
      });
    all.hub.publish(new Map());
    all.hub.publish(mine);
    for (const go of queue) go();
    expect(sender.track?.id).toBe('my-sound');
  });

  it('tries again to send what could not be sent', async () => {
    const all = await settled();
    const {sender} = all.pc().transceivers[0] as FakePeerConnection['transceivers'][0];
    const {replaceTrack} = sender;
    all.hub.publish(new Map());
    sender.replaceTrack = async () => {
      throw new Error('no');
    };
    all.hub.publish(mine);
    await all.run(50);
    sender.replaceTrack = replaceTrack;
    all.hub.publish(mine);
    await all.run(50);
    expect(sender.track?.id).toBe('my-sound');
  });

  it('tells who speaks, whose network is bad, and why a picture is held', async () => {
    const all = await settled();
    all.word({type: 'speakers', speakers: ['C', 'B']});
    expect(all.state.speakers).toEqual(['C', 'B']);
    const bob = all.roster.get('B');
    all.word({type: 'network', seats: [{seat: 'B', level: 0, why: 'upload'}]});
    expect(bob?.network).toEqual({level: 0, why: 'upload'});
    all.word({type: 'network', seats: [{seat: 'B', level: 2, why: 'upload'}]});
    expect(bob?.network).toBeNull();
    const mid = all.pc().transceivers.find((t) => t.receiver.track.kind === 'video' && t.direction === 'recvonly')?.mid;
    all.word({type: 'places', places: [{mid, seat: 'B', source: 'camera', paused: 'bandwidth'}]});
    bob?.connect(all.hub.way(bob), 'connecting');
    expect(bob?.held('camera')).toBe('bandwidth');
    expect(bob?.held('screen')).toBeNull();
    all.word({type: 'places', places: 'nonsense'});
    all.word([]);
    all.control(all.pc())?.onmessage?.({data: '{'});
  });

  it('makes another link when it is refused, later and later', async () => {
    const all = make(seat('C'));
    all.hub.update('a', onHub);
    const times: number[] = [];
    for (let i = 0; i < 4; i++) {
      await all.run(50);
      for (let waited = 0; all.open().length === 0 && waited < 30_000; waited += 50) await all.run(50);
      times.push(performance.now());
      expect(all.hub.refused(all.said('offer').at(-1)?.n as number)).toBe(true);
    }
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(gaps[2]).toBeGreaterThan(2 * (gaps[0] as number));
    expect(all.hub.refused(999)).toBe(false);
  });

  it('begins ICE anew when the hub is silent, then makes another link beside it', async () => {
    const all = await settled();
    const first = all.pc();
    await all.run(1_500);
    all.state.answers = false;
    await all.run(4_000);
    expect(first.restarts).toBeGreaterThan(0);
    expect(all.notes.map(({kind}) => kind)).toContain('stalled');
    await all.run(6_000);
    expect(all.open().length).toBe(2);
    await all.connect([], all.pc());
    expect(all.pc()).not.toBe(first);
    await all.run(2_000);
    expect(first.closed).toBe(true);
    expect(all.notes.map(({kind}) => kind)).toContain('recovered');
  });

  it.each<[string, (all: Awaited<ReturnType<typeof settled>>, link: string, other: string) => void]>([
    ['is given up by the hub', ({hub}, link) => hub.receive({type: 'close-link', from: 'hub', link})],
    [
      'and the other one are given up by the hub',
      ({hub}, ...links) => links.reverse().forEach((link) => void hub.receive({type: 'close-link', from: 'hub', link})),
    ],
    ['breaks', ({open}) => open()[0]?.channels[0]?.onclose?.()],
  ])('suspects the network no longer when a silent link %s', async (_, happen) => {
    const all = await settled();
    await all.run(1_500);
    all.state.answers = false;
    await all.run(6_500);
    const [link, other] = all.said('offer').map((m) => m.link as string) as [string, string];
    expect(all.state.suspected).toBe(true);
    expect(all.open()).toHaveLength(2); // another one has been begun beside it
    happen(all, link, other);
    all.state.answers = true;
    await all.run(2_000);
    await all.connect();
    await all.run(2_000);
    expect(all.open()).toHaveLength(1);
    expect(all.state.suspected).toBe(false);
  });

  it('leaves the suspicion of others alone when a link ends that had lost nothing', async () => {
    const all = await waiting();
    all.state.suspected = true; // by the direct link
    all.hub.receive({type: 'close-link', from: 'hub', link: all.said('offer')[0]?.link as string});
    expect(all.open()).toHaveLength(0);
    expect(all.state.suspected).toBe(true);
  });

  it('forgets everything with the session', async () => {
    const all = await settled();
    const first = all.pc();
    all.hub.update('a2', onHub);
    expect(first.closed).toBe(true);
    await all.run(50);
    expect(all.open()).toHaveLength(1);
    all.hub.update('', null);
    expect(all.open()).toHaveLength(0);
  });
});
