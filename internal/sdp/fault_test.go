package sdp_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/sdp"
	pion "github.com/pion/sdp/v3"
)

// Each fault is told with its line; what is only unknown or refused does not stand in the way of the rest.
func TestFaults(t *testing.T) {
	good := load(t, "chromium-plain")
	for _, tt := range []struct {
		name, from, to string
		line           int
		why            string // "" means no fault
	}{
		{"nothing", good, "", 0, "empty"},
		{"no section", good, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", 0, "no section"},
		{"too long", "a=extmap-allow-mixed", "a=" + strings.Repeat("x", sdp.MaxSize), 0, "longer"},
		{"not a line", "t=0 0", "hello", 4, "a letter"},
		{"control character", "a=msid-semantic: WMS", "a=msid-\x00", 7, "control"},
		{"not a version", "v=0", "v=1", 1, "v=0"},
		{"many sections", "m=application", strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", 600) + "m=application", 672, "sections"},
		{"short ufrag", "a=ice-ufrag:mIGO", "a=ice-ufrag:mI", 11, "fragment"},
		{"no ufrag at all", "a=ice-ufrag", "a=x-ufrag", 0, "ice-ufrag"},
		{"lite", "a=msid-semantic", "a=ice-lite\r\na=msid-semantic", 7, "ICE-lite"},
		{"weak fingerprint only", "sha-256", "sha-1", 0, "fingerprint"},
		{"broken fingerprint", "a=fingerprint:sha-256 98", "a=fingerprint:sha-256 9", 14, "hash"},
		{"no role", "a=setup:actpass", "a=setup:holdconn", 15, "role"},
		{"no mid", "a=mid:1", "a=x:1", 39, "a=mid"},
		{"same mid", "a=mid:1", "a=mid:0", 47, "another section"},
		{"payload type", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=audio 9 UDP/TLS/RTP/SAVPF 300", 8, "127"},
		{"payload type twice", "m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "m=audio 9 UDP/TLS/RTP/SAVPF 111 111", 8, "twice"},
		{"clock", "a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/fast", 64, "clock"},
		{"extmap", "a=extmap:1 ", "a=extmap:one ", 17, "number"},
		{"ssrc", "a=ssrc:1759733053 cname", "a=ssrc:99999999999 cname", 37, "SSRC"},
		{"sctp port", "a=sctp-port:5000", "a=sctp-port:x", -1, "number"},
		{"lines end with LF", "\r\n", "\n", 0, ""},
		{"an unknown attribute", "a=rtcp-mux", "a=something:else\r\na=rtcp-mux", 0, ""},
		{"an extension we do not know", "urn:3gpp:video-orientation", "urn:example:new", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sdp.ParseOffer(strings.ReplaceAll(good, tt.from, tt.to))
			if tt.why == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var f *sdp.Fault
			if !errors.As(err, &f) || !strings.Contains(f.Why, tt.why) || tt.line >= 0 && f.Line != tt.line {
				t.Errorf("%+v, want line %d, %q", err, tt.line, tt.why)
			}
		})
	}
}

// What cannot be agreed on rejects its section with a reason.
func TestRefusals(t *testing.T) {
	good := load(t, "chromium-plain")
	full := sdp.Everything()
	deaf := full
	deaf.Codecs, deaf.MaxMessageSize = []rtp.Codec{rtp.VP8}, 0
	for _, tt := range []struct {
		name, from, to string
		able           *sdp.Able
		section        int
		why            string
	}{
		{"no common codec", "", "", &deaf, 0, "codec"},
		{"no data", "", "", &deaf, 2, "data channels"},
		{"no rtcp-mux", "a=rtcp-mux", "a=x", &full, 1, "rtcp-mux"},
		{"not of the bundle", "BUNDLE 0 1 2", "BUNDLE 0 2", &full, 1, "BUNDLE"},
		{"without a bundle", "a=group:BUNDLE 0 1 2\r\n", "", &full, 1, "BUNDLE"},
		{"ended", "m=video 9", "m=video 0", &full, 1, "ended"},
		{"plain RTP", "m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/AVP", &full, 0, "DTLS-SRTP"},
		{"old data channels", "UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000", &full, 2, "RFC 8841"},
		{"text", "m=audio 9 UDP/TLS/RTP/SAVPF", "m=text 9 UDP/TLS/RTP/SAVPF", &full, 0, "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, strings.ReplaceAll(good, tt.from, tt.to))
			for i := range d.Sections {
				a := d.Sections[i].Agree(tt.able, sdp.SendReceive)
				if i == tt.section && (!a.Rejected || !strings.Contains(a.Why, tt.why)) {
					t.Errorf("section %d: %q, want %q", i, a.Why, tt.why)
				}
			}
			answer(t, d)
		})
	}
}

func TestRoles(t *testing.T) {
	for _, tt := range [][3]sdp.Setup{
		{sdp.Active, sdp.Active, sdp.Passive}, {sdp.Passive, sdp.Passive, sdp.Active}, {sdp.Either, sdp.Active, sdp.Active}, {sdp.Either, sdp.Passive, sdp.Passive},
	} {
		if got := tt[0].Answer(tt[1]); got != tt[2] {
			t.Error(tt, got)
		}
	}
}

func TestDirections(t *testing.T) {
	for d, want := range map[sdp.Direction]string{sdp.Inactive: "inactive", sdp.SendOnly: "recvonly", sdp.ReceiveOnly: "sendonly", sdp.SendReceive: "sendrecv"} {
		if got := d.Reverse().String(); got != want {
			t.Errorf("reverse of %s is %s", d, got)
		}
	}
}

// An answer that does not fit its offer is not written.
func TestAnswerErrors(t *testing.T) {
	d := parse(t, load(t, "chromium-plain"))
	able := sdp.Everything()
	fit := []sdp.Section{d.Sections[0].Agree(&able, 3), d.Sections[1].Agree(&able, 3), d.Sections[2].Agree(&able, 3)}
	for _, a := range []sdp.Answer{
		{},
		{Sections: []sdp.Section{fit[0], fit[2], fit[1]}},
		{Sections: fit},
		{Sections: fit, ICE: sdp.ICE{Ufrag: "abcd", Password: "0123456789012345678901"}, Fingerprint: sdp.Fingerprint{Algorithm: "sha-256", Sum: make([]byte, 32)}},
	} {
		if text, err := d.Answer(&a); err == nil {
			t.Error("written:", text)
		}
	}
}

// Whatever comes: no panic, and what is understood can be answered with something that pion reads.
func FuzzParseOffer(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.sdp")
	for _, name := range names {
		text, _ := os.ReadFile(name)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := sdp.ParseOffer(text)
		if err != nil {
			var fault *sdp.Fault
			if !errors.As(err, &fault) {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		var raw pion.SessionDescription
		if got := answer(t, d); raw.UnmarshalString(got) != nil {
			t.Fatalf("unreadable answer to %q:\n%s", text, got)
		}
	})
}
