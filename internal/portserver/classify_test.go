package portserver

import (
	"encoding/binary"
	"testing"
)

// stun is the start of a Binding request.
func stun() []byte {
	return []byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
}

func TestClassify(t *testing.T) {
	want := map[byte]Kind{
		0: STUN, 3: STUN, 4: Unknown, 15: Unknown, 16: Unknown, 19: Unknown, 20: DTLS, 63: DTLS, 64: ChannelData,
		79: ChannelData, 80: Unknown, 127: Unknown, 128: RTP, 191: RTP, 192: Unknown, 255: Unknown,
	}
	for first, kind := range want {
		if got := Classify([]byte{first, 1, 2}); got != kind {
			t.Errorf("%d: %d, want %d", first, got, kind)
		}
	}
	if Classify(nil) != Unknown {
		t.Error("nothing is something")
	}
}

func TestSniff(t *testing.T) {
	framed := append([]byte{0, 20}, stun()...)
	for name, tt := range map[string]struct {
		b    string
		want Protocol
		at   int // the byte that decides
	}{
		"tls 1.0 record":   {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", TLS, 2},
		"tls 1.2 record":   {"\x16\x03\x03\x02\x00\x01\x00\x01\xfc\x03", TLS, 2},
		"not tls":          {"\x16\x04\x03\x02\x00\x01\x00\x01\xfc\x03", Stranger, 2},
		"turn":             {string(stun()), TURN, 8},
		"ice tcp":          {string(framed), ICETCP, 10},
		"get":              {"GET / HTTP/1.1\r\n", HTTP, 1},
		"options":          {"OPTIONS * HTTP/1.1\r\n", HTTP, 1},
		"http2 preface":    {"PRI * HTTP/2.0\r\n", HTTP, 1},
		"zeroes":           {"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", Stranger, 10},
		"ssh in lowercase": {"ssh-2.0", Stranger, 1},
		"binary":           {"\xff\xff", Stranger, 1},
		"channel data":     {"\x40\x00\x00\x04abcd", Stranger, 1},
	} {
		for n := range len(tt.b) + 1 {
			want := tt.want
			if n < tt.at {
				want = Undecided
			}
			if got := Sniff([]byte(tt.b[:n])); got != want {
				t.Errorf("%s, %d bytes: %d, want %d", name, n, got, want)
			}
		}
	}
}

// FuzzSniff: a decision comes within SniffLen bytes, holds whatever follows, and is not TURN without the cookie.
func FuzzSniff(f *testing.F) {
	f.Add(stun())
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Add([]byte{0x16, 3, 1})
	f.Add(append([]byte{0, 20}, stun()...))
	f.Fuzz(func(t *testing.T, b []byte) {
		decided := Undecided
		for n := range len(b) + 1 {
			got := Sniff(b[:n])
			if decided != Undecided && got != decided {
				t.Fatalf("%x: %d, then %d", b[:n], decided, got)
			}
			decided = got
		}
		if len(b) >= SniffLen && decided == Undecided {
			t.Fatalf("%x: undecided", b)
		}
		if decided == TURN && (b[0] > 3 || binary.BigEndian.Uint32(b[4:]) != magicCookie) {
			t.Fatalf("%x is TURN", b)
		}
	})
}

// FuzzClassify: the ranges of RFC 7983, whatever follows the first byte.
func FuzzClassify(f *testing.F) {
	f.Add(stun())
	f.Add([]byte{0x80, 0x60})
	f.Fuzz(func(t *testing.T, b []byte) {
		got := Classify(b)
		if len(b) > 0 && got != Classify(b[:1]) {
			t.Fatalf("%x depends on more than the first byte", b)
		}
		ranges := map[Kind][2]byte{STUN: {0, 3}, DTLS: {20, 63}, ChannelData: {64, 79}, RTP: {128, 191}}
		for kind, r := range ranges {
			if in := len(b) > 0 && b[0] >= r[0] && b[0] <= r[1]; in != (got == kind) {
				t.Fatalf("%x is %d", b, got)
			}
		}
	})
}
