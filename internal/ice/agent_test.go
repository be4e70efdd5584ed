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

// step is one thing that happens, what the agent says it has changed, and where it would send afterwards.
//
// do is "check PATH", "nominate PATH" (with "old" or "new" credentials behind it during a restart, the newest by default), "tick"
// (HandleTimeout), "close PATH", "restart" or "look".
type step struct {
	at    time.Duration
	do    string
	event Event
	path  string
}

const sec = time.Second

func stories() map[string][]step {
	return map[string][]step{
		"a call": {
			{0, "look", 0, ""},
			{1 * sec, "check wifi", Found | Selected, "wifi"}, // may be used before its nomination
			{1 * sec, "nominate wifi", 0, "wifi"},
			{3 * sec, "check wifi", 0, "wifi"},
			{18*sec - 1, "look", 0, "wifi"},
			{18 * sec, "look", 0, ""}, // consent is gone
			{18 * sec, "tick", Lost, ""},
			{18 * sec, "tick", 0, ""},
			{20 * sec, "check wifi", Found | Selected, "wifi"},
		},
		"consent lives as long as checks come": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{14 * sec, "check wifi", 0, "wifi"},
			{28 * sec, "check wifi", 0, "wifi"},
			{42 * sec, "check wifi", 0, "wifi"},
			{56 * sec, "look", 0, "wifi"},
			{57 * sec, "look", 0, ""},
		},
		"a check right after consent has gone": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{16 * sec, "check wifi", Found | Selected, "wifi"},
		},
		"the last nomination wins": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{2 * sec, "check lte", Found, "wifi"},
			{3 * sec, "nominate lte", Selected, "lte"},
			{4 * sec, "check wifi", 0, "lte"},
			{5 * sec, "nominate wifi", Selected, "wifi"},
			{6 * sec, "nominate six", Found | Selected, "six"},
		},
		"a nomination beats what was only valid": {
			{0, "check wifi", Found | Selected, "wifi"},
			{0, "check six", Found, "wifi"},
			{0, "nominate lte", Found | Selected, "lte"},
		},
		"aggressive nomination: the best of those at once": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{100 * time.Millisecond, "nominate lte", Found, "wifi"},
			{200 * time.Millisecond, "nominate tcp", Found, "wifi"}, // whatever its priority says
			{300 * time.Millisecond, "nominate relay", Found, "wifi"},
			{400 * time.Millisecond, "nominate six", Found | Selected, "six"},
			{5 * sec, "check six", 0, "six"},
			{6 * sec, "nominate tcp", Selected, "tcp"}, // and later what it says
			{6100 * time.Millisecond, "nominate wifi", Selected, "wifi"},
		},
		"the network is gone, the peer nominates another": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{3 * sec, "nominate lte", Found | Selected, "lte"},
			{9 * sec, "check lte", 0, "lte"},
			{15 * sec, "tick", 0, "lte"}, // wifi is forgotten
			{16 * sec, "check wifi", Found, "lte"},
		},
		"a NAT gives another port to a peer that does not know": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{2 * sec, "check wifi", 0, "wifi"},
			{3 * sec, "check moved", Found, "wifi"}, // wifi was there 1 s ago
			{5 * sec, "check moved", Selected, "moved"},
			{8 * sec, "check moved", 0, "moved"},
		},
		"another candidate is not the same behind a NAT": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{4 * sec, "check lte", Found, "wifi"},
			{6 * sec, "check tcp", Found, "wifi"},
			{8 * sec, "check lte", Selected, "lte"}, // but it is when the selected one is deserted
			{9 * sec, "check wifi", 0, "lte"},
			{9 * sec, "nominate wifi", Selected, "wifi"},
		},
		"a connection ends": {
			{0, "nominate tcp", Found | Selected, "tcp"},
			{1 * sec, "check relay", Found, "tcp"},
			{2 * sec, "check wifi", Found, "tcp"},
			{3 * sec, "close tcp", Selected, "wifi"},
			{3 * sec, "close tcp", 0, "wifi"},
			{3 * sec, "close wifi", 0, "wifi"}, // the UDP socket is no connection
			{4 * sec, "close relay", 0, "wifi"},
		},
		"the last connection ends": {
			{0, "nominate tcp", Found | Selected, "tcp"},
			{3 * sec, "close tcp", Lost, ""},
		},
		"another nominated path takes over before one that was only valid": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{1 * sec, "nominate lte", Found | Selected, "lte"},
			{9 * sec, "check wifi", Selected, "wifi"}, // lte has been silent for 8 s
			{10 * sec, "check lte", 0, "wifi"},
			{11 * sec, "check six", Found, "wifi"},
			{24 * sec, "tick", Selected, "lte"},
			{25 * sec, "tick", Selected, "six"},
			{26 * sec, "tick", Lost, ""},
		},
		"restart": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{1 * sec, "restart", 0, "wifi"},
			{2 * sec, "check wifi old", 0, "wifi"},
			{2 * sec, "check lte new", Found, "wifi"},
			{3 * sec, "nominate wifi old", 0, "wifi"},
			{3 * sec, "nominate lte new", Selected | Retired, "lte"}, // at once, and though it is the worse one
			{4 * sec, "silent wifi old", 0, "lte"},
			{5 * sec, "nominate wifi new", Selected, "wifi"},
		},
		"restart on the same path": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{1 * sec, "restart", 0, "wifi"},
			{2 * sec, "check wifi new", 0, "wifi"},
			{3 * sec, "nominate wifi new", Retired, "wifi"},
			{4 * sec, "silent wifi old", 0, "wifi"},
		},
		"restart that the peer never follows": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{1 * sec, "restart", 0, "wifi"},
			{14 * sec, "check wifi old", 0, "wifi"},
			{28 * sec, "check wifi old", 0, "wifi"},
			{40 * sec, "nominate lte old", Found | Selected, "lte"},
		},
		"restart of a restart": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{1 * sec, "restart", 0, "wifi"},
			{2 * sec, "check lte new", Found, "wifi"},
			{3 * sec, "restart", 0, "wifi"},
			{4 * sec, "check wifi old", 0, "wifi"}, // those of the path that is up, not of the restart that did not finish
			{4 * sec, "silent lte 1", 0, "wifi"},
			{5 * sec, "nominate six new", Found | Selected | Retired, "six"},
		},
		"restart after everything was lost": {
			{0, "nominate wifi", Found | Selected, "wifi"},
			{15 * sec, "tick", Lost, ""},
			{16 * sec, "restart", 0, ""},
			{17 * sec, "check lte new", Found | Selected, "lte"},
			{18 * sec, "nominate wifi old", Found | Selected, "wifi"},
			{19 * sec, "nominate lte new", Selected | Retired, "lte"},
		},
	}
}

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
