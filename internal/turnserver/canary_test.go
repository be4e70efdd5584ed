package turnserver

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/turn"
	"github.com/pion/stun/v4"
)

// canary is a socket that must hear nothing.
type canary struct {
	conn *net.UDPConn
	addr netip.AddrPort
}

func listen(t testing.TB, addr string) canary {
	t.Helper()
	c, ok := tryListen(t, addr)
	if !ok {
		t.Fatalf("%s is taken", addr)
	}
	return c
}

// tryListen is listen, but for an address that may be taken.
func tryListen(t testing.TB, addr string) (canary, bool) {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		return canary{}, false
	}
	t.Cleanup(func() { conn.Close() })
	a := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return canary{conn, netip.AddrPortFrom(a.Addr().Unmap(), a.Port())}, true
}

// first returns the first datagram that the canary has heard. A mark is sent to it last, so nothing has to be waited for: over
// loopback the order holds.
func (c canary) first(t *testing.T) string {
	t.Helper()
	mark, err := net.Dial("udp", c.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer mark.Close()
	if _, err := mark.Write([]byte("mark")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2000)
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	n, _, err := c.conn.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// TestCanaries: with real relay sockets, no way of naming a loopback address reaches a listener on it, by any method, from an
// allocation of either family. One of the listeners stands on the relay's own address, for which permissions are granted.
func TestCanaries(t *testing.T) {
	needs(t, hasIPv6(), "IPv6 on loopback")
	h := open(t, Config{Engine: turn.Config{
		Relay4: netip.MustParseAddr("127.0.0.1"), Relay6: netip.MustParseAddr("::1"), Ports: turn.Ports{First: 20000, Last: 28000},
	}})
	canaries := []canary{listen(t, "127.0.0.1:0"), listen(t, "127.0.0.2:0"), listen(t, "127.77.1.1:0"), listen(t, "[::1]:0"), listen(t, "0.0.0.0:0")}
	forms := []string{
		"127.0.0.1", "127.0.0.2", "127.77.1.1", "0.0.0.0", "::", "::1", "::127.0.0.1", "::127.0.0.2", "::ffff:127.0.0.1",
		"::ffff:127.0.0.2", "::ffff:0.0.0.0", "::ffff:0:127.0.0.2", "64:ff9b::127.0.0.1", "64:ff9b::127.0.0.2",
		"64:ff9b:1::127.0.0.2", "2002:7f00:1::", "2002:7f00:2::1", "2001:0:7f00:2::80ff:fffd", "fe80::5efe:127.0.0.2",
	}
	granted := 0
	for _, family := range []byte{1, 2} {
		c := h.client("udp", "ann").allocate(family)
		number := uint16(0x4000)
		for _, form := range forms {
			for _, target := range append(canaries, canary{addr: h.udp.LocalAddr().(*net.UDPAddr).AddrPort()}) {
				peer := netip.AddrPortFrom(netip.MustParseAddr(form), target.addr.Port())
				exception := family == 1 && form == "127.0.0.1" || family == 2 && form == "::1"
				if code := c.permit(peer); (code == 0) != exception {
					t.Errorf("permission for %s on family %d: %d", peer, family, code)
				}
				if code := c.bind(number, peer); (code == 0) != exception {
					t.Errorf("channel for %s on family %d: %d", peer, family, code)
				}
				c.send(peer, "by send")
				c.channel(number, "by channel")
				if exception {
					granted++
					number++
				}
			}
		}
		if code := c.refresh(600); code != 0 { // everything before it has been handled
			t.Errorf("refresh: %d", code)
		}
	}
	for _, c := range canaries {
		if got := c.first(t); got != "mark" {
			t.Errorf("the canary on %s heard %q", c.addr, got)
		}
	}
	st := h.Stats()
	if granted != 12 || st.ToPeers != 0 || st.InMemory != 0 || st.NoPeer != 24 {
		t.Errorf("%d granted, %+v", granted, st)
	}
}

// TestExceptionStaysInMemory: what goes to a relayed address reaches its client, and not the socket that somebody else has
// bound to that very address.
func TestExceptionStaysInMemory(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			h := open(t, Config{})
			ann, bob := h.client("udp", "ann").allocate(1), h.client(network, "bob").allocate(1)
			// Relayed addresses are virtual: nobody of ours is bound there, and seldom somebody else.
			spy, free := tryListen(t, bob.relay.String())
			for ; !free; spy, free = tryListen(t, bob.relay.String()) {
				bob = h.client(network, "bob").allocate(1)
			}
			if code := ann.permit(bob.relay); code != 0 {
				t.Fatal(code)
			}
			if code := bob.permit(ann.relay); code != 0 {
				t.Fatal(code)
			}
			ann.send(bob.relay, "hello")
			if got := bob.data(); got != "hello" {
				t.Errorf("got %q", got)
			}
			if code := bob.bind(0x4444, ann.relay); code != 0 {
				t.Fatal(code)
			}
			if code := ann.bind(0x4001, bob.relay); code != 0 {
				t.Fatal(code)
			}
			ann.channel(0x4001, "odd")
			bob.channel(0x4444, "back")
			if got := bob.data(); got != "4444:odd" {
				t.Errorf("got %q", got)
			}
			if got := ann.data(); got != "4001:back" {
				t.Errorf("got %q", got)
			}
			if got := spy.first(t); got != "mark" {
				t.Errorf("the spy heard %q", got)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			if len(h.relays) != 0 {
				t.Error("there are relay sockets")
			}
		})
	}
}

