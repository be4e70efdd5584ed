package turn

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

func TestBindingAnswersOnlyTheAddress(t *testing.T) {
	for _, tt := range []struct {
		client string
		size   int
	}{{"203.0.113.9:1234", 32}, {"[2001:db8::9]:1234", 44}} {
		l := newLab(t, Config{})
		p := l.peer(tt.client, "")
		id := l.id()
		if err := p.packet(p.client, build(stun.BindingRequest, id).Raw); err != nil {
			t.Fatal(err)
		}
		code, m := p.answer(id)
		if code != 0 {
			t.Fatalf("code %d", code)
		}
		addr, ok := decodeAddress(get(t, m, stun.AttrXORMappedAddress), id)
		if !ok || addr != p.client.Addr || len(m.Raw) != tt.size || len(m.Attributes) != 1 {
			t.Errorf("%s: answer %s with %d bytes", tt.client, m, len(m.Raw))
		}
	}
}

func TestAllocateAnswers(t *testing.T) {
	a := func(t stun.AttrType, b ...byte) attr { return attr{t, b} }
	udp := transport(protocolUDP)
	for _, tt := range []struct {
		name  string
		attrs []attr
		code  int
	}{
		{"udp", []attr{udp}, 0},
		{"no transport", nil, codeBadRequest},
		{"short transport", []attr{a(stun.AttrRequestedTransport, 17)}, codeBadRequest},
		{"tcp relay", []attr{transport(6)}, codeUnsupportedTransport},
		{"ipv4", []attr{udp, wantFamily(family4)}, 0},
		{"ipv6", []attr{udp, wantFamily(family6)}, 0},
		{"family of neither", []attr{udp, wantFamily(3)}, codeBadRequest},
		{"short family", []attr{udp, a(stun.AttrRequestedAddressFamily, 1)}, codeBadRequest},
		{"both families", []attr{udp, a(attrAdditionalAddressFamily, family6, 0, 0, 0)}, 0},
		{"additional is ipv4", []attr{udp, a(attrAdditionalAddressFamily, family4, 0, 0, 0)}, codeBadRequest},
		{"even port", []attr{udp, a(stun.AttrEvenPort, 0)}, 0},
		{"even port and the next", []attr{udp, a(stun.AttrEvenPort, 0x80)}, codeInsufficientCapacity},
		{"long even port", []attr{udp, a(stun.AttrEvenPort, 0, 0)}, codeBadRequest},
		{"even port and both families", []attr{udp, a(stun.AttrEvenPort, 0), a(attrAdditionalAddressFamily, family6, 0, 0, 0)}, codeBadRequest},
		{"reservation", []attr{udp, a(stun.AttrReservationToken, 1, 2, 3, 4, 5, 6, 7, 8)}, codeInsufficientCapacity},
		{"reservation and family", []attr{udp, wantFamily(family4), a(stun.AttrReservationToken, 1, 2, 3, 4, 5, 6, 7, 8)}, codeBadRequest},
		{"do not fragment", []attr{udp, a(stun.AttrDontFragment)}, codeUnknownAttribute},
		{"unknown attribute", []attr{udp, a(0x7abc, 1)}, codeUnknownAttribute},
		{"unknown optional attribute", []attr{udp, a(0xabcd, 1)}, 0},
		{"lifetime of zero", []attr{udp, lifetime(0)}, codeBadRequest},
		{"short lifetime attribute", []attr{udp, a(stun.AttrLifetime, 1)}, codeBadRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newLab(t, Config{}).peer("203.0.113.9:1", "ann")
			code, m := p.ask(stun.MethodAllocate, tt.attrs...)
			if code != tt.code {
				t.Fatalf("code %d, want %d", code, tt.code)
			}
			if got := p.s.Stats().Allocations; got != map[bool]int{true: 1}[code == 0] {
				t.Errorf("%d allocations after code %d", got, code)
			}
			if code == codeUnknownAttribute && len(get(t, m, stun.AttrUnknownAttributes)) != 2 {
				t.Error("unknown attributes are not listed")
			}
			if stun.NewLongTermIntegrity("ann", "parley", "pw-ann").Check(m) != nil {
				t.Error("the answer is not signed")
			}
		})
	}
}

