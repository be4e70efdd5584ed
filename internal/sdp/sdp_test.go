package sdp_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/sdp"
	pion "github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

func load(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".sdp"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t testing.TB, text string) *sdp.Description {
	t.Helper()
	d, err := sdp.ParseOffer(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sketch is what matters of a section, in one line.
func sketch(s *sdp.Section) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", s.MID, s.Kind, s.Direction)
	for _, c := range s.Codecs {
		if c.Codec == rtp.NoCodec {
			continue
		}
		fmt.Fprintf(&b, " %s:%d", strings.ToLower(c.Name), c.PT)
		if c.RTX != 0 {
			fmt.Fprintf(&b, "+%d", c.RTX)
		}
	}
	for _, src := range s.Sources {
		b.WriteString(" ssrc")
		if src.RTX != 0 {
			b.WriteString("+rtx")
		}
	}
	for _, l := range s.Layers {
		b.WriteString(" rid:" + l.RID)
	}
	if s.SCTPPort != 0 {
		fmt.Fprintf(&b, " sctp:%d %d", s.SCTPPort, s.MaxMessageSize)
	}
	if s.Rejected {
		b.WriteString(" rejected")
	}
	return b.String()
}

// What real offers say, section by section.
func TestOffers(t *testing.T) {
	for name, want := range map[string][]string{
		"chromium-plain": {
			"0 audio sendrecv opus:111 red:63 ssrc",
			"1 video sendrecv vp8:96+97 h264:102+103 h264:104+107 h264:108+109 h264:114+115 h264:116+117 h264:39+40 av1:45+46 vp9:98+99 vp9:100+101 ssrc+rtx",
			"2 application sendrecv sctp:5000 262144",
		},
		"chromium-again": {
			"0 audio sendrecv opus:111 red:63 ssrc",
			"1 video inactive vp8:96+97 h264:102+103 h264:104+107 h264:108+109 h264:114+115 h264:116+117 h264:39+40 av1:45+46 vp9:98+99 vp9:100+101 rejected",
			"2 application sendrecv sctp:5000 262144",
		},
		"firefox-plain": {
			"0 audio sendrecv opus:109 ssrc",
			"1 video sendrecv vp8:120+124 vp9:121+125 av1:99+100 ssrc+rtx",
			"2 application sendrecv sctp:5000 1073741823",
		},
		"firefox-again": {
			"0 audio sendrecv opus:109 ssrc",
			"1 video inactive vp8:120 rejected",
			"2 application sendrecv sctp:5000 1073741823",
		},
		"ffmpeg-whip": {
			"0 audio sendonly opus:111 ssrc",
			"1 video sendonly h264:106 ssrc",
		},
		"gstreamer-whep": { // its sound is "OPUS/48000"
			"video0 video recvonly vp8:96",
			"audio1 audio recvonly opus:97",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := parse(t, load(t, name))
			var got []string
			for i := range d.Sections {
				got = append(got, sketch(&d.Sections[i]))
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if len(d.ICE.Ufrag) < 4 || len(d.ICE.Password) < 22 || len(d.Fingerprints) != 1 || len(d.Fingerprints[0].Sum) != 32 || d.Mixed == (name == "gstreamer-whep") {
				t.Errorf("transport: %+v %+v %v", d.ICE, d.Fingerprints, d.Mixed)
			}
			if want := name != "ffmpeg-whip"; d.ICE.Trickle != want || (d.Setup == sdp.Either) != want || d.Setup.Answer(sdp.Active) != sdp.Active {
				t.Errorf("trickle %v, setup %v", d.ICE.Trickle, d.Setup)
			}
		})
	}
}

// Eight sections on one transport: three layers of a picture, and six places to receive on.
func TestSimulcastOffers(t *testing.T) {
	for _, name := range []string{"chromium-simulcast", "firefox-simulcast"} {
		d := parse(t, load(t, name))
		if len(d.Sections) != 9 || len(d.Bundle) != 9 {
			t.Fatal(name, len(d.Sections), d.Bundle)
		}
		video := &d.Sections[1]
		if fmt.Sprint(video.Layers) != "[{q false} {h false} {f false}]" || video.LayersDirection != sdp.SendOnly {
			t.Error(name, video.Layers)
		}
		if name == "firefox-simulcast" && (len(video.Sources) != 3 || video.Sources[2].RTX == 0) {
			t.Error(video.Sources)
		}
		for _, k := range []rtp.Kind{rtp.MID, rtp.RID, rtp.RepairedRID, rtp.TransportNumber, rtp.AbsSendTime} {
			if video.Extensions[k] == 0 {
				t.Error(name, "has no", k.URI())
			}
		}
		able := sdp.Everything()
		a := video.Agree(&able, sdp.ReceiveOnly)
		if a.Rejected || a.Direction != sdp.ReceiveOnly || len(a.Layers) != 3 || a.LayersDirection != sdp.ReceiveOnly || a.Codecs[0].Codec != rtp.VP8 {
			t.Errorf("%s: %+v", name, a)
		}
		if c := a.Codecs[0]; c.Feedback != sdp.NACK|sdp.PLI|sdp.FIR|sdp.TransportCC || c.RTX == 0 {
			t.Errorf("%s: %+v", name, c)
		}
		if place := d.Sections[3].Agree(&able, sdp.SendReceive); place.Direction != sdp.SendOnly || len(place.Layers) != 0 {
			t.Errorf("%s: place %s %v", name, place.Direction, place.Layers)
		}
	}
}

// answer agrees to all that is offered and writes it.
func answer(t testing.TB, d *sdp.Description) string {
	t.Helper()
	able := sdp.Everything()
	a := sdp.Answer{
		Session: 7, Version: 2,
		ICE:         sdp.ICE{Ufrag: "ourfrag1", Password: "ourpassword0123456789ab"},
		Fingerprint: sdp.Fingerprint{Algorithm: "sha-256", Sum: make([]byte, 32)},
		Setup:       d.Setup.Answer(sdp.Active),
		Candidates: []sdp.Candidate{
			{Address: netip.MustParseAddrPort("192.0.2.1:8443")},
			{Address: netip.MustParseAddrPort("[2001:db8::1]:8443")},
			{Address: netip.MustParseAddrPort("192.0.2.1:8443"), TCP: true},
		},
	}
	for i := range d.Sections {
		s := d.Sections[i].Agree(&able, sdp.SendReceive)
		if s.Direction.Sends() && s.Kind != sdp.Application {
			s.Stream, s.Track = "ann", fmt.Sprint("place", i)
			s.Sources = []sdp.Source{{SSRC: uint32(100 + i), RTX: uint32(1000 + i), CNAME: "ann", Stream: "ann", Track: fmt.Sprint("place", i)}}
		}
		a.Sections = append(a.Sections, s)
	}
	text, err := d.Answer(&a)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Every answer is a description as pion reads it, holds what an ICE-lite answer must, and keeps the sections' order.
func TestAnswers(t *testing.T) {
	names, _ := filepath.Glob("testdata/*.sdp")
	if len(names) < 9 {
		t.Fatal(names)
	}
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".sdp")
		t.Run(name, func(t *testing.T) {
			d := parse(t, load(t, name))
			text := answer(t, d)
			var raw pion.SessionDescription
			if err := raw.UnmarshalString(text); err != nil {
				t.Fatal(err, text)
			}
			if _, lite := raw.Attribute("ice-lite"); !lite || len(raw.MediaDescriptions) != len(d.Sections) {
				t.Fatal(text)
			}
			for i, m := range raw.MediaDescriptions {
				mid, _ := m.Attribute("mid")
				setup, _ := m.Attribute("setup")
				if mid != d.Sections[i].MID || (m.MediaName.Port.Value == 0) != d.Sections[i].Rejected || !d.Sections[i].Rejected && setup != "active" {
					t.Error(i, mid, setup, m.MediaName)
				}
			}
			for _, line := range []string{
				"a=candidate:1 1 udp 2130706431 192.0.2.1 8443 typ host\r\n",
				"a=candidate:3 1 tcp 1520434687 192.0.2.1 8443 typ host tcptype passive\r\n",
				"a=end-of-candidates\r\n",
			} {
				if strings.Count(text, line) != 1 {
					t.Errorf("%d times %q in\n%s", strings.Count(text, line), line, text)
				}
			}
		})
	}
}

