package whipserver

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// paces is how many addresses' paces are told apart: a table of fixed size, whose seed keeps anybody from choosing with whom
// they share a place.
const paces = 1024

// limit bounds what one address may have and ask. It is safe for concurrent use.
type limit struct {
	most int
	seed maphash.Seed

	mu     sync.Mutex
	count  map[netip.Prefix]int
	bodies map[netip.Prefix]int
	coming int // all of bodies
	used   [paces]struct {
		requests float64
		last     time.Time
	}
}

func newLimit(most int) *limit {
	return &limit{most: most, seed: maphash.MakeSeed(), count: map[netip.Prefix]int{}, bodies: map[netip.Prefix]int{}}
}

// ask counts a request; false when there are too many: most a minute, twice as many at first.
func (l *limit) ask(now time.Time, from netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := &l.used[maphash.Comparable(l.seed, from)%paces]
	at.requests = max(0, at.requests-now.Sub(at.last).Seconds()*float64(l.most)/60)
	at.last = now
	if at.requests+1 > 2*float64(l.most) {
		return false
	}
	at.requests++
	return true
}

// take counts a session, give is its end.
func (l *limit) take(from netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count[from] >= l.most {
		return false
	}
	l.count[from]++
	return true
}

func (l *limit) give(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count[from]--; l.count[from] <= 0 {
		delete(l.count, from)
	}
}

// expect counts a body that is on its way, arrived is its end.
func (l *limit) expect(from netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.coming >= maxBodies || l.bodies[from] >= maxBodiesEach {
		return false
	}
	l.coming++
	l.bodies[from]++
	return true
}

func (l *limit) arrived(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.coming--
	if l.bodies[from]--; l.bodies[from] <= 0 {
		delete(l.bodies, from)
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
