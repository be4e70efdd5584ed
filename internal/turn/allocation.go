package turn

import (
	"container/heap"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/stun/v4"
)

// allocation is RFC 8656 §3.2's: a relayed address, and who may use it for what.
type allocation struct {
	client   Client
	relay    netip.AddrPort
	username string // whoever refreshes or uses it must be the same, RFC 8656 §5
	session  string
	source   netip.Addr // what its quota counts by

	expires time.Time
	asked   time.Time // when its session was last asked for
	wake    time.Time // when the timers look at it
	place   int       // in the timers

	socket  bool     // has a relay socket, its relayed address is not virtual
	ready   bool     // the socket is open, or none is needed
	opening *opening // until then

	permissions []permission
	channels    []channel

	up, down                     uint64 // bytes of payload from the client and to it
	peersPermitted, peersRefused int
}

// permission lets packets from an address in, and Send indications out (RFC 8656 §9).
type permission struct {
	peer    netip.Addr
	expires time.Time
}

// channel is a short name for a peer (RFC 8656 §12).
type channel struct {
	number  uint16
	peer    netip.AddrPort
	expires time.Time
	verdict verdict // on the peer, as of epoch
	epoch   uint32
}

// permitted reports whether a permission for the address lives.
func (a *allocation) permitted(now time.Time, peer netip.Addr) bool {
	for i := range a.permissions {
		if a.permissions[i].peer == peer {
			return now.Before(a.permissions[i].expires)
		}
	}
	return false
}

// permit installs or refreshes a permission. It returns false when the allocation has too many.
func (a *allocation) permit(now time.Time, peer netip.Addr) bool {
	for i := range a.permissions {
		if a.permissions[i].peer == peer {
			a.permissions[i].expires = now.Add(permissionLifetime)
			return true
		}
	}
	if len(a.permissions) >= maxPermissions {
		a.tidy(now)
	}
	if len(a.permissions) >= maxPermissions {
		return false
	}
	a.permissions = append(a.permissions, permission{peer, now.Add(permissionLifetime)})
	return true
}

// byNumber returns the live channel of a number, or nil.
func (a *allocation) byNumber(now time.Time, number uint16) *channel {
	for i := range a.channels {
		if c := &a.channels[i]; c.number == number && now.Before(c.expires) {
			return c
		}
	}
	return nil
}

// byPeer returns the live channel of a peer, or nil.
func (a *allocation) byPeer(now time.Time, peer netip.AddrPort) *channel {
	for i := range a.channels {
		if c := &a.channels[i]; c.peer == peer && now.Before(c.expires) {
			return c
		}
	}
	return nil
}

// tidy forgets the permissions and channels that have expired.
func (a *allocation) tidy(now time.Time) {
	a.permissions = slices.DeleteFunc(a.permissions, func(p permission) bool { return !now.Before(p.expires) })
	a.channels = slices.DeleteFunc(a.channels, func(c channel) bool { return !now.Before(c.expires) })
}

// of returns the client's live allocation, or nil.
func (s *Server) of(now time.Time, c Client) *allocation {
	if a := s.clients[c]; a != nil && a.ready && now.Before(a.expires) {
		return a
	}
	return nil
}

// owned returns the allocation that an authenticated request is about, or answers: 437 without one, 441 when it was made
// with another username, which is what keeps a stranger's Refresh from ending it (RFC 8656 §5). The allocation of a
// session that is gone ends here.
func (s *Server) owned(r *request) *allocation {
	a := s.of(r.now, r.client)
	switch {
	case a == nil:
		s.refuse(r, codeAllocationMismatch)
		return nil
	case a.username != r.username:
		s.refuse(r, codeWrongCredentials)
		return nil
	case !s.grants.Alive(a.session):
		s.end(a)
		s.refuse(r, codeAllocationMismatch)
		return nil
	}
	a.asked = r.now
	return a
}

// end forgets an allocation and releases what it held.
func (s *Server) end(a *allocation) {
	delete(s.clients, a.client)
	delete(s.relays, a.relay)
	s.quota.give(a.session, a.source)
	heap.Remove(&s.timers, a.place)
	if a.ready {
		s.tell(a, Ended)
	}
	if a.socket && a.ready {
		s.out.add(Event{Kind: Close, Relay: a.relay})
	}
	if !a.client.Datagram() && a.ready {
		s.out.add(Event{Kind: Idle, Client: a.client})
	}
}

func deleteIdle(events []Event) []Event {
	return slices.DeleteFunc(events, func(e Event) bool { return e.Kind == Idle })
}

// HandleTimeout ends what has expired or whose session is gone.
func (s *Server) HandleTimeout(now time.Time) {
	s.out.reset()
	for len(s.timers) > 0 && !now.Before(s.timers[0].wake) {
		a := s.timers[0]
		if !now.Before(a.expires) || !s.grants.Alive(a.session) {
			s.end(a)
			continue
		}
		a.asked = now
		a.tidy(now)
		s.schedule(a)
	}
}

// schedule sets when the timers look at the allocation next.
func (s *Server) schedule(a *allocation) {
	a.wake = a.asked.Add(aliveInterval)
	if a.expires.Before(a.wake) {
		a.wake = a.expires
	}
	heap.Fix(&s.timers, a.place)
}

// timers is a heap of allocations by the time when they want to be looked at.
type timers []*allocation

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].wake.Before(t[j].wake) }
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].place, t[j].place = i, j
}

// Push is heap.Interface's.
func (t *timers) Push(x any) {
	a := x.(*allocation)
	a.place = len(*t)
	*t = append(*t, a)
}

// Pop is heap.Interface's.
func (t *timers) Pop() any {
	last := len(*t) - 1
	a := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	return a
}

func (t timers) next() time.Time {
	if len(t) == 0 {
		return time.Time{}
	}
	return t[0].wake
}

// handleRefresh is RFC 8656 §8.2.
func (s *Server) handleRefresh(r *request) {
	a := s.owned(r)
	if a == nil {
		return
	}
	if v6, given, ok := family(r.msg, stun.AttrRequestedAddressFamily); !ok {
		s.refuse(r, codeBadRequest)
		return
	} else if given && v6 != a.relay.Addr().Is6() {
		s.refuse(r, codeFamilyMismatch)
		return
	}
	lifetime, ok := requestedLifetime(r.msg)
	if !ok {
		s.refuse(r, codeBadRequest)
		return
	}
	if lifetime == 0 {
		s.end(a)
	} else {
		a.expires = r.now.Add(lifetime)
		s.schedule(a)
	}
	r.keep = true
	m := s.begin(r, stun.ClassSuccessResponse)
	addLifetime(m, lifetime)
	s.finish(r, m)
}
