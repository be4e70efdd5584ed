import {expect, test, vi} from 'vitest';
import {mend, mended} from './mending.js';

const chromium = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 63 0',
  'a=mid:1',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:63 red/48000/2',
  'a=fmtp:63 111/111',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=mid:2',
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:96 nack',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:3',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  '',
].join('\r\n');

test('every section of sound says NACK, once', () => {
  const offer = mended(chromium);
  expect(offer.match(/a=rtcp-fb:111 nack\r\n/g)).toHaveLength(2);
  expect(offer.replaceAll('a=rtcp-fb:111 nack\r\n', '')).toBe(chromium);
  expect(mended(offer)).toBe(offer);
  const itsOwn = chromium.replaceAll('a=rtcp-fb:111 transport-cc\r\n', '$&a=rtcp-fb:111 nack\r\n');
  expect(mended(itsOwn)).toBe(itsOwn);
});

test('Firefox offers what it can do', () => {
  const firefox = chromium.replace('o=- ', 'o=mozilla...THIS_IS_SDPARTA-99.0 ');
  expect(mended(firefox)).toBe(firefox);
});

test('offers are changed, and nothing else; who refuses that goes on without', async () => {
  const set = vi.fn(async (_?: RTCLocalSessionDescriptionInit) => {});
  const pc = {
    signalingState: 'stable',
    createOffer: async () => ({type: 'offer', sdp: chromium}),
    setLocalDescription: set,
  };
  mend(pc as unknown as RTCPeerConnection);
  const said = async (given?: RTCLocalSessionDescriptionInit) => {
    set.mockClear();
    await (pc.setLocalDescription as typeof set)(given);
    return set.mock.calls.map(([description]) => description);
  };
  expect(await said()).toEqual([{type: 'offer', sdp: mended(chromium)}]);
  expect(await said({type: 'rollback'})).toEqual([{type: 'rollback'}]);
  set.mockRejectedValueOnce(new Error('not mine'));
  expect(await said()).toEqual([{type: 'offer', sdp: mended(chromium)}, undefined]);
  pc.signalingState = 'have-remote-offer';
  expect(await said()).toEqual([undefined]);
  pc.signalingState = 'stable';
  pc.createOffer = async () => ({type: 'offer', sdp: ''});
  expect(await said()).toEqual([undefined]);
});
