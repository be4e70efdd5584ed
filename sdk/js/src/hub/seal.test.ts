import {describe, expect, it} from 'vitest';
import type {FakePeerConnection} from '../peerconnection.fake.js';
import type {Seal} from '../veil.js';
import {enter, make, onHub, seat, toHub, useFakes} from './hub.fake.js';

useFakes();

describe('in an encrypted room', () => {
  /** What encrypts, as far as the hub's side asks. */
  function sealing() {
    const owners = new Map<unknown, string>();
    const readers = new Set<string>();
    const [covered, preferred] = [new Map<unknown, string>(), new Set<unknown>()];
    const fake = {
      config: {encodedInsertableStreams: true} as RTCConfiguration,
      prefer: (transceiver: unknown) => void preferred.add(transceiver),
      cover: (transceiver: unknown, session: string) => {
        expect((transceiver as RTCRtpTransceiver).mid).toBeNull(); // nothing may be described before it is sealed
        covered.set(transceiver, session);
      },
      ownerOf: (receiver: unknown) => owners.get(receiver) ?? '',
      reads: (session: string) => readers.has(session),
      channel: (channel: unknown, session: string, seat: string) => ({channel, session, seat}),
    };
    return {seal: fake as unknown as Seal, owners, readers, covered, preferred};
  }

  async function sealed() {
    const all = make(seat('C'));
    const sealer = sealing();
    all.state.seal = sealer.seal;
    await enter(all, onHub);
    return {...all, ...sealer};
  }

  it('makes no link before there is something to seal with', async () => {
    const {state, hub, run, open} = make();
    state.seal = undefined;
    hub.update('a', onHub);
    await run(3_000);
    expect(open()).toHaveLength(0);
    state.seal = sealing().seal;
    await run(100);
    expect(open()).toHaveLength(1);
  });

  it('seals every section as it is made, also those that come later', async () => {
    const {pc, covered, preferred, roster, run} = await sealed();
    expect(pc().configuration).toMatchObject({encodedInsertableStreams: true});
    const check = () => {
      for (const t of pc().transceivers) expect([covered.get(t), preferred.has(t)]).toEqual(['', true]);
      return pc().transceivers.length;
    };
    const before = check();
    for (const id of ['D', 'E', 'F', 'G']) roster.update(seat(id));
    await run(500);
    expect(check()).toBeGreaterThan(before);
  });

  it('shows on a place only whose key opened what came there', async () => {
    const {pc, owners, track, hub, word, roster} = await sealed();
    expect(track('B', 'camera')).toBeNull(); // nothing has come
    for (const t of pc().transceivers) owners.set(t.receiver, 'c');
    expect(track('B', 'camera')).toBeNull(); // the hub says one thing, the key another
    expect(track('C', 'camera')).toMatch(/^place/);
    for (const t of pc().transceivers) owners.set(t.receiver, 'b');
    expect(track('B', 'camera')).toMatch(/^place/);
    expect(track('C', 'camera')).toBeNull();
    // Somebody without a session has no key.
    const mid = pc()
      .transceivers.filter((t) => t.receiver.track.kind === 'video')
      .at(-1)?.mid;
    roster.update(seat('D', {session: ''}));
    word({type: 'places', places: [{mid, seat: 'D', source: 'camera'}]});
    owners.clear();
    expect(track('D', 'camera')).toBeNull();
    expect(hub.carries).toBe(true);
  });

  it('counts as arrived what was opened, and does not wait for strangers', async () => {
    const all = make(seat('C'));
    const {seal, owners} = sealing();
    all.state.seal = seal;
    await enter(all, toHub);
    all.sent.length = 0;
    all.roster.get('C')?.trust('stranger');
    await all.deliver('B', 'microphone', 'camera');
    expect(all.said('moved')).toEqual([]); // packets came that nobody could open
    for (const t of all.pc().transceivers) owners.set(t.receiver, 'b');
    await all.deliver('B', 'microphone', 'camera');
    expect(all.said('moved')).toMatchObject([{epoch: 2}]);
    expect(all.said('moved')[0]).not.toHaveProperty('missing');
  });

  it('carries data for who can open them, sealed, and no word but keys', async () => {
    const {hub, roster, readers, pc, spoken, word} = await sealed();
    const b = roster.get('B') as NonNullable<ReturnType<typeof roster.get>>;
    expect(hub.carrier(b, null)).toBeNull();
    readers.add('b');
    const carrier = hub.carrier(b, null);
    expect(carrier?.open('l', {protocol: 'p'})).toMatchObject({session: 'b', seat: 'B'});
    expect(carrier?.open('l', {protocol: 'p'}, true)).toMatchObject({session: '', seat: ''});
    expect(carrier?.tell('{"type":"quality"}')).toBe(false);
    const control = pc().channels[0] as (typeof FakePeerConnection.prototype.channels)[0];
    control.readyState = 'open';
    expect(carrier?.tell('{"type":"keys","box":"x"}')).toBe(true);
    word({type: 'told', from: 'B', message: {type: 'quality'}});
    word({type: 'told', from: 'B', message: {type: 'keys', box: 'x'}});
    expect(spoken).toEqual([['B', '{"type":"keys","box":"x"}']]);
  });
});
