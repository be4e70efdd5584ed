package archive

import (
	"context"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/trace"
)

const (
	// maxHolders is how many sessions are kept in mind, and maxEarly how much of what the relay did for one of them before it
	// sat down: a page in front of the door gets two relayed addresses for each link that it prepares.
	maxHolders = 65_536
	maxEarly   = 16
	// lateTime is how long after a session's end the end of its relayed addresses is heard of: the relay tells it at once.
	lateTime = time.Minute
	// earlyTime is how long after the newest word of it a session is forgotten that never sat down. The end of one that
	// the relay refuses because it is over is not told again.
	earlyTime = time.Hour
	// sameRefusal is how long a refusal that is like the one before tells nothing new.
	sameRefusal = 10 * time.Second
)

// holder is a session as far as the relay is concerned.
type holder struct {
	call, seat string // empty before it sits down
	early      []relayed
	heard      time.Time // when the relay said something newest
	over       time.Time // when it ended; zero while it goes on
	refusal    relayed   // the newest
}

// relayed is something that the relay did.
type relayed struct {
	at    time.Time
	kind  signal.ReportKind
	relay trace.Relay
	cause string
}

// holder returns a session's, nil when there are too many.
func (s *state) holder(session string) *holder {
	h := s.holders[session]
	if h == nil && len(s.holders) < maxHolders {
		h = &holder{}
		s.holders[session] = h
	}
	return h
}

func (s *state) seated(room, session, seat string) {
	s.catchUp(room)
	h := s.holder(session)
	if h == nil || s.rooms[room] == "" {
		return
	}
	h.call, h.seat = s.rooms[room], seat
	for _, r := range h.early {
		s.tellRelay(h, r)
	}
	h.early = nil
}

func (s *state) gone(session string) {
	if h := s.holders[session]; h != nil {
		h.over = time.Now()
		if h.call == "" {
			delete(s.holders, session)
		}
	}
}

func (s *state) relay(session string, r relayed) {
	h := s.holders[session]
	if h == nil && (r.kind == trace.RelayAllocated || r.kind == trace.RelayRefused) {
		h = s.holder(session)
	}
	if h == nil {
		return
	}
	h.heard = time.Now()
	if r.kind == trace.RelayRefused {
		if last := h.refusal; last.relay.Code == r.relay.Code && last.cause == r.cause && r.at.Sub(last.at) < sameRefusal {
			return
		}
		h.refusal = r
	}
	switch {
	case h.call != "":
		s.tellRelay(h, r)
	case len(h.early) < maxEarly:
		h.early = append(h.early, r)
	}
}

// tellRelay puts into the record what the relay did; the call may be over.
func (s *state) tellRelay(h *holder, r relayed) {
	c := s.calls[h.call]
	if c == nil {
		var err error
		if c, err = s.restore(context.Background(), h.call); err != nil {
			s.fault(err)
		}
		if c == nil {
			return
		}
		s.calls[h.call] = c
	}
	s.touched[h.call] = true
	c.Relay(r.at, h.seat, r.kind, r.relay, r.cause)
}

// forgetHolders forgets the sessions that have been over for a while, and those that stand outside and are not heard of.
func (s *state) forgetHolders(now time.Time) {
	for session, h := range s.holders {
		if !h.over.IsZero() && now.Sub(h.over) > lateTime || h.call == "" && now.Sub(h.heard) > earlyTime {
			delete(s.holders, session)
		}
	}
}
