/**
 * Has a connection with the hub ask for sound that is lost, and repeat its own: browsers do so where both descriptions say
 * NACK for Opus, and none says it by itself, nor is there another way to have it said. The hub repeats the very packet; of
 * what we send it takes no extension that would make two of one (see the hub's side, `internal/sdp`). Between two browsers
 * nobody would see to that, so links with people stay as they are.
 */
export function mend(pc: RTCPeerConnection): void {
  const set = pc.setLocalDescription.bind(pc);
  pc.setLocalDescription = async (given?: RTCLocalSessionDescriptionInit) => {
    if (given || pc.signalingState !== 'stable') return set(given);
    const {sdp = ''} = await pc.createOffer();
    const more = mended(sdp);
    if (more === sdp) return set();
    // A browser that refuses words which are not its own goes on without them.
    return set({type: 'offer', sdp: more}).catch(() => set());
  };
}

/** An offer that says NACK for Opus. Firefox has none for sound: its own stays as it is. */
export function mended(sdp: string): string {
  if (/^o=mozilla/m.test(sdp)) return sdp;
  return sdp.replace(
    /^a=rtpmap:(\d+) opus\/48000\/2\r\n(?!(?:a=(?:rtcp-fb|fmtp):.*\r\n)*a=rtcp-fb:\1 nack\r\n)/gm,
    '$&a=rtcp-fb:$1 nack\r\n',
  );
}
