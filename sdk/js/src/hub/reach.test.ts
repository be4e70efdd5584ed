import {describe, expect, it} from 'vitest';
import {direct, make, useFakes, waiting} from './hub.fake.js';

useFakes();

describe('whether the hub is reached', () => {
  it('is found out with a link that carries nothing, and told', async () => {
    const {said, pc} = await waiting();
    expect(said('offer')).toMatchObject([{to: 'hub', tracks: [], show: []}]);
    expect(said('hub-reach')).toMatchObject([{ok: true}]);
    expect(pc().transceivers.every((t) => t.sender.track === null)).toBe(true);
  });

  it.each<[string, object | null, string]>([
    ['nothing gets there', null, 'blocked'],
    ['packets get there, and no connection comes of it', {type: 'candidate-pair', responsesReceived: 3}, 'failed'],
  ])('is told when %s', async (_, pair, why) => {
    const {hub, said, run, pc} = make();
    hub.update('a', direct);
    await run(50);
    if (pair) pc().stats.set('pair', pair);
    await run(9_000);
    expect(said('hub-reach')).toEqual([]);
    await run(1_000);
    expect(said('hub-reach')).toMatchObject([{ok: false, why}]);
  });

  it('is looked for without a relay by UDP, at first and at a restart: it has the same address', async () => {
    const {hub, state, run, connect, pc} = make();
    state.servers = [
      {urls: 'stun:hub.test:443'},
      {
        urls: ['turn:hub.test:443?transport=udp', 'turn:hub.test:443?transport=tcp', 'turns:hub.test:443'],
        username: 'u',
      },
    ];
    const left = [{urls: ['turn:hub.test:443?transport=tcp', 'turns:hub.test:443'], username: 'u'}];
    hub.update('a', direct);
    await run(50);
    expect(pc().configuration.iceServers).toEqual(left);
    await connect();
    await run(1_000);
    hub.hurry(true);
    await run(1_900);
    expect(pc().restarts).toBe(0); // what carries the call is mended first
    await run(200);
    expect(pc().restarts).toBe(1);
    expect(pc().configuration.iceServers).toEqual(left);
  });

  it('is told again when the network is another one, and when it is reached late', async () => {
    const {hub, said, run, pong, pc} = await waiting();
    hub.hurry(true);
    await run(2_100);
    expect(pc().restarts).toBe(1);
    expect(said('hub-reach')).toHaveLength(1);
    pong();
    await run(100);
    expect(said('hub-reach')).toMatchObject([{ok: true}, {ok: true}]);
    hub.hurry(true);
    await run(10_500);
    expect(said('hub-reach')).toMatchObject([{ok: true}, {ok: true}, {ok: false}]);
  });

  it('is found out without a link afterwards where a link costs something', async () => {
    const {hub, state, said, run, open} = await waiting();
    state.lavish = false;
    await run(100);
    expect(open()).toHaveLength(0);
    expect(said('close-link')).toMatchObject([{to: 'hub'}]);
    hub.hurry(true);
    await run(100);
    expect(open()).toHaveLength(1);
  });

  it('waits while nothing can be told', async () => {
    const {hub, state, said, run} = make();
    state.online = false;
    hub.update('a', direct);
    await run(20_000);
    expect(said('hub-reach')).toEqual([]);
  });
});
