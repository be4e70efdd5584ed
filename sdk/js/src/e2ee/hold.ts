/** How many messages of a channel wait for its link to be trusted. */
const maxHeld = 256;

/**
 * Keeps what comes on a channel until its link is trusted: the other side may know before we do. The returned function
 * lets go of it.
 */
export function hold(channel: RTCDataChannel, take: (channel: RTCDataChannel) => void): () => void {
  const held: unknown[] = [];
  channel.binaryType = 'arraybuffer';
  channel.onmessage = ({data}) => {
    if (held.push(data) > maxHeld) channel.close();
  };
  return () => {
    channel.onmessage = null;
    if (channel.readyState === 'closed') return;
    take(channel);
    for (const data of held) channel.dispatchEvent(new MessageEvent('message', {data}));
  };
}
