"""Publishes into a room by WHIP, or watches one by WHEP, with GStreamer's webrtcbin. Says in lines of JSON what happens.

Usage: gstreamer.py publish|watch URL. It goes on until its standard input ends, and then deletes its session.
"""

import json
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

SENT = (
    "webrtcbin name=peer bundle-policy=max-bundle "
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 "
    "! vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay picture-id-mode=15-bit "
    "! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! peer. "
    "audiotestsrc is-live=true freq=440 ! audioconvert ! opusenc ! rtpopuspay "
    "! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer."
)
WATCHED = {
    "video": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000,rtcp-fb-nack=true,rtcp-fb-nack-pli=true",
    "audio": "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000",
}


def say(**what):
    print(json.dumps(what), flush=True)


class Peer:
    def __init__(self, mode, url):
        self.url, self.session, self.counts = url, None, {}
        self.pipe = Gst.parse_launch(SENT) if mode == "publish" else Gst.Pipeline.new()
        if mode == "publish":
            self.rtc = self.pipe.get_by_name("peer")
        else:
            self.rtc = Gst.ElementFactory.make("webrtcbin", "peer")
            self.rtc.set_property("bundle-policy", "max-bundle")
            self.pipe.add(self.rtc)
            for caps in WATCHED.values():
                self.rtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps))
        self.rtc.connect("on-negotiation-needed", self.negotiate)
        self.rtc.connect("notify::ice-gathering-state", self.gathered)
        self.rtc.connect("notify::connection-state", self.changed)
        self.rtc.connect("pad-added", self.arrived)

    def negotiate(self, rtc):
        promise = Gst.Promise.new_with_change_func(self.offered)
        rtc.emit("create-offer", None, promise)

    def offered(self, promise):
        reply = promise.get_reply()  # what it holds goes with it
        self.rtc.emit("set-local-description", reply.get_value("offer"), None)

    def gathered(self, rtc, _):
        if rtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE and not self.session:
            self.session = "asked"
            threading.Thread(target=self.ask, daemon=True).start()

    def ask(self):
        """Sends the offer and takes the answer (RFC 9725 §4.2)."""
        offer = self.rtc.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(self.url, offer.encode(), {"Content-Type": "application/sdp"})
        try:
            reply = urllib.request.urlopen(request)
        except urllib.error.HTTPError as refused:
            say(status=refused.code)
            sys.stderr.write(f"{refused.read().decode()}\nto {offer}")
            return
        with reply:
            self.session = urllib.parse.urljoin(self.url, reply.headers["Location"])
            text = reply.read().decode()
        say(status=reply.status)
        _, sdp = GstSdp.SDPMessage.new_from_text(text)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.rtc.emit("set-remote-description", answer, None)

    def changed(self, rtc, _):
        say(state=rtc.get_property("connection-state").value_nick)

    def arrived(self, _, pad):
        """Decodes what comes and counts it."""
        if pad.direction != Gst.PadDirection.SRC:
            return
        decode = Gst.ElementFactory.make("decodebin")
        decode.connect("pad-added", self.decoded)
        self.pipe.add(decode)
        decode.sync_state_with_parent()
        pad.link(decode.get_static_pad("sink"))

    def decoded(self, _, pad):
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("signal-handoffs", True)
        sink.set_property("sync", False)
        sink.connect("handoff", self.count)
        self.pipe.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def count(self, _, buffer, pad):
        shape = pad.get_current_caps().get_structure(0)
        kind = shape.get_name().split("/")[0]
        self.counts[kind] = self.counts.get(kind, 0) + 1
        more = {"width": shape.get_value("width")} if kind == "video" else {"silent": not any(buffer.extract_dup(0, 512))}
        if self.counts[kind] % 10 == 0:
            say(decoded=kind, count=self.counts[kind], **more)

    def end(self, loop):
        sys.stdin.read()
        try:
            with urllib.request.urlopen(urllib.request.Request(self.session, method="DELETE")) as reply:
                say(deleted=reply.status)
        except (urllib.error.HTTPError, ValueError) as refused:
            say(deleted=getattr(refused, "code", -1))
        loop.quit()


Gst.init(None)
peer = Peer(sys.argv[1], sys.argv[2])
loop = GLib.MainLoop()
peer.pipe.set_state(Gst.State.PLAYING)
threading.Thread(target=peer.end, args=(loop,), daemon=True).start()
loop.run()
peer.pipe.set_state(Gst.State.NULL)
