package signalserver

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// paces is how many addresses are told apart: a table of fixed size, so that no number of addresses costs more memory.
// Those that fall into the same place share it, and the seed keeps anybody from choosing whose.
const paces = 4096

// pace bounds how fast an address opens sessions, whether or not it keeps them: else the names of rooms, and of the
// people in them, could be had by trying. It is safe for concurrent use.
type pace struct {
	burst, perSecond float64
	seed             maphash.Seed

	mu     sync.Mutex
	places [paces]struct {
		used float64
		last time.Time
	}
}

// newPace lets an address open limit sessions a minute, and twice as many at first.
func newPace(limit int) *pace {
	return &pace{burst: 2 * float64(limit), perSecond: float64(limit) / 60, seed: maphash.MakeSeed()}
}

// allow counts one more, or returns false when it comes too early.
func (p *pace) allow(now time.Time, from netip.Prefix) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := &p.places[maphash.Comparable(p.seed, from)%paces]
	at.used = max(0, at.used-now.Sub(at.last).Seconds()*p.perSecond)
	at.last = now
	if at.used+1 > p.burst {
		return false
	}
	at.used++
	return true
}