// Sound can be asked for again under its own number where that is the same packet again: what the peer sends then carries nothing that
// tells when it left. Where we send, too, these extensions are needed.
func TestRepeatedSound(t *testing.T) {
	chromium := load(t, "chromium-plain")
	nack := strings.Replace(chromium, "a=rtcp-fb:111 transport-cc\r\n", "a=rtcp-fb:111 transport-cc\r\na=rtcp-fb:111 nack\r\n", 1)
	rtx := strings.Replace(nack, "a=rtcp-fb:111 nack\r\n", "a=rtcp-fb:111 nack\r\na=rtpmap:112 rtx/48000/2\r\na=fmtp:112 apt=111\r\n", 1)
	rtx = strings.Replace(rtx, " 111 63", " 111 112 63", 1)
	for _, tt := range []struct {
		name, offer   string
		ours          sdp.Direction
		nack, numbers bool
	}{
		{"not offered", chromium, sdp.ReceiveOnly, false, true},
		{"to us", nack, sdp.ReceiveOnly, true, false},
		{"from us", nack, sdp.SendOnly, true, true},
		{"both ways", nack, sdp.SendReceive, false, true},
		{"to us, in a format of its own", rtx, sdp.ReceiveOnly, true, true},
		{"both ways, in a format of its own", rtx, sdp.SendReceive, true, true},
	} {
		able := sdp.Everything()
		d := parse(t, tt.offer)
		a := d.Sections[0].Agree(&able, tt.ours)
		if a.Rejected || a.Codecs[0].Codec != rtp.Opus {
			t.Fatalf("%s: %+v", tt.name, a)
		}
		feedback := a.Codecs[0].Feedback
		numbers := a.Extensions[rtp.TransportNumber] != 0
		if numbers != (a.Extensions[rtp.AbsSendTime] != 0) || numbers != (feedback&sdp.TransportCC != 0) {
			t.Errorf("%s: half of it: %+v", tt.name, a)
		}
		if got := feedback&sdp.NACK != 0; got != tt.nack || numbers != tt.numbers {
			t.Errorf("%s: NACK %v, numbers %v", tt.name, got, numbers)
		}
		video := d.Sections[1].Agree(&able, tt.ours)
		if video.Extensions[rtp.TransportNumber] == 0 || video.Codecs[0].Feedback&(sdp.NACK|sdp.TransportCC) != sdp.NACK|sdp.TransportCC {
			t.Errorf("%s: the picture has lost something: %+v", tt.name, video.Codecs[0])
		}
	}
}

