import {describe, expect, it} from 'vitest';
import {again, back, crossing, direct, make, mine, onHub, seat, toHub, useFakes, waiting} from './hub.fake.js';

useFakes();

describe('a switch to the hub', () => {
  it('sends on both, plays each source as it arrives, says moved, and then is there', async () => {
    const {hub, said, deliver, track, run, pc, notes} = await crossing();
    const own = pc()
      .transceivers.slice(0, 2)
      .map((t) => t.sender.track?.id);
    expect(own).toEqual(['my-sound', 'my-picture']);
    expect(track('B', 'microphone')).toBe('direct-B-microphone');
    await deliver('B', 'microphone');
    expect(track('B', 'microphone')).toMatch(/^place/);
    expect(track('B', 'camera')).toBe('direct-B-camera');
    await deliver('B', 'camera');
    await deliver('C', 'microphone');
    expect(said('moved')).toEqual([]);
    await deliver('C', 'camera');
    expect(said('moved')).toMatchObject([{epoch: 2}]);
    expect(said('moved')[0]).not.toHaveProperty('missing');
    expect(hub.direct).toBe(true);
    hub.update('a', onHub);
    await run(1_000);
    expect(hub.direct).toBe(true); // for what is still under way
    await run(1_000);
    expect(hub.direct).toBe(false);
    expect(track('C', 'camera')).toMatch(/^place/);
    const told = notes.filter(({kind}) => kind === 'switched');
    expect(told).toMatchObject([{switch: {from: 'direct', to: 'hub', epoch: 2, gapMs: 0}}]);
    expect(told[0]?.ms).toBeGreaterThan(0);
  });

  it('believes the control channel, when an answer comes that was overtaken by it', async () => {
    const {hub, roster, run, seats, connect, deliver, track, state} = await waiting();
    state.answers = true;
    roster.update(seat('C'));
    hub.update('a', toHub);
    await run(50);
    await seats(['B', 'C']);
    await connect(['B']); // of before C was on a place
    await deliver('C', 'camera');
    expect(track('C', 'camera')).toMatch(/^place/);
  });

  it('hears the same epoch twice, and a later one that begins it anew', async () => {
    const {hub, said, deliver, run} = await crossing();
    hub.update('a', toHub);
    await deliver('B', 'microphone', 'camera');
    await deliver('C', 'microphone', 'camera');
    hub.update('a', toHub);
    await run(500);
    expect(said('moved')).toHaveLength(1);
    hub.update('a', {...toHub, epoch: 7});
    await run(11_000);
    // Nothing has arrived since, as far as this switch can tell.
    expect(said('moved').at(-1)).toMatchObject({
      epoch: 7,
      missing: [{seat: 'B'}, {seat: 'B'}, {seat: 'C'}, {seat: 'C'}],
    });
  });

  it('is called off: the old path plays on, nothing leaves by the new one, and its link waits', async () => {
    const {hub, deliver, track, run, pc, said} = await crossing();
    await deliver('B', 'microphone');
    hub.update('a', {...direct, epoch: 3});
    expect(track('B', 'microphone')).toBe('direct-B-microphone');
    await run(2_000);
    expect(
      pc()
        .transceivers.slice(0, 2)
        .every((t) => t.sender.track === null),
    ).toBe(true);
    expect(said('close-link')).toEqual([]);
    expect(said('offer').at(-1)).toMatchObject({tracks: []});
  });

  it.each<[string, (all: Awaited<ReturnType<typeof crossing>>) => void, object]>([
    [
      'sound that does not come',
      () => {},
      {
        missing: [
          {seat: 'C', source: 'microphone'},
          {seat: 'C', source: 'camera'},
        ],
      },
    ],
    ['the third who leaves', ({roster}) => void roster.remove('C'), {}],
    ['somebody who is away', ({roster}) => void roster.update(seat('C', {state: 'away'})), {}],
    [
      'a newcomer in the middle',
      ({roster}) => {
        roster.remove('C');
        roster.update(seat('D'));
      },
      {
        missing: [
          {seat: 'D', source: 'microphone'},
          {seat: 'D', source: 'camera'},
        ],
      },
    ],
    [
      'a picture that is not shown',
      ({hub}) => hub.show([{seat: 'B', source: 'camera', width: 320, height: 180}]),
      {missing: [{seat: 'C', source: 'microphone'}]},
    ],
  ])('tells after 10 s of %s', async (_, happen, expected) => {
    const all = await crossing();
    await all.deliver('B', 'microphone', 'camera');
    happen(all);
    await all.run(10_200);
    expect(all.said('moved')).toHaveLength(1);
    expect(all.said('moved')[0]).toMatchObject({epoch: 2, ...expected});
    if (!('missing' in expected)) expect(all.said('moved')[0]).not.toHaveProperty('missing');
  });

  it('survives a server that begins anew: another link, and what was said is said again', async () => {
    const {hub, deliver, said, run, connect, seats, open, pc} = await crossing();
    await deliver('B', 'microphone', 'camera');
    await deliver('C', 'microphone', 'camera');
    expect(said('moved')).toHaveLength(1);
    hub.reset();
    await run(50);
    expect(open()).toHaveLength(2); // the old one goes on until the new one is there
    await connect();
    await seats(['B', 'C']);
    await run(2_000);
    expect(open()).toHaveLength(1);
    expect(pc().transceivers[0]?.sender.track?.id).toBe('my-sound');
    await deliver('B', 'microphone', 'camera');
    await deliver('C', 'microphone', 'camera');
    expect(said('moved')).toMatchObject([{epoch: 2}, {epoch: 2}]);
  });

  it('says that the hub is out of reach before it says what is missing', async () => {
    const all = make(seat('C'));
    all.hub.publish(mine);
    all.hub.update('a', toHub);
    await all.run(9_000);
    const told = all.sent.filter(({type}) => type === 'hub-reach' || type === 'moved');
    expect(told.at(-1)).toMatchObject({type: 'moved', missing: [{}, {}, {}, {}]});
    expect(told.at(-2)).toMatchObject({type: 'hub-reach', ok: false});
  });

  it('of the third goes by the hub alone', async () => {
    const {hub, links, deliver, track, said, roster} = await crossing();
    links.clear();
    expect(track('C', 'microphone')).toMatch(/^place/);
    await deliver('B', 'microphone', 'camera');
    await deliver('C', 'microphone', 'camera');
    expect(said('moved')).toHaveLength(1);
    expect(hub.carrier(roster.get('B') as never, null)).toBeNull(); // data waits for the end of the switch
  });
});

