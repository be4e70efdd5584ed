package turn

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// Server is the engine. The package's contract says how it is to be driven.
type Server struct {
	cfg    Config
	grants Grants
	rand   io.Reader

	policy       policy
	nonces       nonces
	errorLimit   limiter
	bindingLimit limiter
	quota        quota
	answers      answers

	clients map[Client]*allocation
	relays  map[netip.AddrPort]*allocation
	timers  timers

	msg, reply *stun.Message
	ids        uint64 // of Data indications
	out        output
	stats      Stats
}

// New returns an engine. rand must be unpredictable: keys and relay ports come from it.
func New(cfg Config, grants Grants, rand io.Reader) (*Server, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, grants: grants, rand: rand,
		policy: newPolicy(cfg.Policy, cfg.Relay4, cfg.Relay6),
		quota:  newQuota(cfg), answers: newAnswers(),
		clients: make(map[Client]*allocation), relays: make(map[netip.AddrPort]*allocation),
		msg: stun.New(), reply: stun.New(),
	}
	var seed [24]byte
	for _, b := range [][]byte{s.nonces.key[:], seed[:]} {
		if _, err := io.ReadFull(rand, b); err != nil {
			return nil, fmt.Errorf("turn: random bytes: %w", err)
		}
	}
	s.errorLimit = newLimiter(binary.BigEndian.Uint64(seed[:8]), cfg.ErrorRate)
	s.bindingLimit = newLimiter(binary.BigEndian.Uint64(seed[8:16]), cfg.BindingRate)
	s.ids = binary.BigEndian.Uint64(seed[16:])
	return s, nil
}

// HandlePacket handles one datagram from a client, or one frame of its stream as a [Splitter] cut it. It may overwrite b.
// It returns ErrMalformed for what is neither STUN nor ChannelData, and nil for everything else, however it was answered.
func (s *Server) HandlePacket(now time.Time, c Client, b []byte) error {
	s.out.reset()
	if len(b) >= frameSize && b[0]&0xC0 == 0x40 {
		return s.handleChannelData(now, c, b)
	}
	if len(b) < headerSize || b[0]&0xC0 != 0 || binary.BigEndian.Uint32(b[4:8]) != magicCookie ||
		headerSize+int(binary.BigEndian.Uint16(b[2:4])) != len(b) || len(b)%4 != 0 {
		s.stats.Malformed++
		return ErrMalformed
	}
	// The capacity is cut because the library uses what lies behind the message as scratch space.
	s.msg.Raw = b[:len(b):len(b)]
	if s.msg.Decode() != nil || !fingerprintHolds(s.msg) {
		s.stats.Malformed++
		return ErrMalformed
	}
	switch s.msg.Type.Class {
	case stun.ClassRequest:
		s.handleRequest(&request{now: now, client: c, msg: s.msg})
	case stun.ClassIndication:
		if s.msg.Type.Method == stun.MethodSend {
			s.handleSend(now, c)
		}
	}
	return nil
}

// handleRequest is the table of methods.
func (s *Server) handleRequest(r *request) {
	if r.msg.Type.Method == stun.MethodBinding {
		s.handleBinding(r)
		return
	}
	var handle func(*Server, *request)
	switch r.msg.Type.Method {
	case stun.MethodAllocate:
		handle = (*Server).handleAllocate
	case stun.MethodRefresh:
		handle = (*Server).handleRefresh
	case stun.MethodCreatePermission:
		handle = (*Server).handleCreatePermission
	case stun.MethodChannelBind:
		handle = (*Server).handleChannelBind
	default:
		s.refuse(r, codeBadRequest)
		return
	}
	if !s.authenticate(r) {
		return
	}
	if raw := s.answers.get(r.now, r.answerKey()); raw != nil {
		s.send(r.client, raw)
		return
	}
	handle(s, r)
}

// handleBinding answers with the client's address and nothing else (RFC 8489 §12): no SOFTWARE, no other addresses.
func (s *Server) handleBinding(r *request) {
	if strange(r.msg) {
		s.refuse(r, codeUnknownAttribute)
		return
	}
	if r.client.Datagram() && !s.bindingLimit.allow(r.now, r.client.Addr.Addr()) {
		s.stats.Suppressed++
		return
	}
	m := s.begin(r, stun.ClassSuccessResponse)
	addAddress(m, stun.AttrXORMappedAddress, r.client.Addr)
	s.stats.Bindings++
	s.finish(r, m)
}

// HandleClosed says that a client's stream has ended; its allocation ends with it.
func (s *Server) HandleClosed(client Client) {
	s.out.reset()
	if a := s.clients[client]; a != nil {
		s.end(a)
		// Nobody is left to be told.
		s.out.events = deleteIdle(s.out.events)
	}
}

// Revoke ends every allocation of a session at once.
func (s *Server) Revoke(session string) {
	s.out.reset()
	for _, a := range s.clients {
		if a.session == session {
			s.end(a)
		}
	}
}

// SetOwn replaces what is known of this host: its addresses, and the number of our own port.
func (s *Server) SetOwn(own []netip.Addr, port uint16) { s.policy.setOwn(own, port) }

// Has reports whether the client has an allocation.
func (s *Server) Has(client Client) bool {
	a := s.clients[client]
	return a != nil && a.ready
}

// Poll returns what is to be done, and when HandleTimeout wants to be called at the latest; the zero time means never.
func (s *Server) Poll() (events []Event, deadline time.Time) {
	events = s.out.events[s.out.polled:]
	s.out.polled = len(s.out.events)
	return events, s.timers.next()
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	st := s.stats
	st.Allocations = s.quota.live
	return st
}
