package signalserver

import (
	"time"

	"github.com/parley-rtc/parley/internal/room"
	"github.com/parley-rtc/parley/internal/signal"
)

// happened hands on what happened in a room.
func (sh *shard) happened(h *hall) {
	for _, e := range h.Events() {
		switch e.Kind {
		case room.EventSaid:
			h.keepChat(e.Seat.Session, sh.number, e.Chat)
		case room.EventPurge:
			h.purge()
		case room.EventLost:
			if sh.sessions[e.Session] == nil {
				sh.server.alive.set(e.Session, false)
				if ended := sh.server.cfg.Ended; ended != nil {
					ended(e.Session)
				}
			}
		case room.EventOffHub:
			sh.offHub(h, e.Session)
		case room.EventRole:
			sh.roleChanged(e.Seat)
		default:
			sh.observe(h, e)
		}
	}
}

// observe tells the observer.
func (sh *shard) observe(h *hall, e room.Event) {
	o := sh.server.cfg.Observer
	if o == nil {
		return
	}
	switch e.Kind {
	case room.EventBegan:
		o.RoomBegan(h.name, h.Began())
	case room.EventEnded:
		o.RoomEnded(h.name, sh.now)
	case room.EventJoined:
		p := personOf(e.Seat)
		if s := sh.sessions[e.Seat.Session]; s != nil {
			p.Client, p.Address = s.client, s.from.address
		} else if g := sh.guests[e.Seat.Session]; g != nil {
			p.Client, p.Address = g.client, g.from
		}
		o.SeatJoined(h.name, sh.now, p)
	case room.EventHeld:
		o.SeatHeld(h.name, e.Seat.ID, e.Seat.Session)
	case room.EventAway:
		o.SeatAway(h.name, sh.now, e.Seat.ID)
	case room.EventBack:
		o.SeatBack(h.name, sh.now, e.Seat.ID)
	case room.EventTopology:
		o.Topology(h.name, sh.now, e.Topology, e.Seat.ID)
	case room.EventLeft:
		o.SeatLeft(h.name, sh.now, e.Seat.ID, e.Reason)
	}
}

func personOf(x signal.Seat) Person { return Person{Seat: x.ID, Name: x.Name, Role: x.Role} }

// revived tells the observer of a room that goes on after a restart.
func (s *Server) revived(h *hall, now time.Time) {
	if s.cfg.Observer == nil {
		return
	}
	var people []Person
	for _, x := range h.Seats() {
		if x.State != signal.SeatWaiting {
			people = append(people, personOf(x))
		}
	}
	s.cfg.Observer.RoomRevived(h.name, h.Began(), now, people)
}

// refer tells somebody who joined where the record of the call is.
func (s *Server) refer(h *hall, m *signal.Joined) {
	if s.cfg.Observer == nil {
		return
	}
	if id, token := s.cfg.Observer.Call(h.name, m.Seat); id != "" {
		m.Call = &signal.CallRef{ID: id, Token: token}
	}
}

// What one session may report: ten full messages at once, and far more than anybody has to say for long. More is dropped,
// so that it is its own lane only that suffers, and not the reports of others.
const (
	reportBurst = 10 * signal.MaxReport
	reportRate  = 16 // events per second
)

// mayReport reports whether so many events fit in.
func (s *session) mayReport(now time.Time, events int) bool {
	used := max(0, s.reported-now.Sub(s.reportedAt).Seconds()*reportRate)
	s.reportedAt = now
	if s.reported = used; used+float64(events) > reportBurst {
		return false
	}
	s.reported += float64(events)
	return true
}

// report hands on what a client says about its call. From somebody who does not sit in the room it is dropped.
func (sh *shard) report(s *session, m *signal.Report) {
	if o := sh.server.cfg.Observer; o != nil && s.hall.Inside(s.id) && s.mayReport(sh.now, len(m.Events)) {
		o.Report(s.hall.name, sh.now, s.hall.SeatOf(s.id), m.Events)
	}
}
