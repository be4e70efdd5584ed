package netsim

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func port(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// home is a host behind a NAT, and two on the internet.
type home struct {
	n             *Network
	nat           *NAT
	inside, a, b  *Interface
	now           time.Time
	here, at, and netip.AddrPort
}

func newHome(kind Kind) *home {
	n := New(1)
	h := &home{n: n, nat: n.NAT(netip.MustParseAddr("6.0.0.1"), kind), now: start}
	h.inside = n.Attach("eth0", netip.MustParseAddr("10.0.0.2"), h.nat)
	h.a = n.Attach("a", netip.MustParseAddr("5.0.0.1"), nil)
	h.b = n.Attach("b", netip.MustParseAddr("5.0.0.2"), nil)
	h.here, h.at, h.and = port("10.0.0.2:1000"), port("5.0.0.1:53"), port("5.0.0.2:53")
	return h
}

// pass sends a packet and returns what arrives a second later.
func (h *home) pass(t *testing.T, i *Interface, p Packet) []Delivery {
	t.Helper()
	if err := i.Send(h.now, p); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(time.Second)
	return h.n.Deliver(h.now)
}

// from sends from inside and returns the address that the receiver sees.
func (h *home) from(t *testing.T, to netip.AddrPort) netip.AddrPort {
	t.Helper()
	got := h.pass(t, h.inside, Packet{Src: h.here, Dst: to})
	if len(got) != 1 {
		t.Fatalf("%d packets arrived", len(got))
	}
	return got[0].Packet.Src
}

func TestKindsOfNATs(t *testing.T) {
	for _, tt := range []struct {
		kind                      Kind
		same                      bool // one outer port for all
		stranger, other, answered bool // who gets in: one who was sent nothing, another port of one who was, the one who was
	}{
		{FullCone, true, true, true, true},
		{PortRestricted, true, false, false, true},
		{Symmetric, false, false, false, true},
	} {
		h := newHome(tt.kind)
		one := h.from(t, h.at)
		in := func(i *Interface, src netip.AddrPort) bool {
			got := h.pass(t, i, Packet{Src: src, Dst: one})
			return len(got) == 1 && got[0].To == h.inside && got[0].Packet.Dst == h.here
		}
		if got := in(h.b, h.and); got != tt.stranger {
			t.Errorf("kind %d: a stranger gets in: %v", tt.kind, got)
		}
		if got := in(h.a, port("5.0.0.1:54")); got != tt.other {
			t.Errorf("kind %d: another port gets in: %v", tt.kind, got)
		}
		if got := in(h.a, h.at); got != tt.answered {
			t.Errorf("kind %d: the one who was asked gets in: %v", tt.kind, got)
		}
		if two := h.from(t, h.and); (two == one) != tt.same {
			t.Errorf("kind %d: %v to one, %v to another", tt.kind, one, two)
		}
		h.nat.Forget()
		if again := h.from(t, h.at); again == one {
			t.Errorf("kind %d: the same port after a restart", tt.kind)
		}
		h.nat.Renumber(netip.MustParseAddr("7.0.0.1"))
		if again := h.from(t, h.at); again.Addr() != h.nat.Address {
			t.Errorf("kind %d: from %v after it was renumbered", tt.kind, again)
		}
	}
}

func TestMappingExpires(t *testing.T) {
	h := newHome(PortRestricted)
	h.nat.Timeout = 30 * time.Second
	one := h.from(t, h.at)
	h.now = h.now.Add(31 * time.Second)
	if got := h.pass(t, h.a, Packet{Src: h.at, Dst: one}); len(got) != 0 {
		t.Error("an old mapping lets somebody in")
	}
	if again := h.from(t, h.at); again == one {
		t.Error("an old mapping is used again")
	}
}

func TestFaultsOfAnInterface(t *testing.T) {
	for _, tt := range []struct {
		name     string
		fault    func(*Interface)
		udp, tcp int // packets that arrive
		err      error
	}{
		{"none", func(*Interface) {}, 1, 1, nil},
		{"down", func(i *Interface) { i.Up = false }, 0, 0, ErrDown},
		{"another address", func(i *Interface) { i.Address = netip.MustParseAddr("10.0.0.3") }, 0, 0, ErrDown},
		{"a hole", func(i *Interface) { i.Hole = true }, 0, 0, nil},
		{"no UDP", func(i *Interface) { i.NoUDP = true }, 0, 1, nil},
		{"all is lost", func(i *Interface) { i.Out.Loss = 1 }, 0, 0, nil},
	} {
		h := newHome(FullCone)
		tt.fault(h.inside)
		for protocol, want := range map[Protocol]int{UDP: tt.udp, TCP: tt.tcp} {
			err := h.inside.Send(h.now, Packet{Protocol: protocol, Src: h.here, Dst: h.at})
			if !errors.Is(err, tt.err) {
				t.Errorf("%s: %v", tt.name, err)
			}
			h.now = h.now.Add(time.Second)
			if got := h.n.Deliver(h.now); len(got) != want {
				t.Errorf("%s: %d packets of protocol %d arrived, want %d", tt.name, len(got), protocol, want)
			}
		}
	}
	h := newHome(FullCone)
	if err := h.inside.Send(h.now, Packet{Src: h.here, Dst: h.at, Payload: make([]byte, MTU+1)}); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
	if got := h.pass(t, h.a, Packet{Src: h.at, Dst: port("8.8.8.8:1")}); len(got) != 0 || h.n.Stats().Refused == 0 {
		t.Errorf("%d packets arrived nowhere, %+v", len(got), h.n.Stats())
	}
}

func TestLine(t *testing.T) {
	h := newHome(FullCone)
	h.inside.Out = Line{Delay: 50 * time.Millisecond, BytesPerSecond: 10_000, Queue: 300 * time.Millisecond}
	arrivals := func() (at []time.Duration) {
		for next := h.n.Next(); !next.IsZero(); next = h.n.Next() {
			if len(h.n.Deliver(next)) > 0 {
				at = append(at, next.Sub(start))
			}
		}
		return at
	}
	for range 10 { // of 100 ms each
		if err := h.inside.Send(start, Packet{Src: h.here, Dst: h.at, Payload: make([]byte, 1000)}); err != nil {
			t.Fatal(err)
		}
	}
	want := []time.Duration{150, 250, 350, 450}
	for i := range want {
		want[i] *= time.Millisecond
	}
	if got := arrivals(); !slices.Equal(got, want) {
		t.Errorf("packets arrived after %v, want %v and the rest lost", got, want)
	}
}

// TestSeedDecides sends the same twice, and once with another seed.
func TestSeedDecides(t *testing.T) {
	run := func(seed uint64) (log []uint32) {
		n := New(seed)
		a := n.Attach("a", netip.MustParseAddr("5.0.0.1"), nil)
		b := n.Attach("b", netip.MustParseAddr("5.0.0.2"), nil)
		a.Out = Line{Delay: time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.2, Reorder: 0.2}
		for i := range uint32(500) {
			p := Packet{Src: port("5.0.0.1:1"), Dst: netip.AddrPortFrom(b.Address, 2), Payload: binary.BigEndian.AppendUint32(nil, i)}
			if err := a.Send(start.Add(time.Duration(i)*time.Millisecond), p); err != nil {
				t.Fatal(err)
			}
		}
		for next := n.Next(); !next.IsZero(); next = n.Next() {
			for _, d := range n.Deliver(next) {
				log = append(log, binary.BigEndian.Uint32(d.Packet.Payload))
			}
		}
		return log
	}
	one, two, other := run(1), run(1), run(2)
	if !slices.Equal(one, two) || slices.Equal(one, other) {
		t.Error("chance does not follow from the seed")
	}
	if len(one) < 350 || len(one) > 450 {
		t.Errorf("%d of 500 arrived with a fifth lost", len(one))
	}
	if slices.IsSorted(one) {
		t.Error("nothing was reordered")
	}
	slices.Sort(one)
	if len(slices.Compact(one)) != len(two) {
		t.Error("something came twice")
	}
}

// FuzzNetwork does what the bytes say and checks what holds always: nothing comes twice, too early or to the wrong
// place, and every packet is accounted for.
func FuzzNetwork(f *testing.F) {
	f.Add([]byte{0, 10, 1, 3, 2, 40, 3, 0, 4, 1, 5, 9, 0, 255, 2, 255})
	f.Fuzz(func(t *testing.T, script []byte) {
		h := newHome(Kind(len(script) % 3))
		h.inside.Out = Line{Delay: 3 * time.Millisecond, Jitter: 2 * time.Millisecond, Loss: 0.1, Reorder: 0.1}
		sent := map[uint32]time.Time{}
		var id uint32
		take := func() {
			for _, d := range h.n.Deliver(h.now) {
				n := binary.BigEndian.Uint32(d.Packet.Payload)
				at, ok := sent[n]
				if !ok || at.After(h.now) {
					t.Fatalf("packet %d arrived twice, or too early", n)
				}
				delete(sent, n)
				if d.To.Address != d.Packet.Dst.Addr() || !d.To.Up {
					t.Fatalf("packet to %v arrived at %v", d.Packet.Dst, d.To.Address)
				}
			}
		}
		for ; len(script) >= 2; script = script[2:] {
			value := script[1]
			switch script[0] % 7 {
			case 0, 1:
				id++
				from, src, dst := h.inside, h.here, netip.AddrPortFrom(h.a.Address, uint16(value))
				if script[0]%7 == 1 {
					from, src, dst = h.b, h.and, netip.AddrPortFrom(h.nat.Address, firstPort+uint16(value))
				}
				p := Packet{Protocol: Protocol(value & 1), Src: src, Dst: dst, Payload: binary.BigEndian.AppendUint32(nil, id)}
				if from.Send(h.now, p) == nil {
					sent[id] = h.now
				}
			case 2:
				h.now = h.now.Add(time.Duration(value) * time.Millisecond)
				take()
			case 3:
				h.nat.Forget()
			case 4:
				h.inside.Up = value&1 == 0
			case 5:
				h.inside.Hole, h.inside.NoUDP = value&1 == 1, value&2 == 2
			case 6:
				h.nat.Renumber(netip.AddrFrom4([4]byte{7, 0, 0, value}))
			}
		}
		h.now = h.now.Add(time.Hour)
		take()
		if s := h.n.Stats(); s.Delivered+s.Lost+s.Refused < s.Sent || s.Delivered > s.Sent || !h.n.Next().IsZero() {
			t.Fatalf("packets are missing: %+v", s)
		}
	})
}
