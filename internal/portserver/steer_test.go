package portserver

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
)

// TestSteeringForgets: what is kept is bounded, the newest of it, and half as much after the kernel has refused it.
func TestSteeringForgets(t *testing.T) {
	most := 2000
	var told []heading
	s := newSteering(func(h []heading) error {
		if len(h) > most {
			return errors.New("too long")
		}
		told = h
		return nil
	})
	put := func(from, to int) {
		for i := from; i < to; i++ {
			s.note(order{heading{uint32(i), i % 3}, true})
		}
		s.apply()
	}
	kept := func(from, to int) {
		t.Helper()
		if len(told) != to-from || told[0].sender != uint32(from) || len(s.loops) != len(s.oldest) {
			t.Fatalf("%d are kept from %v on, %d in order, want %d to %d", len(told), told[:min(1, len(told))], len(s.oldest), from, to)
		}
		for i, h := range told {
			if h != (heading{uint32(from + i), (from + i) % 3}) {
				t.Fatalf("%v", h)
			}
		}
	}
	put(0, 10)
	kept(0, 10)
	put(5, 3000)
	kept(3000-maxSteered, 3000)
	most = 300
	put(3000, 3001)
	kept(3001-256, 3001)
	put(3001, 4000)
	kept(4000-256, 4000)
	for _, sender := range slices.Clone(s.oldest) {
		s.note(order{heading{sender, (int(sender) + 1) % 3}, false}) // not that one's
		if s.loops[sender] != int(sender)%3 {
			t.Fatal("an older order took a newer one back")
		}
		s.note(order{heading{sender, int(sender) % 3}, false})
		s.note(order{heading{sender, int(sender) % 3}, false})
	}
	s.apply()
	if len(told) != 0 || len(s.oldest) != 0 || len(s.loops) != 0 {
		t.Fatal("headings that nobody wants are kept")
	}
}

// TestSteerWithoutSteering: an order that nobody can follow costs nothing.
func TestSteerWithoutSteering(t *testing.T) {
	s := start(t, Config{Address: "127.0.0.1:0"})
	s.Steer(netip.MustParseAddrPort("192.0.2.1:5"), 0)
}
