package turn

import "net/netip"

// FactKind says what a [Fact] is about.
type FactKind uint8

const (
	// Allocated says that the session has got a relayed address.
	Allocated FactKind = iota + 1
	// Permitted says that an allocation has got its first permission, so that something can be relayed.
	Permitted
	// Refused says that an Allocate request, or the first peer of an allocation that it must not reach, was refused with Code.
	Refused
	// Ended says that an allocation is over. Its counters say what it was used for.
	Ended
)

// Fact is something that the engine did for a session, or did not do. Only what authenticated clients ask for is one, and
// no allocation makes more than four, so that they are few whatever a client sends; but Allocate may be refused often.
type Fact struct {
	Kind FactKind
	// Session is whose credential it was, Client the way to the client, and Relay the relayed address, if there is one.
	Session string
	Client  Client
	Relay   netip.AddrPort
	// Code is the error code, with Refused. Peers is true when it was a peer that was refused, not the allocation.
	Code  int
	Peers bool
	// Up and Down are the bytes of payload from the client and to it, PeersPermitted counts the addresses that got a
	// permission which had none, and PeersRefused the refusals, with Ended.
	Up, Down                     uint64
	PeersPermitted, PeersRefused int
}

// Facts returns what happened since the last call whose name begins with Handle, and Revoke, and forgets it. It is valid
// until the next call on the engine. Ask before the events of Poll are carried out: HandleOpened is such a call.
func (s *Server) Facts() []Fact {
	facts := s.out.facts
	s.out.facts = s.out.facts[:0]
	return facts
}

// tell notes a fact about an allocation.
func (s *Server) tell(a *allocation, kind FactKind) {
	s.out.facts = append(s.out.facts, Fact{
		Kind: kind, Session: a.session, Client: a.client, Relay: a.relay,
		Up: a.up, Down: a.down, PeersPermitted: a.peersPermitted, PeersRefused: a.peersRefused,
	})
}

// permitted counts the peers that have a permission now and had none.
func (s *Server) permitted(a *allocation, peers int) {
	if a.peersPermitted += peers; peers > 0 && a.peersPermitted == peers {
		s.tell(a, Permitted)
	}
}

// forbidden counts a peer that an allocation must not reach.
func (s *Server) forbidden(a *allocation, code int) {
	if a.peersRefused++; a.peersRefused == 1 {
		s.out.facts = append(s.out.facts, Fact{Kind: Refused, Session: a.session, Client: a.client, Relay: a.relay, Code: code, Peers: true})
	}
}
