package sdp_test

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/internal/sdp"
)

// trickled is RFC 9725's example of trickled candidates, restarted the one of a restart as later drafts have it.
const (
	trickled = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n" +
		"a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n" +
		"a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0 ufrag EsAw network-id 1\r\n" +
		"a=end-of-candidates\r\n"
	restarted = "a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n" +
		"a=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n" +
		"a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\r\n"
)

func TestFragment(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       sdp.Fragment
	}{
		{"trickled", trickled, sdp.Fragment{
			ICE:      sdp.ICE{Ufrag: "EsAw", Password: "P2uYro0UCOQ4zxjKXaWCBui1"},
			Sections: []sdp.FragmentSection{{"audio 9 RTP/AVP 0", "0"}}, Candidates: 2, End: true,
		}},
		{"restarted", restarted, sdp.Fragment{
			ICE: sdp.ICE{Ufrag: "ysXw", Password: "vw5LmwG4y/e6dPP/zAP9Gp5k", Trickle: true}, Bundle: []string{"0", "1"},
			Sections: []sdp.FragmentSection{{"audio 9 UDP/TLS/RTP/SAVPF 111", "0"}}, Candidates: 1,
		}},
		{"credentials only", "a=ice-ufrag:ysXw\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k", sdp.Fragment{
			ICE: sdp.ICE{Ufrag: "ysXw", Password: "vw5LmwG4y/e6dPP/zAP9Gp5k"},
		}},
		{"the end only", "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:v\na=end-of-candidates\n\n", sdp.Fragment{
			Sections: []sdp.FragmentSection{{"video 9 UDP/TLS/RTP/SAVPF 96", "v"}}, End: true,
		}},
	} {
		got, err := sdp.ParseFragment(tt.text)
		if err != nil || !reflect.DeepEqual(*got, tt.want) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

// Each fault is told with its line.
func TestFragmentFaults(t *testing.T) {
	for _, tt := range []struct {
		name, from, to string
		line           int
		why            string
	}{
		{"nothing", trickled, "", 0, "empty"},
		{"too long", "m=audio", strings.Repeat("a=x\r\n", sdp.MaxFragment), 0, "longer"},
		{"not a line", "a=mid:0", "mid", 4, "a letter"},
		{"not text", "a=mid:0", "a=mid:\u00e4", 4, "ASCII"},
		{"no mid", "a=mid:0\r\n", "", 0, "a=mid"},
		{"no mid before another", "a=mid:0", "m=video 9 RTP/AVP 0", 4, "a=mid"},
		{"mid outside", "m=audio 9 RTP/AVP 0\r\n", "", 3, "no section"},
		{"mid twice", "a=mid:0", "a=mid:0\r\na=mid:1", 5, "already"},
		{"mid no name", "a=mid:0", "a=mid:<0>", 4, "token"},
		{"bundle no name", "a=ice-ufrag:EsAw", "a=group:BUNDLE <0>\r\na=ice-ufrag:EsAw", 1, "token"},
		{"half a section", "m=audio 9 RTP/AVP 0", "m=audio", 3, "media type"},
		{"many sections", "a=end-of", strings.Repeat("m=audio 9 X 0\r\na=mid:0\r\n", sdp.MaxSections) + "a=end-of", 1029, "sections"},
		{"short fragment", "EsAw\r", "Es\r", 1, "fragment"},
		{"short password", "P2uYro0UCOQ4zxjKXaWCBui1", "P2u", 2, "password"},
		{"no password", "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", "", 0, "together"},
		{"two fragments", "a=mid:0", "a=mid:0\r\na=ice-ufrag:other", 5, "one transport"},
		{"lite", "a=mid:0", "a=mid:0\r\na=ice-lite", 5, "ICE-lite"},
		{"no candidate", "1 udp 2122260223 192.0.2.1 61764 typ", "udp 192.0.2.1 typ", 5, "candidate"},
		{"many candidates", "a=end", strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n", sdp.MaxCandidates) + "a=end", 261, "candidates"},
		{"says nothing", trickled, "a=ice-options:trickle\r\n", 0, "neither"},
	} {
		_, err := sdp.ParseFragment(strings.Replace(trickled, tt.from, tt.to, 1))
		var f *sdp.Fault
		if !errors.As(err, &f) || !strings.Contains(f.Why, tt.why) || f.Line != tt.line {
			t.Errorf("%s: %v, want line %d, %q", tt.name, err, tt.line, tt.why)
		}
	}
}

func TestFragmentAnswer(t *testing.T) {
	f, err := sdp.ParseFragment(restarted)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort("192.0.2.7:8443")
	got := f.Answer(sdp.ICE{Ufrag: "ours", Password: "0b66f472495ef0ccac7bda653ab6be49"}, []sdp.Candidate{{Address: at}, {Address: at, TCP: true}})
	want := "a=ice-lite\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n" +
		"a=ice-ufrag:ours\r\na=ice-pwd:0b66f472495ef0ccac7bda653ab6be49\r\n" +
		"a=candidate:1 1 udp 2130706431 192.0.2.7 8443 typ host\r\n" +
		"a=candidate:2 1 tcp 1520434943 192.0.2.7 8443 typ host tcptype passive\r\na=end-of-candidates\r\n"
	if got != want {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	f.Sections, f.Bundle = nil, nil
	if got := f.Answer(sdp.ICE{Ufrag: "ours", Password: "pw"}, nil); got != "a=ice-lite\r\na=ice-ufrag:ours\r\na=ice-pwd:pw\r\n" {
		t.Errorf("without sections: %q", got)
	}
}

// FuzzFragment: whatever comes is read within its bounds or refused with a reason, and what is read can be answered with a
// fragment that is one line a fact.
func FuzzFragment(f *testing.F) {
	f.Add(trickled)
	f.Add(restarted)
	f.Add("a=ice-ufrag:ysXw\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := sdp.ParseFragment(text)
		if err != nil {
			var fault *sdp.Fault
			if !errors.As(err, &fault) || fault.Why == "" {
				t.Fatalf("no reason: %v", err)
			}
			return
		}
		if len(d.Sections) > sdp.MaxSections || d.Candidates > sdp.MaxCandidates || (d.ICE.Ufrag == "") != (d.ICE.Password == "") {
			t.Fatalf("out of bounds: %+v", d)
		}
		answer := d.Answer(sdp.ICE{Ufrag: "ours", Password: "0b66f472495ef0ccac7bda653ab6be49"}, nil)
		lines := 3
		if len(d.Bundle) > 0 {
			lines++
		}
		if len(d.Sections) > 0 {
			lines += 3
		}
		if n := strings.Count(answer, "\n"); n != lines {
			t.Fatalf("%d lines, want %d: %q", n, lines, answer)
		}
		again, err := sdp.ParseFragment(strings.TrimPrefix(answer, "a=ice-lite\r\n"))
		if err != nil || !reflect.DeepEqual(again.Bundle, d.Bundle) {
			t.Fatalf("what we wrote: %v: %q", err, answer)
		}
	})
}
