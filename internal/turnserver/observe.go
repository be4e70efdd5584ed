package turnserver

import (
	"hash/maphash"
	"time"

	"github.com/parley-rtc/parley/internal/turn"
)

// What is told of one session: a call has some six facts, one that moves between networks some dozens. A client that makes
// and ends relayed addresses as fast as it can must not drown what is told of others.
const (
	factBurst = 64
	factRate  = 2 // per second
	// factPlaces is how many sessions are told apart: a table of fixed size, whose seed nobody knows.
	factPlaces = 4096
)

// Fact is something that the relay did for a session, or did not do.
type Fact struct {
	turn.Fact
	// Transport is how the client reaches the relay: "udp", "tcp" or "tls".
	Transport string
}

// Observer is told what the relay does; the call record is made of it. It is called with the Server's lock held: it must
// be quick, never wait, and not call the Server.
type Observer interface {
	Relayed(at time.Time, f Fact)
}

// told bounds what is told of each session. Server.mu guards it.
type told struct {
	seed   maphash.Seed
	places [factPlaces]struct {
		used float64
		last time.Time
	}
}

// allow counts one more fact, or returns false when there are too many.
func (t *told) allow(now time.Time, session string) bool {
	at := &t.places[maphash.String(t.seed, session)%factPlaces]
	at.used = max(0, at.used-now.Sub(at.last).Seconds()*factRate)
	at.last = now
	if at.used+1 > factBurst {
		return false
	}
	at.used++
	return true
}

// observe tells the observer what happened.
func (s *Server) observe(now time.Time) {
	if s.cfg.Observer == nil {
		return
	}
	for _, f := range s.engine.Facts() {
		if !s.told.allow(now, f.Session) {
			continue
		}
		over := "udp"
		if st := s.streams.byID[f.Client.Stream]; st != nil && st.tls {
			over = "tls"
		} else if !f.Client.Datagram() {
			over = "tcp"
		}
		s.cfg.Observer.Relayed(now, Fact{Fact: f, Transport: over})
	}
}