describe('a switch back', () => {
  async function returning() {
    const all = await crossing();
    await all.deliver('B', 'microphone', 'camera');
    await all.deliver('C', 'microphone', 'camera');
    all.hub.update('a', onHub);
    all.links.clear();
    await all.run(2_000);
    all.roster.remove('C');
    all.hub.update('a', back);
    all.sent.length = 0;
    return all;
  }

  it('waits for the direct link, then for what it carries, and lets the hub go in the end', async () => {
    const {hub, straight, deliverDirect, track, said, run, pc} = await returning();
    expect(hub.direct).toBe(true);
    await run(200);
    expect(track('B', 'microphone')).toMatch(/^place/);
    straight('B');
    await deliverDirect('B', 'microphone');
    expect(track('B', 'microphone')).toBe('direct-B-microphone');
    expect(track('B', 'camera')).toMatch(/^place/);
    await deliverDirect('B', 'camera');
    expect(said('moved')).toMatchObject([{epoch: 4}]);
    hub.update('a', again);
    expect(pc().transceivers[0]?.sender.track?.id).toBe('my-sound');
    await run(2_000);
    expect(pc().transceivers[0]?.sender.track).toBeNull();
    expect(said('close-link')).toEqual([]);
    expect(track('B', 'camera')).toBe('direct-B-camera');
  });

  it('fails: the hub stays', async () => {
    const {hub, said, run, track} = await returning();
    await run(9_000);
    expect(said('moved')).toMatchObject([{epoch: 4, missing: [{source: 'microphone'}, {source: 'camera'}]}]);
    expect(said('hub-reach')).toEqual([]);
    hub.update('a', {...onHub, epoch: 5});
    await run(2_000);
    expect(track('B', 'microphone')).toMatch(/^place/);
    expect(hub.direct).toBe(false);
  });
});
