package ice

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// BenchmarkCheck answers a check that nominates, and the same with pion's coder: what its agent does for it, without its locks.
func BenchmarkCheck(b *testing.B) {
	c := right(0)
	c.nominate = true
	raw := c.build(b)
	path := where()["wifi"]
	b.Run("parley", func(b *testing.B) {
		a := agent(b)
		b.ReportAllocs()
		for b.Loop() {
			if answer, _ := a.HandlePacket(start, path, raw); answer == nil {
				b.Fatal("no answer")
			}
		}
	})
	b.Run("pion", func(b *testing.B) {
		m, integrity := stun.New(), stun.NewShortTermIntegrity(c.password)
		ip := net.IP(path.Peer.Addr().AsSlice())
		b.ReportAllocs()
		for b.Loop() {
			if err := stun.Decode(raw, m); err != nil {
				b.Fatal(err)
			}
			var user stun.Username
			if user.GetFrom(m) != nil || user.String() != c.username || stun.Fingerprint.Check(m) != nil || integrity.Check(m) != nil {
				b.Fatal("refused")
			}
			_, err := stun.Build(m, stun.BindingSuccess, &stun.XORMappedAddress{IP: ip, Port: int(path.Peer.Port())}, integrity, stun.Fingerprint)
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRefuse is what a packet of a flood costs.
func BenchmarkRefuse(b *testing.B) {
	guess := right(0)
	guess.password = "a guess of the password 01"
	stranger := check{username: "nobody:peer", password: guess.password}
	for _, tt := range []struct {
		name string
		raw  []byte
	}{{"wrong password", guess.build(b)}, {"unknown fragment", stranger.build(b)}, {"not STUN", make([]byte, 100)}} {
		b.Run(tt.name, func(b *testing.B) {
			a, path := agent(b), where()["wifi"]
			b.ReportAllocs()
			for b.Loop() {
				if answer, _ := a.HandlePacket(start, path, tt.raw); answer != nil {
					b.Fatal("answered")
				}
			}
		})
	}
}

// BenchmarkSendable is asked for each packet that goes out.
func BenchmarkSendable(b *testing.B) {
	a := agent(b)
	a.HandlePacket(start, where()["wifi"], right(0).build(b))
	now := start.Add(time.Second)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := a.Sendable(now); !ok {
			b.Fatal("not sendable")
		}
	}
}

// TestCheckAllocatesNothing keeps what the benchmarks show, with sixteen paths.
func TestCheckAllocatesNothing(t *testing.T) {
	a := agent(t)
	c := right(0)
	c.nominate = true
	raw := c.build(t)
	now, n, address := start, 0, netip.MustParseAddr("203.0.113.7")
	once := func() {
		n++
		now = now.Add(100 * time.Millisecond)
		path := Path{Peer: netip.AddrPortFrom(address, uint16(n%(MaxPaths+4)))} // some are forgotten and found again
		m, err := Parse(raw)
		if err != nil || string(m.Ufrag()) != credentials[0].Ufrag {
			t.Fatal(err)
		}
		if answer, _ := a.Handle(now, path, &m); answer == nil {
			t.Fatal("no answer")
		}
		if _, ok := a.Sendable(now); !ok || a.Deadline().IsZero() {
			t.Fatal("not sendable")
		}
	}
	for range 2 * MaxPaths {
		once()
	}
	if allocs := testing.AllocsPerRun(1000, once); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
