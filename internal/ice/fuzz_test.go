package ice

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// rivalCheck reports what pion's coder finds in a message, the way that this package reads it; ok is false when pion does not
// take it.
func rivalCheck(packet []byte) (m *stun.Message, ok bool) {
	m = stun.New()
	m.Raw = append(m.Raw[:0], packet...)
	return m, m.Decode() == nil
}

// FuzzParse holds the parser against pion's.
func FuzzParse(f *testing.F) {
	f.Add(vectorRequest(f))
	f.Add(right(0).build(f))
	f.Add([]byte{})
	nominate := right(1)
	nominate.nominate, nominate.controlled = true, true
	nominate.extra = []stun.Setter{rawAttr{0x7001, []byte{1, 2, 3}}, rawAttr{0xC057, nil}}
	f.Add(nominate.build(f))
	f.Fuzz(func(t *testing.T, packet []byte) {
		before := bytes.Clone(packet)
		m, err := Parse(packet)
		if !bytes.Equal(before, packet) {
			t.Fatal("the packet was changed")
		}
		theirs, ok := rivalCheck(packet)
		if err != nil {
			// Stricter: sizes, the end of the message and the fingerprint are looked at.
			if m.Check() || m.username != nil {
				t.Error("an error and a message")
			}
			return
		}
		if !ok {
			t.Fatalf("pion does not take %x", packet)
		}
		// What lies behind the integrity counts for nothing, but for the fingerprint.
		attrs := theirs.Attributes
		if i := slices.IndexFunc(attrs, func(a stun.RawAttribute) bool { return a.Type == stun.AttrMessageIntegrity }); i >= 0 {
			attrs = attrs[:i+1]
		}
		value := func(kind stun.AttrType) ([]byte, bool) {
			i := slices.IndexFunc(attrs, func(a stun.RawAttribute) bool { return a.Type == kind })
			if i < 0 {
				return nil, false
			}
			return attrs[i].Value, true
		}
		_, use := value(stun.AttrUseCandidate)
		_, controlled := value(stun.AttrICEControlled)
		_, integrity := value(stun.AttrMessageIntegrity)
		user, _ := value(stun.AttrUsername)
		if use != m.useCandidate || controlled != m.controlled || integrity != (m.integrity > 0) || !bytes.Equal(user, m.username) {
			t.Errorf("%+v\n%v", m, theirs)
		}
		if m.fingerprint != (stun.Fingerprint.Check(theirs) == nil) {
			t.Errorf("fingerprint %v, pion says otherwise", m.fingerprint)
		}
		if m.integrity > 0 {
			if newSigner("secret").holds(&m) != (stun.NewShortTermIntegrity("secret").Check(theirs) == nil) {
				t.Error("integrity: pion says otherwise")
			}
		}
		if ufrag, ok := Ufrag(packet); ok != m.Check() || ok && bytes.IndexByte(ufrag, ':') >= 0 {
			t.Errorf("fragment %q", ufrag)
		}
	})
}

// FuzzAgent interprets bytes as checks, right and wrong ones, from many places, restarts and time, and holds after every step
// what must always be so.
func FuzzAgent(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 1, 2, 5, 0, 0, 0, 1, 1})
	f.Add([]byte{1, 0, 0, 3, 0, 0, 1, 1, 1, 4, 200, 0, 1, 2, 2, 4, 255, 0, 4, 255, 0})
	f.Fuzz(func(t *testing.T, input []byte) {
		a := agent(t)
		now, restarts := start, 0
		proven := map[Path]time.Time{} // when an authenticated check last came
		for ; len(input) >= 3; input = input[3:] {
			do, x, y := input[0], input[1], input[2]
			path := Path{Peer: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, x % 24}), 9), Via: uint64(x / 64)}
			switch do % 6 {
			case 0, 1:
				c := right(min(restarts, int(y%2)+max(0, restarts-1)))
				c.nominate, c.priority, c.controlled = do%6 == 1, uint32(y/16), y%16 == 15
				answer, _ := a.HandlePacket(now, path, c.build(t))
				if answer == nil && int(y%2) == 1 {
					t.Fatal("the newest credentials are not answered")
				}
				if answer != nil && !c.controlled {
					proven[path] = now
				}
			case 2:
				c := right(0)
				c.password = "a guess of the password 01"
				if answer, e := a.HandlePacket(now, path, c.build(t)); answer != nil || e != 0 {
					t.Fatal("a guess was answered")
				}
			case 3:
				if restarts+1 < len(credentials) {
					restarts++
					if err := a.Restart(credentials[restarts], theirs); err != nil {
						t.Fatal(err)
					}
				}
			case 4:
				now = now.Add(time.Duration(x) * 100 * time.Millisecond)
				if y%2 == 0 {
					a.HandleTimeout(now)
				}
			case 5:
				a.HandleClosed(path.Via)
				for p := range proven {
					if p.Via == path.Via && p.Via != 0 {
						delete(proven, p)
					}
				}
			}
			hold(t, a, now, proven)
		}
	})
}

// hold checks what must always be so.
func hold(t *testing.T, a *Agent, now time.Time, proven map[Path]time.Time) {
	t.Helper()
	fresh := func(p Path) bool {
		at, ok := proven[p]
		return ok && now.Sub(at) < ConsentTime
	}
	if p, ok := a.Sendable(now); ok && !fresh(p) {
		t.Fatalf("sends to %v, which has not proved itself", p)
	}
	if n := len(a.paths.all); n > MaxPaths || (n == 0) != (a.paths.selected == nil) {
		t.Fatalf("%d paths, selected %v", n, a.paths.selected)
	}
	if a.paths.selected != nil && !slices.Contains(a.paths.all, a.paths.selected) {
		t.Fatal("a forgotten path is selected")
	}
	seen := map[Path]bool{}
	for _, p := range a.paths.all {
		if seen[p.path] {
			t.Fatalf("%v is there twice", p.path)
		}
		seen[p.path] = true
		if a.Valid(now, p.path) != fresh(p.path) {
			t.Fatalf("%v: valid %v", p.path, a.Valid(now, p.path))
		}
	}
	if n := len(a.Ufrags()); n < 1 || n > 2 {
		t.Fatalf("%d fragments", n)
	}
}
