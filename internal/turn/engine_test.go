package turn

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// machine runs an engine from bytes and checks after every step what must always hold.
type machine struct {
	*lab
	input   []byte
	peers   []*peer
	granted map[string]time.Time // client + peer address → when a permission was last granted
}

func (m *machine) byte() byte {
	if len(m.input) == 0 {
		return 0
	}
	b := m.input[0]
	m.input = m.input[1:]
	return b
}

// address picks a peer address: relayed ones of ours, public ones, forbidden ones.
func (m *machine) address() netip.AddrPort {
	b := m.byte()
	switch {
	case b < 96:
		return m.peers[int(b)%len(m.peers)].relay
	case b < 128:
		return netip.AddrPortFrom(relay4, 50000+uint16(m.byte()))
	case b < 160:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, 8, 8, b & 3}), uint16(m.byte()))
	case b < 176:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x26, 15: b}), uint16(m.byte()))
	}
	all := forbidden()
	return netip.AddrPortFrom(netip.MustParseAddr(all[int(m.byte())%len(all)]), uint16(m.byte()))
}

func (m *machine) step() {
	p := m.peers[int(m.byte())%len(m.peers)]
	target := m.address()
	xor := attr{stun.AttrXORPeerAddress, []byte(target.String())}
	if !target.IsValid() {
		xor = attr{0xabcd, nil}
	}
	channel := number(0x3fff + uint16(m.byte()%5))
	id := m.id()
	request := func(method stun.Method, attrs ...attr) bool {
		_ = p.packet(p.client, p.signed(method, id, attrs...))
		code, answer := p.answer(id)
		if code == codeStaleNonce || code == codeUnauthorized {
			p.nonce = append([]byte(nil), get(m.t, answer, stun.AttrNonce)...)
		}
		if code == 0 && method == stun.MethodAllocate {
			p.relay, _ = decodeAddress(get(m.t, answer, stun.AttrXORRelayedAddress), id)
		}
		return code == 0
	}
	switch m.byte() % 10 {
	case 0:
		request(stun.MethodAllocate, transport(protocolUDP), []attr{wantFamily(family4), wantFamily(family6), {0x8123, nil}}[m.byte()%3])
	case 1:
		request(stun.MethodRefresh, lifetime(uint32(m.byte())*20))
	case 2:
		if request(stun.MethodCreatePermission, xor) {
			m.granted[fmt.Sprint(p.client, target.Addr())] = m.now
		}
	case 3:
		if request(stun.MethodChannelBind, channel, xor) {
			m.granted[fmt.Sprint(p.client, target.Addr())] = m.now
		}
	case 4:
		_ = p.packet(p.client, frame(binary.BigEndian.Uint16(channel.value), "data"))
	case 5:
		msg := build(stun.NewType(stun.MethodSend, stun.ClassIndication), id, xor, attr{stun.AttrData, []byte("data")})
		_ = p.packet(p.client, msg.Raw)
	case 6:
		m.relayed(p.relay, target, []byte("data"))
	case 7:
		m.wait(time.Duration(m.byte()) * 3 * time.Second)
		if !m.next.IsZero() && !m.next.After(m.now) {
			m.t.Fatalf("wants to be woken at %s, it is %s", m.next, m.now)
		}
	case 8: // raw bytes
		n := min(int(m.byte()), len(m.input))
		_ = p.packet(p.client, m.input[:n])
		m.input = m.input[n:]
	case 9:
		m.book.dead[p.user] = m.byte()%4 == 0
	}
}

// check holds the invariants against the engine and what it has just put out.
func (m *machine) check() {
	s := m.s
	if n := s.quota.live; len(s.clients) != n || len(s.relays) != n || len(s.timers) != n || n > s.cfg.Total || len(m.open) > n {
		m.t.Fatalf("%d allocations, %d clients, %d relays, %d timers, %d sockets", n, len(s.clients), len(s.relays), len(s.timers), len(m.open))
	}
	for session, n := range s.quota.sessions {
		if n > s.cfg.PerSession {
			m.t.Fatalf("session %s has %d", session, n)
		}
	}
	bad := map[netip.Addr]bool{relay4: true, relay6: true}
	for _, a := range forbidden() {
		bad[netip.MustParseAddr(a)] = true
	}
	for _, e := range m.out {
		switch e.Kind {
		case ToPeer:
			if bad[e.Peer.Addr()] || !m.open[e.Relay] {
				m.t.Fatalf("sent from %s to %s", e.Relay, e.Peer)
			}
		case ToClient:
			m.checkDelivered(e)
		}
	}
}

// checkDelivered: data reach a client only from an address that it has permitted in the last five minutes.
func (m *machine) checkDelivered(e Event) {
	var from netip.Addr
	if e.Payload[0]&0xC0 == 0x40 {
		a := m.s.clients[e.Client]
		if a == nil {
			m.t.Fatal("data for a client without an allocation")
		}
		c := a.byNumber(m.now, binary.BigEndian.Uint16(e.Payload))
		if c == nil {
			m.t.Fatalf("data on channel %x, which is not bound", e.Payload[:2])
		}
		from = c.peer.Addr()
	} else {
		msg := decode(m.t, e.Payload)
		if msg.Type.Method != stun.MethodData {
			return
		}
		peer, _ := peerAddress(msg)
		from = peer.Addr()
	}
	at, ok := m.granted[fmt.Sprint(e.Client, from)]
	if !ok || m.now.Sub(at) >= permissionLifetime {
		m.t.Fatalf("data from %s for %s, permitted %v at %s, now %s", from, e.Client.Addr, ok, at, m.now)
	}
}

// FuzzEngine interprets bytes as what four clients of three users, two peers of the Internet and time do.
func FuzzEngine(f *testing.F) {
	f.Add(true, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add(false, []byte{0, 200, 1, 0, 0, 2, 1, 200, 1, 0, 0, 2, 0, 1, 1, 2, 1, 0, 1, 2, 0, 1, 1, 3, 1, 0, 1, 3, 0, 1, 1, 4, 1, 0, 1, 5})
	f.Add(true, []byte{0, 200, 1, 0, 0, 2, 0, 200, 1, 0, 0, 2, 0, 130, 1, 1, 3, 0, 130, 1, 1, 4, 0, 130, 1, 1, 6, 0, 0, 0, 7, 99, 0, 0, 0, 7, 99, 0, 130, 1, 1, 6})
	f.Fuzz(func(t *testing.T, sockets bool, input []byte) {
		cfg := policyConfig()
		cfg.PerSession, cfg.Total = 2, 3
		if !sockets {
			cfg.Ports = Ports{}
		}
		m := &machine{lab: newLab(t, cfg), input: input, granted: map[string]time.Time{}}
		m.fail = func(a netip.AddrPort) bool { return a.Port()%3 == 0 }
		for i, user := range []string{"ann", "bob", "ann", "eve"} {
			p := m.peer(fmt.Sprintf("203.0.113.%d:5", i), user)
			p.client.Stream = uint64(i % 2 * i)
			p.ask(stun.MethodRefresh) // learns the nonce
			m.peers = append(m.peers, p)
		}
		for range 200 {
			if len(m.input) == 0 {
				break
			}
			m.step()
			m.check()
		}
	})
}