// An answer to Chromium, whole.
func TestAnswerText(t *testing.T) {
	got := answer(t, parse(t, load(t, "firefox-again")))
	want := strings.ReplaceAll(`v=0
o=- 7 2 IN IP4 127.0.0.1
s=-
t=0 0
a=ice-lite
a=group:BUNDLE 0 2
a=extmap-allow-mixed
a=msid-semantic: WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 109
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=rtcp:9 IN IP4 0.0.0.0
a=rtcp-mux
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=rtpmap:109 opus/48000/2
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=rtcp-fb:109 transport-cc
a=msid:ann place0
a=ssrc-group:FID 100 1000
a=ssrc:100 cname:ann
a=ssrc:100 msid:ann place0
a=ssrc:1000 cname:ann
a=ssrc:1000 msid:ann place0
a=ice-ufrag:ourfrag1
a=ice-pwd:ourpassword0123456789ab
a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00
a=setup:active
a=candidate:1 1 udp 2130706431 192.0.2.1 8443 typ host
a=candidate:2 1 udp 2130706175 2001:db8::1 8443 typ host
a=candidate:3 1 tcp 1520434687 192.0.2.1 8443 typ host tcptype passive
a=end-of-candidates
m=video 0 UDP/TLS/RTP/SAVPF 120
c=IN IP4 0.0.0.0
a=mid:1
a=inactive
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:2
a=sctp-port:5000
a=max-message-size:262144
a=ice-ufrag:ourfrag1
a=ice-pwd:ourpassword0123456789ab
a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00
a=setup:active
`, "\n", "\r\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// pion offers, takes the answer, and sends and receives what it says.
func TestPion(t *testing.T) {
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeVideo} {
		if _, err := pc.AddTransceiverFromKind(kind); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pc.CreateDataChannel("control", nil); err != nil {
		t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	d := parse(t, offer.SDP)
	if len(d.Sections) != 4 || d.Sections[1].Codecs[0].Codec == rtp.NoCodec {
		t.Fatalf("%+v", d)
	}
	text := answer(t, d)
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}); err != nil {
		t.Fatal(err, text)
	}
}

// BenchmarkAnswer reads an offer of nine sections, agrees on each, and writes the answer.
func BenchmarkAnswer(b *testing.B) {
	for _, name := range []string{"chromium-simulcast", "firefox-simulcast", "ffmpeg-whip"} {
		b.Run(name, func(b *testing.B) {
			text := load(b, name)
			b.ReportAllocs()
			for b.Loop() {
				answer(b, parse(b, text))
			}
		})
	}
}
