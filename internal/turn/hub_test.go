package turn

import (
	"net/netip"
	"testing"
)

// TestHub: with a hub, our own port on the relay's address leads to it and nowhere else, in memory, and back; without one it leads
// nowhere.
func TestHub(t *testing.T) {
	for _, hub := range []bool{false, true} {
		cfg := policyConfig()
		cfg.Hub = hub
		l := newLab(t, cfg)
		a := l.peer("203.0.113.9:1", "ann").allocate()
		at := netip.AddrPortFrom(relay4, 8443).String()
		a.bind(0x4000, at)
		for _, send := range []func(){func() { a.channel(0x4000, "x") }, func() { a.indicate(at, "x") }} {
			send()
			switch {
			case !hub && len(l.out) != 0:
				t.Errorf("without a hub: %+v", l.out)
			case hub && (len(l.out) != 1 || l.out[0].Kind != ToHub || l.out[0].Relay != a.relay || string(l.out[0].Payload) != "x"):
				t.Errorf("to the hub: %+v", l.out)
			}
		}
		l.out = nil
		l.s.HandleHub(l.now, a.relay, []byte("back"))
		l.drain()
		if got := a.got(); hub && (len(got) != 1 || got[0].data != "back") || !hub && len(l.out) != 0 {
			t.Errorf("from the hub (%v): %+v", hub, l.out)
		}
		a.indicate(netip.AddrPortFrom(relay4, 8444).String(), "x")
		l.s.HandleHub(l.now, netip.AddrPortFrom(relay4, 1), []byte("nobody"))
		l.drain()
		if len(l.out) != 0 {
			t.Errorf("another port: %+v", l.out)
		}
	}
}