// TestRelaySocket: an allowed peer that is not ours, both ways, with the relay's own address as the source.
func TestRelaySocket(t *testing.T) {
	h := open(t, Config{Engine: turn.Config{
		Ports:  turn.Ports{First: 20000, Last: 28000},
		Policy: turn.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}},
	}})
	peer := listen(t, "127.0.0.2:0")
	_ = peer.conn.SetDeadline(time.Now().Add(patience))
	ann := h.client("tcp", "ann").allocate(1)
	if code := ann.bind(0x4000, peer.addr); code != 0 {
		t.Fatal(code)
	}
	ann.channel(0x4000, "up")
	b := make([]byte, 100)
	n, src, err := peer.conn.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != "up" || netip.AddrPortFrom(src.Addr().Unmap(), src.Port()) != ann.relay {
		t.Fatalf("%q from %s, %v; the relayed address is %s", b[:n], src, err, ann.relay)
	}
	if _, err := peer.conn.WriteToUDPAddrPort([]byte("down"), src); err != nil {
		t.Fatal(err)
	}
	if got := ann.data(); got != "4000:down" {
		t.Errorf("got %q", got)
	}
	if code := ann.bind(0x4001, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), h.udp.LocalAddr().(*net.UDPAddr).AddrPort().Port())); code != 403 {
		t.Errorf("our own port on an allowed address: %d", code)
	}
	if code := ann.refresh(0); code != 0 {
		t.Fatal(code)
	}
	again, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(ann.relay))
	if err != nil {
		t.Fatalf("the relay socket is still open: %v", err)
	}
	again.Close()
}

// TestPortsInUse: ports that others hold are passed over, and none free is 508.
func TestPortsInUse(t *testing.T) {
	taken := listen(t, "127.0.0.1:0")
	h := open(t, Config{Engine: turn.Config{Ports: turn.Ports{First: taken.addr.Port(), Last: taken.addr.Port()}}})
	c := h.client("udp", "ann")
	if code := c.ask(stun.MethodAllocate, netip.AddrPort{}, attr{stun.AttrRequestedTransport, []byte{17, 0, 0, 0}}); code != 508 {
		t.Errorf("code %d", code)
	}
	taken.conn.Close()
	c.allocate(1)
}
