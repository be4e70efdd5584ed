package turn

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// typeDataIndication is the message type of a Data indication (RFC 8656 §18.1).
const typeDataIndication = 0x0017

// handleChannelData relays ChannelData from a client (RFC 8656 §12.6). Behind the data there may be padding.
func (s *Server) handleChannelData(now time.Time, c Client, b []byte) error {
	number, size := binary.BigEndian.Uint16(b[:2]), int(binary.BigEndian.Uint16(b[2:4]))
	if rest := len(b) - frameSize - size; rest < 0 || rest > 3 || number > lastChannel {
		s.stats.Malformed++
		return ErrMalformed
	}
	a := s.of(now, c)
	if a == nil {
		s.stats.NoAllocation++
		return nil
	}
	ch := a.byNumber(now, number)
	if ch == nil {
		s.stats.NoPermission++
		return nil
	}
	frame := b[:frameSize+size]
	s.forward(now, a, ch.peer, s.verdict(ch), frame[frameSize:], frame)
	return nil
}

// handleSend relays the data of a Send indication (RFC 8656 §11.2). There is no answer, whatever happens to it.
func (s *Server) handleSend(now time.Time, c Client) {
	a := s.of(now, c)
	if a == nil {
		s.stats.NoAllocation++
		return
	}
	peer, ok := peerAddress(s.msg)
	data, err := s.msg.Get(stun.AttrData)
	if !ok || err != nil || strange(s.msg) {
		s.stats.Malformed++
		return
	}
	if peer.Addr().Is4() != a.relay.Addr().Is4() || !a.permitted(now, peer.Addr()) {
		s.stats.NoPermission++
		return
	}
	s.forward(now, a, peer, s.policy.judge(peer), data, nil)
}

// verdict returns the policy's verdict on a channel's peer, which is kept with the channel until the policy changes.
func (s *Server) verdict(c *channel) verdict {
	if c.epoch != s.policy.epoch {
		c.verdict, c.epoch = s.policy.judge(c.peer), s.policy.epoch
	}
	return c.verdict
}

// forward sends a client's data on to a peer. frame, if any, is the ChannelData that the payload lies in.
func (s *Server) forward(now time.Time, a *allocation, peer netip.AddrPort, v verdict, payload, frame []byte) {
	switch {
	case v == inMemory && s.isHub(peer):
		s.stats.InMemory++
		s.stats.Bytes += uint64(len(payload))
		a.up += uint64(len(payload))
		s.out.add(Event{Kind: ToHub, Relay: a.relay, Payload: payload})
	case v == inMemory:
		to := s.relays[peer]
		if to == nil || !to.ready || !now.Before(to.expires) {
			s.stats.NoPeer++
			return
		}
		if !to.permitted(now, a.relay.Addr()) {
			s.stats.NoPermission++
			return
		}
		s.stats.InMemory++
		a.up += uint64(len(payload))
		s.deliver(now, to, a.relay, payload, frame)
	case v == bySocket && a.socket:
		s.stats.ToPeers++
		s.stats.Bytes += uint64(len(payload))
		a.up += uint64(len(payload))
		s.out.add(Event{Kind: ToPeer, Relay: a.relay, Peer: peer, Payload: payload})
	default:
		s.stats.Forbidden++
	}
}

// HandleRelayed handles a datagram that came to a relay socket (RFC 8656 §11.3 and §12.7). It may not be changed by the
// caller until Poll is drained.
func (s *Server) HandleRelayed(now time.Time, relay, src netip.AddrPort, b []byte) {
	s.out.reset()
	src = netip.AddrPortFrom(src.Addr().Unmap(), src.Port())
	a := s.relays[relay]
	if a == nil || !a.ready || !now.Before(a.expires) {
		s.stats.NoAllocation++
		return
	}
	if !a.permitted(now, src.Addr()) {
		s.stats.NoPermission++
		return
	}
	var v verdict
	if ch := a.byPeer(now, src); ch != nil {
		v = s.verdict(ch)
	} else {
		v = s.policy.judge(src)
	}
	if v != bySocket { // the relay's own address never sends by socket: this one is forged
		s.stats.Forbidden++
		return
	}
	s.stats.ToClients++
	s.deliver(now, a, src, b, nil)
}

// isHub reports whether an address is where the hub is reached.
func (s *Server) isHub(a netip.AddrPort) bool {
	return s.cfg.Hub && s.policy.Port != 0 && a.Port() == s.policy.Port && s.policy.isRelay(a.Addr())
}

// HandleHub handles what the hub sends to a relayed address. b may not be changed by the caller until Poll is drained.
func (s *Server) HandleHub(now time.Time, relay netip.AddrPort, b []byte) {
	s.out.reset()
	a := s.relays[relay]
	if a == nil || !a.ready || !now.Before(a.expires) {
		s.stats.NoAllocation++
		return
	}
	hub := netip.AddrPortFrom(relay.Addr(), s.policy.Port)
	if !s.isHub(hub) || !a.permitted(now, hub.Addr()) {
		s.stats.NoPermission++
		return
	}
	s.stats.InMemory++
	s.deliver(now, a, hub, b, nil)
}

// deliver sends data from a peer to the client of an allocation, as ChannelData if the peer has a channel and as a Data
// indication otherwise. Of a frame only the number is exchanged, in place.
func (s *Server) deliver(now time.Time, to *allocation, src netip.AddrPort, payload, frame []byte) {
	if len(payload) > maxPayload {
		s.stats.Malformed++
		return
	}
	s.stats.Bytes += uint64(len(payload))
	to.down += uint64(len(payload))
	ch := to.byPeer(now, src)
	switch {
	case ch == nil:
		frame = s.dataIndication(src, payload)
	case frame == nil:
		frame = s.out.room(frameSize + len(payload))
		copy(frame[frameSize:], payload)
		binary.BigEndian.PutUint16(frame[2:4], uint16(len(payload)))
		fallthrough
	default:
		binary.BigEndian.PutUint16(frame[:2], ch.number)
	}
	s.out.add(Event{Kind: ToClient, Client: to.client, Payload: frame})
}

// maxPayload is what fits into a Data indication with an IPv6 address inside one UDP datagram over IPv4.
const maxPayload = 65507 - headerSize - 24 - 4 - 3

// dataIndication writes a Data indication (RFC 8656 §11.4). It is coded by hand because it is on the way of every packet
// that has no channel.
func (s *Server) dataIndication(src netip.AddrPort, payload []byte) []byte {
	addr := 4 + addressSize(src.Addr())
	data := 4 + (len(payload)+3)&^3
	m := s.out.room(headerSize + addr + data)
	binary.BigEndian.PutUint16(m[0:2], typeDataIndication)
	binary.BigEndian.PutUint16(m[2:4], uint16(addr+data))
	binary.BigEndian.PutUint32(m[4:8], magicCookie)
	// Nobody answers an indication: its id has to differ from others, not to be unpredictable.
	s.ids++
	clear(m[8:12])
	binary.BigEndian.PutUint64(m[12:20], s.ids)

	a := m[headerSize:]
	binary.BigEndian.PutUint16(a[0:2], stun.AttrXORPeerAddress.Value())
	binary.BigEndian.PutUint16(a[2:4], uint16(addr-4))
	encodeAddress(a[4:addr], src, [stun.TransactionIDSize]byte(m[8:20]))

	d := a[addr:]
	binary.BigEndian.PutUint16(d[0:2], stun.AttrData.Value())
	binary.BigEndian.PutUint16(d[2:4], uint16(len(payload)))
	clear(d[4+copy(d[4:], payload):])
	return m
}
