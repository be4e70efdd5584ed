package portserver

import (
	"net"
	"net/netip"
	"testing"
)

// from is a connection that only knows where it comes from.
type from struct {
	net.Conn
	at string
}

func (f *from) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(f.at)) }

// TestTheLargestSourceGivesWay: one source cannot push out others that have less.
func TestTheLargestSourceGivesWay(t *testing.T) {
	u := newUndecided(4, 3)
	steps := []struct{ at, out string }{
		{"192.0.2.1:1", ""},
		{"192.0.2.9:1", ""},
		{"192.0.2.9:2", ""},
		{"192.0.2.9:3", ""},
		{"192.0.2.9:4", "192.0.2.9:1"}, // its own share
		{"192.0.2.2:1", "192.0.2.9:2"}, // not the oldest of all
		{"192.0.2.3:1", "192.0.2.9:3"},
		{"192.0.2.4:1", "192.0.2.1:1"}, // all have one: the oldest
	}
	for i, s := range steps {
		_, evicted := u.add(&from{at: s.at})
		got := ""
		if evicted != nil {
			got = evicted.RemoteAddr().String()
		}
		if got != s.out {
			t.Errorf("step %d: %q had to go, not %q", i, got, s.out)
		}
	}
	for left := u.len(); left > 0; left-- {
		if u.relieve() == nil {
			t.Fatal("nothing to close")
		}
	}
	if u.relieve() != nil || len(u.sources) > 0 || len(u.bySize) > 0 {
		t.Error("something is left behind")
	}
}