func TestAllocateAddress(t *testing.T) {
	v4 := Config{Relay4: relay4}
	v6 := Config{Relay6: relay6}
	for _, tt := range []struct {
		name  string
		cfg   Config
		attrs []attr
		want  netip.Addr
		code  int
	}{
		{"default of both", Config{}, nil, relay4, 0},
		{"ipv6 of both", Config{}, []attr{wantFamily(family6)}, relay6, 0},
		{"ipv6 of ipv4", v4, []attr{wantFamily(family6)}, netip.Addr{}, codeFamilyNotSupported},
		{"ipv4 of ipv6", v6, []attr{wantFamily(family4)}, netip.Addr{}, codeFamilyNotSupported},
		{"default of ipv6", v6, nil, relay6, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newLab(t, tt.cfg).peer("203.0.113.9:1", "ann")
			code, m := p.ask(stun.MethodAllocate, append(tt.attrs, transport(protocolUDP))...)
			if code != tt.code {
				t.Fatalf("code %d, want %d", code, tt.code)
			}
			if code != 0 {
				return
			}
			relay, _ := decodeAddress(get(t, m, stun.AttrXORRelayedAddress), m.TransactionID)
			mapped, _ := decodeAddress(get(t, m, stun.AttrXORMappedAddress), m.TransactionID)
			if relay.Addr() != tt.want || relay.Port() < firstVirtualPort || mapped != p.client.Addr {
				t.Errorf("relayed %s, mapped %s", relay, mapped)
			}
		})
	}
}

// TestLifetime walks through virtual time: what is left of an allocation after each step.
func TestLifetime(t *testing.T) {
	refresh := func(seconds uint32, code int) func(*testing.T, *peer) {
		return func(t *testing.T, p *peer) {
			t.Helper()
			if got, _ := p.ask(stun.MethodRefresh, lifetime(seconds)); got != code {
				t.Fatalf("refresh: %d, want %d", got, code)
			}
		}
	}
	type step struct {
		after time.Duration
		do    func(*testing.T, *peer)
		left  int
	}
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"expires", []step{{defaultLifetime - time.Nanosecond, nil, 1}, {time.Nanosecond, nil, 0}}},
		{"refreshed", []step{{9 * time.Minute, refresh(600, 0), 1}, {defaultLifetime - 1, nil, 1}, {1, nil, 0}}},
		{"never over an hour", []step{{0, refresh(1<<31, 0), 1}, {maxLifetime - 1, nil, 1}, {1, nil, 0}}},
		{"never under ten minutes", []step{{0, refresh(1, 0), 1}, {defaultLifetime - 1, nil, 1}, {1, nil, 0}}},
		{"ended", []step{{time.Minute, refresh(0, 0), 0}, {0, refresh(600, codeAllocationMismatch), 0}}},
		{"too late", []step{{defaultLifetime, refresh(600, codeAllocationMismatch), 0}}},
		{"credential expired", []step{
			{9 * time.Minute, refresh(3600, 0), 1},
			{time.Hour - time.Minute, refresh(3600, 0), 1}, // the credential is over since 8 minutes
			{59 * time.Minute, nil, 1},
		}},
		{"session gone", []step{
			{time.Minute, func(_ *testing.T, p *peer) { p.book.dead["ann"] = true }, 1},
			{aliveInterval, nil, 0},
		}},
		{"session gone before refresh", []step{
			{time.Minute, func(t *testing.T, p *peer) {
				p.book.dead["ann"] = true
				refresh(600, codeAllocationMismatch)(t, p)
			}, 0},
		}},
		{"revoked", []step{{time.Second, func(_ *testing.T, p *peer) { p.s.Revoke("ann"); p.drain() }, 0}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newLab(t, Config{}).peer("203.0.113.9:1", "ann/1").allocate()
			for i, st := range tt.steps {
				end := p.now.Add(st.after)
				// As a shell does: never past a time that the engine has asked for.
				for !p.next.IsZero() && p.next.Before(end) {
					p.wait(p.next.Sub(p.now))
				}
				p.wait(end.Sub(p.now))
				if st.do != nil {
					st.do(t, p)
				}
				if got := p.s.Stats().Allocations; got != st.left {
					t.Fatalf("step %d: %d allocations left, want %d", i, got, st.left)
				}
			}
		})
	}
}

