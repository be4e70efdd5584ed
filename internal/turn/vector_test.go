package turn

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/pion/stun/v4"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVectors holds the sample messages of RFC 5769 §2.2-2.4 and RFC 8489 appendix B.1 against the coder and our own parts.
func TestVectors(t *testing.T) {
	for _, tt := range []struct{ name, raw, addr string }{
		{"RFC 5769 §2.2", `0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
			00200008 0001a147e112a643 00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96`, "192.0.2.1:32853"},
		{"RFC 5769 §2.3", `01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
			00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
			00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c`, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := decode(t, unhex(t, tt.raw))
			if !fingerprintHolds(m) || stun.NewShortTermIntegrity("VOkJxbRl1RmTxUk/WvJxBt").Check(m) != nil {
				t.Error("fingerprint or integrity")
			}
			value := get(t, m, stun.AttrXORMappedAddress)
			addr, ok := decodeAddress(value, m.TransactionID)
			if !ok || addr != netip.MustParseAddrPort(tt.addr) {
				t.Errorf("address %s", addr)
			}
			again := make([]byte, addressSize(addr.Addr()))
			encodeAddress(again, addr, m.TransactionID)
			if string(again) != string(value) {
				t.Errorf("encoded %x, want %x", again, value)
			}
			if _, ok := decodeAddress(value[:len(value)-1], m.TransactionID); ok {
				t.Error("a short address is taken")
			}
		})
	}
	t.Run("RFC 5769 §2.4", func(t *testing.T) {
		m := decode(t, unhex(t, `00010060 2112a442 78ad3433c6ad72c029da412e 00060012 e3839ee38388e383aae38383e382afe382b90000
			0015001c 662f2f3439396b39353464364f4c33346f4c39465354767936347341 0014000b 6578616d706c652e6f726700
			00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666`))
		if err := stun.NewLongTermIntegrity("マトリックス", "example.org", "TheMatrIX").Check(m); err != nil {
			t.Error(err)
		}
	})
	t.Run("RFC 8489 B.1", func(t *testing.T) {
		m := decode(t, unhex(t, `00010090 2112a442 78ad3433c6ad72c029da412e
			001e0020 4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704
			00150029 6f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c39465354767936347341000000
			0014000b 6578616d706c652e6f726700 001d0004 00020000
			001c0020 b5c7bf005b6c52a21c51c5e892f819241362 96cb927c43149309278cc6518e65`))
		key := sha256.Sum256([]byte("マトリックス:example.org:TheMatrIX"))
		if !checkSHA256(key[:], m) {
			t.Error("integrity")
		}
	})
}
