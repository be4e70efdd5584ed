let frame: HTMLIFrameElement | null = null;

/**
 * RTCPeerConnection as an empty frame without camera and microphone has it. Browsers hide the machine's addresses from
 * such a frame, so its sockets are bound to no interface: they take whatever way the system has at the moment. Those of
 * the page are bound to the interfaces that the browser knows of, and Chromium learns of a new one only after seconds.
 */
export function unbound(): typeof RTCPeerConnection {
  if (!frame?.isConnected && globalThis.document?.body) {
    frame = document.createElement('iframe');
    frame.allow = "camera 'none'; microphone 'none'";
    frame.hidden = true;
    frame.title = '';
    frame.setAttribute('aria-hidden', 'true');
    document.body.append(frame);
  }
  const inside = frame?.contentWindow as (Window & {RTCPeerConnection?: typeof RTCPeerConnection}) | null | undefined;
  return inside?.RTCPeerConnection ?? RTCPeerConnection;
}
