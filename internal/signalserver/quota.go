package signalserver

import (
	"net/netip"
	"sync"
)

// spareSockets is how many more sockets than sessions one address may have: for those that say hello just now.
const spareSockets = 64

// limits are what all sockets share.
type limits struct {
	sessions, rooms, conns quota
	pace                   *pace         // of new sessions
	large                  chan struct{} // a place for each large message that is being read
}

// quota counts things per address. It is safe for concurrent use.
type quota struct {
	limit int

	mu    sync.Mutex
	count map[netip.Prefix]int
}

// take counts one more, or returns false at the limit.
func (q *quota) take(p netip.Prefix) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == nil {
		q.count = map[netip.Prefix]int{}
	}
	if q.count[p] >= q.limit {
		return false
	}
	q.count[p]++
	return true
}

// force counts one more, whatever the limit.
func (q *quota) force(p netip.Prefix) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == nil {
		q.count = map[netip.Prefix]int{}
	}
	q.count[p]++
}

// give counts one less.
func (q *quota) give(p netip.Prefix) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count[p]--; q.count[p] <= 0 {
		delete(q.count, p)
	}
}

// prefixOf returns what counts as one address: an IPv4 address, or an IPv6 /64, which is what one customer gets.
func prefixOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // an unknown address: all of them count as one
	}
	return p
}
