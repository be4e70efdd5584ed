package portserver

import (
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"testing"
)

// TestSteering: what is steered is bounded, those who came first keep their place, and when the kernel takes no more, what it has
// stays as it is.
func TestSteering(t *testing.T) {
	most := 2 * maxSteered
	told := map[uint32]int{}
	s := newSteering(func(list []heading) error {
		if len(list) > most {
			return errors.New("too long")
		}
		if !slices.IsSortedFunc(list, func(a, b heading) int { return int(int64(a.sender) - int64(b.sender)) }) {
			t.Fatal("not sorted")
		}
		told = map[uint32]int{}
		for _, h := range list {
			told[h.sender] = h.loop
		}
		return nil
	}, steeringKey{}, slog.New(slog.DiscardHandler))
	put := func(from, to, loop int, on bool) {
		for i := from; i < to; i++ {
			s.note(order{heading{uint32(i) * 5_000_000 & senderMask, loop}, on})
		}
		if s.changed() {
			s.apply()
		}
	}
	kept := func(from, to, loop int) {
		t.Helper()
		want := map[uint32]int{}
		for i := from; i < to; i++ {
			want[uint32(i)*5_000_000&senderMask] = loop
		}
		if !maps.Equal(told, want) || !maps.Equal(s.loops, want) || !maps.Equal(s.told, want) {
			t.Fatalf("%d are steered, %d noted, want %d", len(told), len(s.loops), len(want))
		}
	}
	put(0, 10, 1, true)
	kept(0, 10, 1)
	put(0, 10, 2, true)
	kept(0, 10, 2)
	put(0, 10, 1, false) // that is older
	kept(0, 10, 2)
	if put(0, 10, 2, true); s.changed() {
		t.Fatal("nothing new is something new")
	}
	put(10, maxSteered+100, 2, true)
	kept(0, maxSteered, 2)
	put(0, maxSteered, 2, false)
	kept(0, 0, 0)
	most = 300
	put(0, 200, 0, true)
	kept(0, 200, 0)
	put(200, 301, 0, true)
	kept(0, 200, 0)
	put(100, 200, 0, false)
	kept(0, 100, 0)
	put(100, 400, 0, true) // half of what was tried first, and that is taken
	kept(0, maxSteered/2, 0)
	most = -1
	put(0, 100, 0, false)
	put(300, 301, 0, true)
	most = 300
	put(100, 101, 0, false) // what was refused is made good
	kept(101, maxSteered/2, 0)
}

// TestSender: sources have numbers of their own, the same however they are written, and others under another key.
func TestSender(t *testing.T) {
	a, b := steeringKey{7, 0x9e3779b1}, steeringKey{8, 0x9e3779b1}
	seen, same := map[uint32]bool{}, 0
	for _, host := range []string{"192.0.2.1", "192.0.2.2", "10.0.0.1", "2001:db8::1", "2001:db8::2", "2001:db8:1::1"} {
		for port := range uint16(100) {
			src := netip.AddrPortFrom(netip.MustParseAddr(host), 40_000+port)
			n := a.sender(src)
			if n != a.sender(netip.AddrPortFrom(netip.AddrFrom16(src.Addr().As16()), src.Port())) || n > senderMask {
				t.Errorf("%v: %#x", src, n)
			}
			if n == b.sender(src) {
				same++
			}
			seen[n] = true
		}
	}
	if len(seen) < 599 || same > 1 {
		t.Errorf("600 sources have %d numbers, and %d the same under another key", len(seen), same)
	}
}

// TestSteerWithoutSteering: an order that nobody can follow costs nothing.
func TestSteerWithoutSteering(t *testing.T) {
	s := start(t, Config{Address: "127.0.0.1:0"})
	s.Steer(netip.MustParseAddrPort("192.0.2.1:5"), 0)
	if s.Unsteer(netip.MustParseAddrPort("192.0.2.1:5"), 0); s.Steers() {
		t.Error("one loop is steered")
	}
}
