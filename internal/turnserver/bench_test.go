package turnserver

import (
	"net/netip"
	"testing"

	"github.com/parley-rtc/parley/internal/turn"
)

// BenchmarkChannelData sends one packet at a time through the whole shell over loopback, the system calls and wake-ups of both
// ends included: to another client in memory, and to a peer by a relay socket.
func BenchmarkChannelData(b *testing.B) {
	payload := string(make([]byte, 1200))
	frame := append([]byte{0x40, 0, 1200 >> 8, 1200 & 0xff}, payload...)
	buffer := make([]byte, 2000)
	b.Run("memory", func(b *testing.B) {
		h := open(b, Config{})
		ann, bob := h.client("udp", "ann").allocate(1), h.client("udp", "bob").allocate(1)
		if ann.bind(0x4000, bob.relay) != 0 || bob.bind(0x4000, ann.relay) != 0 {
			b.Fatal("no channels")
		}
		b.ReportAllocs()
		for b.Loop() {
			ann.write(frame)
			if n, err := bob.conn.Read(buffer); n != len(frame) || err != nil {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("socket", func(b *testing.B) {
		h := open(b, Config{Engine: turn.Config{
			Ports:  turn.Ports{First: 20000, Last: 28000},
			Policy: turn.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}},
		}})
		peer := listen(b, "127.0.0.2:0")
		ann := h.client("udp", "ann").allocate(1)
		if ann.bind(0x4000, peer.addr) != 0 {
			b.Fatal("no channel")
		}
		b.ReportAllocs()
		for b.Loop() {
			ann.write(frame)
			if n, err := peer.conn.Read(buffer); n != len(payload) || err != nil {
				b.Fatal(n, err)
			}
		}
	})
}
