package ice

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/pion/stun/v4"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const vectorPassword = "VOkJxbRl1RmTxUk/WvJxBt"

// vectorRequest is RFC 5769 §2.1, a check of a controlled agent.
func vectorRequest(t testing.TB) []byte {
	return unhex(t, `00010058 2112a442 b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74 00240004 6e0001ff
		80290008 932ff9b151263b36 00060009 6576746a3a68367659202020 00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf`)
}

func TestRFC5769Request(t *testing.T) {
	raw := vectorRequest(t)
	m, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Check() || string(m.Ufrag()) != "evtj" || m.priority != 0x6e0001ff || !m.controlled || m.useCandidate || m.unknowns != 0 {
		t.Errorf("%+v", m)
	}
	a, err := New(Credentials{"evtj", vectorPassword}, "h6vY")
	if err != nil {
		t.Fatal(err)
	}
	answer, e := a.HandlePacket(start, where()["wifi"], raw)
	if e != 0 || a.Stats() != (Stats{Conflicts: 1}) {
		t.Errorf("event %b, %+v", e, a.Stats())
	}
	got := read(t, answer, raw, vectorPassword)
	var code stun.ErrorCodeAttribute
	if err := code.GetFrom(got); err != nil || code.Code != stun.CodeRoleConflict || len(code.Reason) != 0 {
		t.Errorf("%v %v", code, err)
	}
}

// TestRFC5769Responses holds the integrity of RFC 5769 §2.2 and §2.3, and the addresses that an answer to them would bear.
func TestRFC5769Responses(t *testing.T) {
	for _, tt := range []struct{ raw, addr, path string }{
		{`0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220 00200008 0001a147e112a643
			00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96`, "00200008 0001a147e112a643", "192.0.2.1:32853"},
		{
			`01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220 00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
			00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c`, "00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
			"[2001:db8:1234:5678:11:2233:4455:6677]:32853",
		},
	} {
		m, err := Parse(unhex(t, tt.raw))
		if err != nil {
			t.Fatal(err)
		}
		if m.Check() {
			t.Error("a response is no check")
		}
		if s := newSigner(vectorPassword); !s.holds(&m) || newSigner("another").holds(&m) {
			t.Error("integrity")
		}
		var a answer
		a.begin(typeBindingSuccess, &m)
		a.address(addrPort(t, tt.path))
		if got, want := hex.EncodeToString(a.buf[headerSize:a.n]), hex.EncodeToString(unhex(t, tt.addr)); got != want {
			t.Errorf("address\n got %s\nwant %s", got, want)
		}
	}
}
