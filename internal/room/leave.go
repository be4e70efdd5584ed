package room

import (
	"cmp"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Lost says that the session has no socket any more. Its seat is kept for the grace time. closed says that the client
// closed the socket itself, as a page does that goes away.
func (r *Room) Lost(now time.Time, id string, closed bool) {
	r.presume(now)
	s := r.find(id)
	if s == nil || s.away {
		return
	}
	s.away = true
	if x := s.seat; x != nil {
		x.closed = closed
		r.away(now, x)
	}
	r.changed = true // an early link of it yields
	r.unanswered(now, func(p probe) bool { return p.holder == id })
	r.settle(now)
}

// away marks a seat as empty for now.
func (r *Room) away(now time.Time, x *seat) {
	if x.since.IsZero() {
		x.since = now
	}
	if x.State == signal.SeatPresent {
		x.State = signal.SeatAway
		r.note(EventAway, x)
		r.announce(x, r.find(x.Session))
	}
}

// Back says that the session has a socket again.
func (r *Room) Back(now time.Time, id string) {
	r.presume(now)
	s := r.find(id)
	if s == nil || !s.away {
		return
	}
	s.away, r.changed = false, true
	if x := s.seat; x != nil {
		x.since, x.closed = time.Time{}, false
		if x.State == signal.SeatAway {
			x.State = signal.SeatPresent
			r.arrive(now, x)
			r.note(EventBack, x)
			r.announce(x, s)
		}
	}
	r.settle(now)
}

// Gone says that the session is over, or the player. With leave its seat is given up; otherwise the seat is kept for the
// grace time, for a new session that shows its token.
func (r *Room) Gone(now time.Time, id string, leave bool) {
	s := r.find(id)
	if s == nil {
		r.unwatch(now, id)
		return
	}
	x := s.seat
	s.seat = nil
	r.drop(s)
	r.presume(now)
	switch {
	case x == nil:
	case leave, x.encodes():
		r.vacate(x, signal.LeftLeft)
	default:
		x.Session, x.closed = "", true
		r.away(now, x)
	}
	r.unanswered(now, func(p probe) bool { return p.holder == id })
	r.finish(now)
	r.settle(now)
}

// Revoke makes the tokens of the session's seat worthless: one of its resume tokens was used a second time, so
// somebody may have copied them.
func (r *Room) Revoke(id string) {
	if s := r.find(id); s != nil && s.seat != nil {
		s.seat.generation++
		r.touched = true
	}
}

func (r *Room) leave(now time.Time, s *session, n uint64) {
	if s.seat == nil {
		r.refuse(s, n, signal.CodeOrder, "you have not joined")
		return
	}
	r.vacate(s.seat, signal.LeftLeft)
	r.finish(now)
}

// vacate is vacateFor without words of a host.
func (r *Room) vacate(x *seat, why signal.LeftReason) { r.vacateFor(x, why, "") }

// vacateFor takes a seat away and tells everybody who knew of it, its own session too. That session stays in the lobby,
// except where its time ran out or a host sent it away: then it is over.
func (r *Room) vacateFor(x *seat, why signal.LeftReason, words string) {
	for _, s := range r.sessions {
		if s.seat == x || s.sees && r.tells(s, x) {
			r.send(s, &signal.Left{Seat: x.ID, Reason: why})
		}
	}
	r.seats = slices.DeleteFunc(r.seats, func(y *seat) bool { return x == y })
	r.changed = true
	if !x.isWaiting() {
		r.tellPlayers(func() signal.Message { return &signal.Left{Seat: x.ID, Reason: why} })
		r.course.stay = false
		r.events = append(r.events, Event{Kind: EventLeft, Seat: x.Seat, Reason: why})
	}
	r.lose(x)
	s := r.find(x.Session)
	if s == nil {
		return
	}
	s.seat = nil
	r.offHub(s)
	r.forgetLinks(s.ID)
	switch why {
	case signal.LeftExpired:
		r.end(s, &signal.Bye{Reason: signal.ByeExpired, Words: "you were away for too long; join again"})
	case signal.LeftRemoved:
		r.end(s, &signal.Bye{Reason: signal.ByeRemoved, Words: cmp.Or(words, "a host removed you from the room")})
	}
}

// end forgets the session and has the shell say goodbye to it.
func (r *Room) end(s *session, bye *signal.Bye) {
	r.drop(s)
	r.effects = append(r.effects, Effect{Session: s.ID, End: bye})
}

// drop forgets the session.
func (r *Room) drop(s *session) {
	r.offHub(s)
	r.dropEarly(s)
	r.forgetLinks(s.ID)
	r.sessions = slices.DeleteFunc(r.sessions, func(t *session) bool { return s == t })
	r.probes = slices.DeleteFunc(r.probes, func(p probe) bool { return p.claimer == s.ID })
	r.changed = true
}

// finish ends the room when nobody has a seat in it any more. Those who wait learn that there is nobody to wait for.
func (r *Room) finish(now time.Time) {
	if all, _ := r.taken(); all > 0 || !r.exists {
		return
	}
	r.exists, r.changed, r.ended = false, true, now
	if r.course.Kind != signal.TopologyDirect || r.course.Next != "" {
		r.turn(signal.TopologyDirect)
	}
	r.course.wake = time.Time{}
	r.events = append(r.events, Event{Kind: EventEnded})
	if r.history != signal.HistoryForever {
		r.events = append(r.events, Event{Kind: EventPurge})
		r.history = r.cfg.History
	}
	for _, x := range r.seats {
		r.lose(x)
		if s := r.find(x.Session); s != nil {
			s.seat = nil
			r.refuse(s, x.re, signal.CodeNoRoom, "everybody has left the room; there is nobody to let you in")
		}
	}
	r.seats = nil
	r.dismiss(everybody, signal.Bye{Reason: signal.ByeExpired, Words: "everybody has left the room"})
}

// HandleTimeout does what is due at now.
func (r *Room) HandleTimeout(now time.Time) {
	r.presume(now)
	r.unanswered(now, func(p probe) bool { return !now.Before(p.deadline) })
	for _, x := range slices.Clone(r.seats) {
		if !x.since.IsZero() && !now.Before(x.since.Add(r.cfg.Grace)) {
			r.vacate(x, signal.LeftExpired)
		}
	}
	r.forgive(now)
	r.finish(now)
	r.settle(now)
}

// Deadline returns when HandleTimeout has to be called; zero when there is nothing to wait for.
func (r *Room) Deadline() time.Time {
	var d time.Time
	sooner := func(t time.Time) {
		if d.IsZero() || t.Before(d) {
			d = t
		}
	}
	for _, x := range r.seats {
		if !x.since.IsZero() {
			sooner(x.since.Add(r.cfg.Grace))
		}
		if x.State == signal.SeatAway && !x.yielding {
			sooner(x.since.Add(patience)) // then it is somebody else's who wants it
		}
	}
	for _, p := range r.probes {
		sooner(p.deadline)
	}
	for _, x := range r.removed {
		sooner(x.Until)
	}
	if !r.course.wake.IsZero() {
		sooner(r.course.wake)
	}
	return d
}
