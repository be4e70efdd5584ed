package turn

import (
	"encoding/binary"
	"net/netip"

	"github.com/pion/stun/v4"
)

// Channel numbers that may be bound (RFC 8656 §12, Table 4); the rest of 0x4000-0x7FFF is reserved.
const (
	firstChannel = 0x4000
	lastChannel  = 0x4FFF
)

// checkPeer decides whether an allocation may have a peer, by the policy's verdict on it. Without relay sockets only the
// relay's own address leads anywhere; saying so lets a client give up on the rest at once.
func (s *Server) checkPeer(a *allocation, peer netip.Addr, v verdict) int {
	switch {
	case peer.Is4() != a.relay.Addr().Is4():
		return codeFamilyMismatch
	case v == refused, v == bySocket && !a.socket:
		s.stats.ForbiddenPeers++
		return codeForbidden
	}
	return 0
}

// handleCreatePermission is RFC 8656 §10.2: all of the peers or none.
func (s *Server) handleCreatePermission(r *request) {
	a := s.owned(r)
	if a == nil {
		return
	}
	var peers []netip.Addr
	for _, attr := range r.msg.Attributes {
		if attr.Type != stun.AttrXORPeerAddress {
			continue
		}
		peer, ok := decodeAddress(attr.Value, r.msg.TransactionID)
		if !ok {
			s.refuse(r, codeBadRequest)
			return
		}
		if code := s.checkPeer(a, peer.Addr(), s.policy.judgeAddr(peer.Addr())); code != 0 {
			s.forbidden(a, code)
			s.refuse(r, code)
			return
		}
		peers = append(peers, peer.Addr())
	}
	if len(peers) == 0 {
		s.refuse(r, codeBadRequest)
		return
	}
	fresh := 0
	for _, peer := range peers {
		if !a.permitted(r.now, peer) {
			fresh++
		}
		if !a.permit(r.now, peer) {
			s.refuse(r, codeInsufficientCapacity)
			return
		}
	}
	s.permitted(a, fresh)
	s.finish(r, s.begin(r, stun.ClassSuccessResponse))
}

// handleChannelBind is RFC 8656 §12.2.
func (s *Server) handleChannelBind(r *request) {
	a := s.owned(r)
	if a == nil {
		return
	}
	value, err := r.msg.Get(stun.AttrChannelNumber)
	peer, ok := peerAddress(r.msg)
	if err != nil || len(value) != 4 || !ok {
		s.refuse(r, codeBadRequest)
		return
	}
	number := binary.BigEndian.Uint16(value)
	if number < firstChannel || number > lastChannel {
		s.refuse(r, codeBadRequest)
		return
	}
	v := s.policy.judge(peer)
	if code := s.checkPeer(a, peer.Addr(), v); code != 0 {
		s.forbidden(a, code)
		s.refuse(r, code)
		return
	}
	fresh := 0
	if !a.permitted(r.now, peer.Addr()) {
		fresh = 1
	}
	if code := a.bind(r, number, peer, v, s.policy.epoch); code != 0 {
		s.refuse(r, code)
		return
	}
	s.permitted(a, fresh)
	s.finish(r, s.begin(r, stun.ClassSuccessResponse))
}

// bind binds a channel or refreshes its binding, and the permission with it. One number has one peer and one peer one number
// for as long as the binding lives.
func (a *allocation) bind(r *request, number uint16, peer netip.AddrPort, v verdict, epoch uint32) int {
	a.tidy(r.now)
	c := a.byNumber(r.now, number)
	if c != a.byPeer(r.now, peer) {
		return codeBadRequest
	}
	if c == nil && len(a.channels) >= maxChannels || !a.permit(r.now, peer.Addr()) {
		return codeInsufficientCapacity
	}
	if c == nil {
		a.channels = append(a.channels, channel{number: number, peer: peer})
		c = &a.channels[len(a.channels)-1]
	}
	c.expires, c.verdict, c.epoch = r.now.Add(channelLifetime), v, epoch
	return 0
}