func TestWelcomeIsIdempotent(t *testing.T) {
	p := newLab(t, Config{}).peer("203.0.113.9:1", "ann").allocate()
	for _, tt := range []struct {
		method stun.Method
		attrs  []attr
		code   int // of another transaction with the same content
	}{
		{stun.MethodRefresh, []attr{lifetime(700)}, 0},
		{stun.MethodCreatePermission, []attr{to("198.51.100.1:9")}, 0},
		{stun.MethodRefresh, []attr{lifetime(0)}, codeAllocationMismatch},
		{stun.MethodAllocate, []attr{transport(protocolUDP)}, codeAllocationMismatch},
	} {
		id := p.id()
		raw := p.signed(tt.method, id, tt.attrs...)
		var answers [][]byte
		for range 3 {
			if err := p.packet(p.client, raw); err != nil {
				t.Fatal(err)
			}
			if code, _ := p.answer(id); code != 0 {
				t.Fatalf("%s: %d", tt.method, code)
			}
			answers = append(answers, p.out[slices.IndexFunc(p.out, func(e Event) bool { return e.Kind == ToClient })].Payload)
			p.wait(time.Second)
		}
		if !bytes.Equal(answers[0], answers[1]) || !bytes.Equal(answers[0], answers[2]) {
			t.Errorf("%s: the same transaction got different answers", tt.method)
		}
		if code, _ := p.ask(tt.method, tt.attrs...); code != tt.code {
			t.Errorf("%s again: %d, want %d", tt.method, code, tt.code)
		}
	}
	if got := p.s.Stats(); got.Allocations != 1 || got.Allocated != 2 {
		t.Errorf("%+v", got)
	}
}

func TestRelaySockets(t *testing.T) {
	cfg := Config{Ports: Ports{50000, 50019}}
	t.Run("opened and closed", func(t *testing.T) {
		l := newLab(t, cfg)
		p := l.peer("203.0.113.9:1", "ann").allocate()
		if !l.open[p.relay] || p.relay.Port() < 50000 || p.relay.Port() > 50019 {
			t.Fatalf("relay %s, open %v", p.relay, l.open)
		}
		p.must(stun.MethodRefresh, lifetime(0))
		if len(l.open) != 0 {
			t.Errorf("still open: %v", l.open)
		}
	})
	t.Run("taken ports", func(t *testing.T) {
		l := newLab(t, cfg)
		l.fail = func(a netip.AddrPort) bool { return a.Port()%2 == 0 }
		if p := l.peer("203.0.113.9:1", "ann").allocate(); p.relay.Port()%2 == 0 {
			t.Errorf("relay %s was taken", p.relay)
		}
	})
	t.Run("even ports", func(t *testing.T) {
		l := newLab(t, cfg)
		for i := range 10 {
			p := l.peer(netip.AddrPortFrom(netip.MustParseAddr("203.0.113.9"), uint16(1+i)).String(), "ann")
			if p.allocate(attr{stun.AttrEvenPort, []byte{0}}); p.relay.Port()%2 != 0 {
				t.Errorf("relay %s", p.relay)
			}
		}
		p := l.peer("203.0.113.9:99", "ann")
		if code, _ := p.ask(stun.MethodAllocate, transport(protocolUDP), attr{stun.AttrEvenPort, []byte{0}}); code != codeInsufficientCapacity {
			t.Errorf("an eleventh even port of twenty: %d", code)
		}
	})
	t.Run("none free", func(t *testing.T) {
		l := newLab(t, cfg)
		l.fail = func(netip.AddrPort) bool { return true }
		if code, _ := l.peer("203.0.113.9:1", "ann").ask(stun.MethodAllocate, transport(protocolUDP)); code != codeInsufficientCapacity {
			t.Errorf("code %d", code)
		}
		if st := l.s.Stats(); st.Allocations != 0 || len(l.s.relays) != 0 || len(l.s.timers) != 0 {
			t.Errorf("something is left: %+v", st)
		}
	})
	t.Run("range exhausted", func(t *testing.T) {
		l := newLab(t, cfg)
		for i := range 21 {
			p := l.peer(netip.AddrPortFrom(netip.MustParseAddr("203.0.113.9"), uint16(1+i)).String(), "ann")
			want := 0
			if i == 20 {
				want = codeInsufficientCapacity
			}
			if code, _ := p.ask(stun.MethodAllocate, transport(protocolUDP)); code != want {
				t.Errorf("allocation %d: %d, want %d", i, code, want)
			}
		}
	})
}

func TestStreamEnds(t *testing.T) {
	l := newLab(t, Config{Ports: Ports{50000, 50009}})
	p := l.peer("203.0.113.9:1", "ann")
	p.client.Stream = 7
	p.allocate()
	p.wait(defaultLifetime)
	if len(p.out) != 2 || p.out[0].Kind != Close || p.out[1].Kind != Idle || p.out[1].Client != p.client {
		t.Errorf("after the allocation: %+v", p.out)
	}
	p.allocate()
	p.out = nil
	p.s.HandleClosed(p.client)
	p.drain()
	if len(p.out) != 1 || p.out[0].Kind != Close || p.s.Has(p.client) {
		t.Errorf("after the stream: %+v", p.out)
	}
}
