package turn

import (
	"container/heap"
	"encoding/binary"
	"io"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// maxTries is how many relay ports are tried when binding fails, because other programs use some of the range.
const maxTries = 16

// protocolUDP is the only value of REQUESTED-TRANSPORT (RFC 8656 §18.7) that is served.
const protocolUDP = 17

// opening is an Allocate request that waits for its relay socket.
type opening struct {
	request request
	tries   int
}

// family reads REQUESTED-ADDRESS-FAMILY or ADDITIONAL-ADDRESS-FAMILY (RFC 8656 §18.6).
func family(m *stun.Message, t stun.AttrType) (v6, given, ok bool) {
	value, err := m.Get(t)
	if err != nil {
		return false, false, true
	}
	if len(value) != 4 || value[0] != family4 && value[0] != family6 {
		return false, true, false
	}
	return value[0] == family6, true, true
}

// requestedLifetime returns the lifetime that a request gets: what it asks for, within our bounds, or 0 for the end
// (RFC 8656 §7.2 and §8.2).
func requestedLifetime(m *stun.Message) (time.Duration, bool) {
	value, err := m.Get(stun.AttrLifetime)
	if err != nil {
		return defaultLifetime, true
	}
	if len(value) != 4 {
		return 0, false
	}
	asked := time.Duration(binary.BigEndian.Uint32(value)) * time.Second
	if asked == 0 {
		return 0, true
	}
	return min(max(asked, defaultLifetime), maxLifetime), true
}

func addLifetime(m *stun.Message, d time.Duration) {
	m.Add(stun.AttrLifetime, binary.BigEndian.AppendUint32(nil, uint32(d/time.Second)))
}

// handleAllocate is RFC 8656 §7.2.
func (s *Server) handleAllocate(r *request) {
	if a := s.clients[r.client]; a != nil {
		switch {
		case a.opening != nil && a.opening.request.answerKey() == r.answerKey():
			return // a retransmission; the answer is on its way
		case r.now.Before(a.expires):
			s.refuse(r, codeAllocationMismatch)
			return
		}
		s.end(a)
	}
	if code := checkAllocate(r.msg); code != 0 {
		s.refuse(r, code)
		return
	}
	if r.now.After(r.grant.Expires) || !s.grants.Alive(r.grant.Session) {
		s.stats.Unauthorized++
		s.refuse(r, codeUnauthorized)
		return
	}
	ip := s.relayIP(r.msg)
	if !ip.IsValid() {
		s.refuse(r, codeFamilyNotSupported)
		return
	}
	lifetime, ok := requestedLifetime(r.msg)
	if !ok || lifetime == 0 {
		s.refuse(r, codeBadRequest)
		return
	}
	port, ok := s.freePort(ip, r.msg.Contains(stun.AttrEvenPort))
	if !ok {
		s.refuse(r, codeInsufficientCapacity)
		return
	}
	source := SourceOf(r.client.Addr.Addr())
	if code := s.quota.take(r.grant.Session, source); code != 0 {
		s.refuse(r, code)
		return
	}
	a := &allocation{
		client: r.client, relay: netip.AddrPortFrom(ip, port), username: r.username, session: r.grant.Session,
		source: source, expires: r.now.Add(lifetime), asked: r.now, wake: r.now.Add(aliveInterval),
	}
	s.clients[a.client], s.relays[a.relay] = a, a
	heap.Push(&s.timers, a)
	s.start(a, r)
}

// checkAllocate looks at the attributes that choose the kind of allocation.
func checkAllocate(m *stun.Message) int {
	transport, err := m.Get(stun.AttrRequestedTransport)
	if err != nil || len(transport) != 4 {
		return codeBadRequest
	}
	if transport[0] != protocolUDP {
		return codeUnsupportedTransport
	}
	_, given, ok := family(m, stun.AttrRequestedAddressFamily)
	v6, additional, well := family(m, attrAdditionalAddressFamily)
	if !ok || !well || additional && (!v6 || given) {
		return codeBadRequest
	}
	evenPort, reservation := m.Contains(stun.AttrEvenPort), m.Contains(stun.AttrReservationToken)
	switch {
	case reservation && (evenPort || given || additional), evenPort && additional:
		return codeBadRequest
	case reservation:
		return codeInsufficientCapacity
	case evenPort:
		// Reserving the next port (the R bit) is for RTP and RTCP apart, which WebRTC has left behind: it cannot be had here.
		if value, _ := m.Get(stun.AttrEvenPort); len(value) != 1 {
			return codeBadRequest
		} else if value[0]&0x80 != 0 {
			return codeInsufficientCapacity
		}
	}
	return 0
}

// relayIP returns the address for the family that the request wants. Without a wish RFC 8656 §7.2 wants IPv4; a server that
// has only IPv6 gives that, because browsers never wish.
func (s *Server) relayIP(m *stun.Message) netip.Addr {
	v6, given, _ := family(m, stun.AttrRequestedAddressFamily)
	if v6 || !given && !s.cfg.Relay4.IsValid() {
		return s.cfg.Relay6
	}
	return s.cfg.Relay4
}

// freePort returns a random port that no live allocation has, an even one if wanted.
func (s *Server) freePort(ip netip.Addr, even bool) (uint16, bool) {
	ports := s.cfg.Ports
	if ports == (Ports{}) {
		ports = Ports{firstVirtualPort, lastVirtualPort}
	}
	var random [4]byte
	if _, err := io.ReadFull(s.rand, random[:]); err != nil {
		return 0, false
	}
	size := ports.size()
	first := int(binary.BigEndian.Uint32(random[:]) % uint32(size))
	for i := range size {
		port := ports.First + uint16((first+i)%size)
		if even && port%2 != 0 {
			continue
		}
		if _, taken := s.relays[netip.AddrPortFrom(ip, port)]; !taken {
			return port, true
		}
	}
	return 0, false
}

// start answers at once when the relayed address is virtual, and asks for a socket otherwise.
func (s *Server) start(a *allocation, r *request) {
	if s.cfg.Ports == (Ports{}) {
		a.ready = true
		s.welcome(a, r)
		return
	}
	a.socket = true
	a.opening = &opening{request: *r, tries: 1}
	// The message is used again for the next packet; the answer needs what is in this one.
	a.opening.request.msg = stun.New()
	if err := r.msg.CloneTo(a.opening.request.msg); err != nil {
		s.end(a)
		s.refuse(r, codeBadRequest)
		return
	}
	s.out.add(Event{Kind: Open, Relay: a.relay})
}

// HandleOpened reports how an Open event went. When it failed, another port is tried, and in the end the client is refused.
func (s *Server) HandleOpened(now time.Time, relay netip.AddrPort, opened bool) {
	s.out.reset()
	a := s.relays[relay]
	if a == nil || a.opening == nil {
		if opened { // it ended meanwhile
			s.out.add(Event{Kind: Close, Relay: relay})
		}
		return
	}
	r := &a.opening.request
	r.now = now
	if opened {
		a.ready, a.opening = true, nil
		s.welcome(a, r)
		return
	}
	port, ok := s.freePort(relay.Addr(), r.msg.Contains(stun.AttrEvenPort))
	if !ok || a.opening.tries >= maxTries {
		s.end(a)
		s.refuse(r, codeInsufficientCapacity)
		return
	}
	a.opening.tries++
	delete(s.relays, relay)
	a.relay = netip.AddrPortFrom(relay.Addr(), port)
	s.relays[a.relay] = a
	s.out.add(Event{Kind: Open, Relay: a.relay})
}

// welcome answers an Allocate request with its success.
func (s *Server) welcome(a *allocation, r *request) {
	s.stats.Allocated++
	s.tell(a, Allocated)
	r.keep = true
	m := s.begin(r, stun.ClassSuccessResponse)
	addAddress(m, stun.AttrXORRelayedAddress, a.relay)
	addAddress(m, stun.AttrXORMappedAddress, a.client.Addr)
	addLifetime(m, a.expires.Sub(r.now))
	if r.msg.Contains(attrAdditionalAddressFamily) {
		// One family each allocation; RFC 8656 §7.2 step 13 wants this said in the success.
		m.Add(attrAddressErrorCode, []byte{family6, 0, codeFamilyNotSupported / 100, codeFamilyNotSupported % 100})
	}
	s.finish(r, m)
}
