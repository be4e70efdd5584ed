package parley

import (
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// probeAfter is how long after taking a seat, or a change of our network, it is tried whether the hub is reached: the
	// call itself comes first. probeFor is how long that may take; the server waits for 12 s in all.
	probeAfter = 500 * time.Millisecond
	probeFor   = 10 * time.Second
	// probeAgain is when it is tried again after it failed.
	probeAgain = time.Minute
)

// reach is what we know of our way to the hub. While the call is direct a link that carries nothing tells, and ends;
// while it is not, the link that carries media does.
type reach struct {
	trunk *trunk
	due   time.Time // when to begin; zero for never
	until time.Time // when it has failed
	told  bool
	ok    bool
	why   signal.ReachWhy
}

// seekHub plans a probe.
func (s *state) seekHub(after time.Duration) {
	if s.me != "" && s.room.Topology != nil {
		s.reach.due = s.now.Add(after)
	}
}

// reachDue is when tendReach has something to do.
func (s *state) reachDue() (at time.Time) {
	r := &s.reach
	for _, t := range []time.Time{r.due, r.until, s.reachTCP()} {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

// reachTCP is when a probe that finds no way by UDP tries TCP.
func (s *state) reachTCP() time.Time {
	if t := s.reach.trunk; t != nil && !t.up && !t.how.tcp {
		return t.began.Add(tcpAfter)
	}
	return time.Time{}
}

// tendReach begins, and judges, the probe.
func (s *state) tendReach() {
	r := &s.reach
	if t := s.hub.main; s.usesHub() && t != nil && t.up {
		r.due, r.until = time.Time{}, time.Time{} // what carries media tells by itself
	}
	if !r.due.IsZero() && !s.now.Before(r.due) {
		r.due = time.Time{}
		r.until = s.now.Add(probeFor)
		if !s.usesHub() {
			s.shutTrunk(r.trunk, true)
			r.trunk = s.newTrunk(transports{}, true)
		}
	}
	if at := s.reachTCP(); !at.IsZero() && !s.now.Before(at) {
		s.shutTrunk(r.trunk, true)
		r.trunk = s.newTrunk(transports{tcp: true}, true)
	}
	if !r.until.IsZero() && !s.now.Before(r.until) {
		why := signal.ReachBlocked
		for _, t := range []*trunk{r.trunk, s.hub.main, s.hub.next} {
			if t != nil && t.reached {
				why = signal.ReachFailed
			}
		}
		s.reaches(false, why)
	}
}

// endProbe ends the probe: a link with the hub that carries media tells the same.
func (s *state) endProbe() {
	s.shutTrunk(s.reach.trunk, true)
	if r := &s.reach; !r.told && r.until.IsZero() {
		r.due, r.until = time.Time{}, s.now.Add(probeFor)
	}
}

// reaches says whether we reach the hub, when that is news.
func (s *state) reaches(ok bool, why signal.ReachWhy) {
	r := &s.reach
	r.until = time.Time{}
	s.shutTrunk(r.trunk, true)
	if !ok {
		r.due = s.now.Add(probeAgain)
	}
	if s.me == "" || s.room.Topology == nil || r.told && r.ok == ok && r.why == why {
		return
	}
	r.told, r.ok, r.why = true, ok, why
	_ = s.send(&signal.HubReach{OK: ok, Why: why}) // an overflow has ended the room
}
