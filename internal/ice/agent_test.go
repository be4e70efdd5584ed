package ice

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

func addrPort(t testing.TB, s string) netip.AddrPort {
	t.Helper()
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestStories tells them, each step in virtual time.
func TestStories(t *testing.T) {
	for name, steps := range stories() {
		t.Run(name, func(t *testing.T) {
			s := story{T: t, a: agent(t)}
			for i, step := range steps {
				s.now = start.Add(step.at)
				e := s.do(step.do)
				got, ok := s.a.Sendable(s.now)
				if e != step.event || ok != (step.path != "") || ok && got != where()[step.path] {
					t.Fatalf("step %d: %s: event %04b, want %04b; sends to %v, want %q", i, step.do, e, step.event, got, step.path)
				}
				s.retired = s.retired || e.Has(Retired)
				s.check()
			}
		})
	}
}

// story is one that is being told.
type story struct {
	*testing.T
	a        *Agent
	now      time.Time
	restarts int
	retired  bool
}

// do does what the step says.
func (s *story) do(what string) Event {
	verb, rest, _ := strings.Cut(what, " ")
	place, with, _ := strings.Cut(rest, " ")
	generation := s.restarts
	switch with {
	case "old":
		generation = 0
	case "1":
		generation = 1
	}
	switch verb {
	case "check", "nominate", "silent":
		return s.send(verb, place, generation)
	case "tick":
		return s.a.HandleTimeout(s.now)
	case "close":
		return s.a.HandleClosed(where()[place].Via)
	case "restart":
		s.restarts++
		if err := s.a.Restart(credentials[s.restarts], theirs); err != nil {
			s.Fatal(err)
		}
	}
	return 0
}

// send gives the agent a check and holds the answer.
func (s *story) send(verb, place string, generation int) Event {
	c, path := right(generation), where()[place]
	c.nominate, c.priority = verb == "nominate", priorities()[place]
	raw := c.build(s.T)
	answer, e := s.a.HandlePacket(s.now, path, raw)
	if verb == "silent" {
		if answer != nil {
			s.Fatalf("%v: %s: answered", s.now, place)
		}
		return e
	}
	m := read(s.T, answer, raw, credentials[generation].Password)
	var mapped stun.XORMappedAddress
	if err := mapped.GetFrom(m); err != nil || m.Type != stun.BindingSuccess || mapped.String() != path.Peer.String() {
		s.Fatalf("%v: %s: %v %v %v", s.now, place, m.Type, mapped, err)
	}
	if !s.a.Valid(s.now, path) || s.a.Valid(s.now.Add(ConsentTime), path) {
		s.Fatalf("%v: %s: validity", s.now, place)
	}
	return e
}

// check holds what must be so after each step.
func (s *story) check() {
	if d := s.a.Deadline(); !d.IsZero() && d.Before(s.now) {
		s.Fatalf("%v: wants to be called at %v", s.now, d)
	}
	want := 1
	if s.restarts > 0 && !s.retired {
		want = 2
	}
	if got := s.a.Ufrags(); len(got) != want || got[0] != credentials[s.restarts].Ufrag {
		s.Fatalf("%v: fragments %v", s.now, got)
	}
}

// TestRefusals: what is answered with an error, and what is not answered at all. None of it makes a path valid.
func TestRefusals(t *testing.T) {
	ok := right(0)
	with := func(f func(*check)) check {
		c := ok
		f(&c)
		return c
	}
	for _, tt := range []struct {
		name string
		c    check
		code stun.ErrorCode // 0: silence
		want Stats
	}{
		{"wrong password", with(func(c *check) { c.password = credentials[1].Password }), 0, Stats{Forged: 1}},
		{"no password", with(func(c *check) { c.password = "" }), 0, Stats{Forged: 1}},
		{"another server's fragment", with(func(c *check) { c.username = "srv9:" + theirs }), 0, Stats{Foreign: 1}},
		{"a longer fragment", with(func(c *check) { c.username = "srv1x:" + theirs }), 0, Stats{Foreign: 1}},
		{"another peer's fragment", with(func(c *check) { c.username = "srv1:other" }), 0, Stats{Foreign: 1}},
		{"no colon", with(func(c *check) { c.username = "srv1" }), 0, Stats{Foreign: 1}},
		{"nothing before the colon", with(func(c *check) { c.username = ":" + theirs }), 0, Stats{Foreign: 1}},
		{"no fingerprint", with(func(c *check) { c.bare = true }), 0, Stats{Foreign: 1}},
		{"the wrong role", with(func(c *check) { c.controlled = true }), 487, Stats{Conflicts: 1}},
		{"an attribute that we do not know", with(func(c *check) { c.extra = []stun.Setter{rawAttr{0x7123, []byte("?")}} }), 420, Stats{Unknown: 1}},
		{"many of them", with(func(c *check) {
			for i := range 9 {
				c.extra = append(c.extra, rawAttr{stun.AttrType(0x7100 + i), nil})
			}
		}), 420, Stats{Unknown: 1}},
		{"one that may be ignored", with(func(c *check) { c.extra = []stun.Setter{rawAttr{0x8123, []byte("!")}} }), -1, Stats{Checks: 1}},
		{"a network cost of Chromium", with(func(c *check) { c.extra = []stun.Setter{rawAttr{0xC057, []byte{0, 1, 0, 10}}} }), -1, Stats{Checks: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := agent(t)
			raw := tt.c.build(t)
			answer, e := a.HandlePacket(start, where()["wifi"], raw)
			if a.Stats() != tt.want {
				t.Errorf("%+v, want %+v", a.Stats(), tt.want)
			}
			if _, can := a.Sendable(start); can != (tt.code < 0) || (e != 0) != can {
				t.Errorf("sendable %v, event %b", can, e)
			}
			switch tt.code {
			case 0:
				if answer != nil {
					t.Error("answered")
				}
			case -1:
				read(t, answer, raw, tt.c.password)
			default:
				m := read(t, answer, raw, tt.c.password)
				var code stun.ErrorCodeAttribute
				if err := code.GetFrom(m); err != nil || code.Code != tt.code || len(answer) > len(raw)+16 {
					t.Errorf("%v %v, %d bytes for %d", code, err, len(answer), len(raw))
				}
				var unknown stun.UnknownAttributes
				if err := unknown.GetFrom(m); tt.code == 420 && (err != nil || len(unknown) != min(len(tt.c.extra), maxUnknown)) {
					t.Errorf("%v %v", unknown, err)
				}
			}
		})
	}
}

// TestBeforeTheDescription: until the peer's description is here, any fragment of its is taken.
func TestBeforeTheDescription(t *testing.T) {
	a, err := New(credentials[0], "")
	if err != nil {
		t.Fatal(err)
	}
	c := right(0)
	c.username = "srv1:early"
	if _, e := a.HandlePacket(start, where()["wifi"], c.build(t)); e != Found|Selected {
		t.Errorf("%b", e)
	}
	if err := a.SetTheirs(theirs); err != nil {
		t.Fatal(err)
	}
	if answer, _ := a.HandlePacket(start, where()["wifi"], c.build(t)); answer != nil {
		t.Error("answered")
	}
	if answer, _ := a.HandlePacket(start, where()["wifi"], right(0).build(t)); answer == nil {
		t.Error("not answered")
	}
}

// TestMappedAddress: a socket for both families names an IPv4 peer in the IPv6 way; the peer is told its own.
func TestMappedAddress(t *testing.T) {
	a := agent(t)
	raw := right(0).build(t)
	answer, _ := a.HandlePacket(start, Path{Peer: netip.AddrPortFrom(netip.MustParseAddr("::ffff:198.51.100.1"), 5000)}, raw)
	var mapped stun.XORMappedAddress
	if err := mapped.GetFrom(read(t, answer, raw, credentials[0].Password)); err != nil || mapped.String() != "198.51.100.1:5000" {
		t.Error(mapped, err)
	}
}

// TestManyPaths: a peer may come from as many ports as it likes; so many are kept, and the selected one is among them.
func TestManyPaths(t *testing.T) {
	a := agent(t)
	nominate := right(0)
	nominate.nominate = true
	a.HandlePacket(start, where()["wifi"], nominate.build(t))
	raw := right(0).build(t)
	from := func(i int) Path {
		return Path{Peer: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), uint16(i))}
	}
	now := start
	for i := range 1000 {
		now = now.Add(time.Millisecond)
		if _, e := a.HandlePacket(now, from(i), raw); e != Found {
			t.Fatalf("%b", e)
		}
	}
	if n := len(a.paths.all); n != MaxPaths {
		t.Errorf("%d paths", n)
	}
	if p, ok := a.Sendable(now); !ok || p != where()["wifi"] {
		t.Error(p)
	}
	if !a.Valid(now, from(999)) || !a.Valid(now, from(1000-MaxPaths+1)) || a.Valid(now, from(1000-MaxPaths)) {
		t.Error("not the newest were kept")
	}
}

func TestCredentials(t *testing.T) {
	c, err := NewCredentials(rand.NewChaCha8([32]byte{}))
	if err != nil || c.Validate() != nil || len(c.Ufrag) != 8 || len(c.Password) != 24 {
		t.Error(c, err)
	}
	if _, err := NewCredentials(strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	good := credentials[0]
	long := strings.Repeat("x", 257)
	for _, bad := range []Credentials{
		{"", good.Password},
		{"abc", good.Password},
		{good.Ufrag, "short"},
		{"a:bc", good.Password},
		{good.Ufrag, strings.Repeat("ü", 30)},
		{long, good.Password},
		{good.Ufrag, long},
	} {
		if _, err := New(bad, ""); err == nil {
			t.Errorf("took %q", bad)
		}
	}
	if _, err := New(good, "a b c d"); err == nil {
		t.Error("took a peer's fragment with spaces")
	}
	a := agent(t)
	if a.SetTheirs("no!") == nil || a.Restart(good, theirs) == nil {
		t.Error("took the same fragment again")
	}
}
