package room

import (
	"net/netip"
	"slices"

	"github.com/parley-rtc/parley/internal/signal"
)

// The lobby has few places, and anybody may stand in it. So they are shared out by address: whoever comes from an address
// that holds less gets the place of one that holds more. One person with many sessions keeps out nobody else, and as
// long as there is room, many people behind one address do not notice.

// clearLobby makes room in a full lobby for a guest from an address. The place of a session without a socket comes first,
// the oldest one's: whoever fills the lobby and goes away keeps nobody out. Then that of the address that holds most, if
// it holds at least two more than the newcomer's, again the oldest one's.
func (r *Room) clearLobby(from netip.Prefix) bool {
	held := map[netip.Prefix]int{}
	most := 0
	for _, s := range r.sessions {
		if s.seat != nil || s.Host {
			continue
		}
		if s.away {
			r.displace(s)
			return true
		}
		held[s.Address]++
		most = max(most, held[s.Address])
	}
	if most < held[from]+2 {
		return false
	}
	for _, s := range r.sessions {
		if s.seat == nil && !s.Host && held[s.Address] == most {
			r.displace(s)
			return true
		}
	}
	return false
}

func (r *Room) displace(s *session) {
	r.end(s, &signal.Bye{Reason: signal.ByeExpired, Words: "others needed the place in front of the room"})
}

// clearWaiting makes room in a full waiting room for a guest from an address, by the same rule: who came last from the
// address that has most people there goes back to the lobby.
func (r *Room) clearWaiting(from netip.Prefix) bool {
	held := map[netip.Prefix]int{}
	most := 0
	for _, x := range r.seats {
		if x.isWaiting() {
			held[x.address]++
			most = max(most, held[x.address])
		}
	}
	if most < held[from]+2 {
		return false
	}
	for _, x := range slices.Backward(r.seats) {
		if x.isWaiting() && held[x.address] == most {
			if t := r.find(x.Session); t != nil {
				r.refuse(t, x.re, signal.CodeBusy, "too many people from your address are waiting; try again in a minute")
			}
			r.vacate(x, signal.LeftLeft)
			return true
		}
	}
	return false
}

// earlySessions returns the sessions that have places for early links: no more than there are places.
func (r *Room) earlySessions() (list []*session) {
	for _, s := range r.sessions {
		if len(s.early) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// yields reports whether t gives its early links up for s: it has no socket, or its address holds more places than one
// and that of s none. list is earlySessions.
func (t *session) yields(s *session, list []*session) bool {
	if t.away {
		return true
	}
	same := 0
	for _, u := range list {
		switch {
		case u.away:
		case u.Address == s.Address:
			return false
		case u.Address == t.Address:
			same++
		}
	}
	return same > 1
}

// earlyFor reports whether there is a place for early links of s, that of somebody who yields it included.
func (r *Room) earlyFor(s *session) bool {
	list := r.earlySessions()
	return len(list) < maxEarly || slices.ContainsFunc(list, func(t *session) bool { return t.yields(s, list) })
}

// makeWay ends the early links of others as far as s needs their place.
func (r *Room) makeWay(s *session) {
	list := r.earlySessions()
	for i := 0; i < len(list) && len(list) >= maxEarly; i++ {
		if t := list[i]; t.yields(s, list) {
			r.dropEarly(t)
			list = append(list[:i:i], list[i+1:]...)
			i--
		}
	}
}
