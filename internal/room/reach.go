package room

import (
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// arrive prepares a seat that has a client again, or a new one, for switches. Whoever makes it three leaves first if
// there is no way to the hub.
func (r *Room) arrive(now time.Time, x *seat) {
	if !r.cfg.Hub {
		return
	}
	x.due = now.Add(SwitchTime)
	if x.Hub == "" {
		x.probeBy = now.Add(ReachTime)
	}
	if x.off {
		x.off, r.touched = false, true
		x.fresh = r.course.Kind == signal.TopologyDirect && r.counted() > directSeats
		r.course.stay = false
	}
}

// enter prepares a seat that is new in the room.
func (r *Room) enter(now time.Time, x *seat) {
	x.Note, x.off = "", r.cfg.Hub
	if t := r.find(x.Session); t != nil && r.cfg.Hub {
		x.Hub, x.HubWhy = t.reach, t.why
	}
	if x.encodes() {
		x.Hub, x.HubWhy = signal.ReachYes, "" // it came that way, or does not come
	}
	r.arrive(now, x)
}

// setReach notes whether the client of a seat reaches the hub, and tells everybody, itself included.
func (r *Room) setReach(x *seat, reach signal.Reach, why signal.ReachWhy) {
	if x.Hub != reach || x.HubWhy != why {
		x.Hub, x.HubWhy = reach, why
		r.announce(x, nil)
	}
}

// presume takes those who said nothing for old clients. It comes before whatever lets somebody in.
func (r *Room) presume(now time.Time) {
	if r.cfg.Hub {
		r.muster(now)
	}
	for _, x := range r.seats {
		if x.State == signal.SeatPresent && x.Hub == "" && !x.probeBy.IsZero() && !now.Before(x.probeBy) {
			r.setReach(x, signal.ReachNo, signal.ReachUnsupported)
		}
	}
}

// hubReach obeys what a client found. One in the lobby says it for when it joins.
func (r *Room) hubReach(now time.Time, s *session, m *signal.HubReach) {
	if !r.cfg.Hub {
		r.refuse(s, m.N, signal.CodeNoHub, "this server has no hub")
		return
	}
	s.reach, s.why = signal.ReachYes, ""
	if !m.OK {
		s.reach, s.why = signal.ReachNo, m.Why
		if m.Why == "" {
			s.why = signal.ReachFailed
		}
	}
	r.changed = true
	x := s.seat
	if !s.inside() {
		return
	}
	r.setReach(x, s.reach, s.why)
	if !m.OK && r.course.Next == signal.TopologyHub && x.moved != r.course.Epoch {
		r.fail(now, x)
	}
}

// move obeys a report on a switch. One about another epoch counts for nothing: it was overtaken, and the client hears so.
func (r *Room) move(now time.Time, s *session, m *signal.Moved) {
	switch {
	case !s.inside():
		r.refuse(s, m.N, signal.CodeOrder, "join first")
		return
	case r.course.Next == "" || m.Epoch != r.course.Epoch:
		return
	}
	if x := r.blame(s.seat, m.Missing); x != nil {
		r.fail(now, x)
		return
	}
	s.seat.moved = m.Epoch
	if r.course.Next == signal.TopologyHub {
		s.reach, s.why = signal.ReachYes, ""
		r.setReach(s.seat, s.reach, s.why)
	}
}

// blame finds who is the reason that x misses sound, nil when it misses none that is there. With pictures the call goes
// on, as it does when a newcomer is not heard, or hears somebody, later than others: nothing that was there is lost, and the
// way is known to be open.
func (r *Room) blame(x *seat, missing []signal.Missing) *seat {
	var worst *seat
	missed := map[*seat]bool{}
	for _, m := range missing {
		y := r.findSeat(m.Seat)
		if y == nil || y == x || y.State != signal.SeatPresent || y.encodes() || !sounds(y, m.Source) {
			continue
		}
		missed[y] = true
		if (x.fresh || y.fresh) && x.Hub == signal.ReachYes && y.Hub == signal.ReachYes {
			continue
		}
		if z := r.fault(x, y); worst == nil || worst != x && (z == x || z.Order > worst.Order) {
			worst = z
		}
	}
	if len(missed) > 1 && len(missed) == r.sounding(x) {
		return x // it hears nobody
	}
	return worst
}

// sounds reports whether that source of the seat is sound, and on.
func sounds(y *seat, s signal.Source) bool {
	return s == signal.SourceMicrophone && y.Media.Microphone || s == signal.SourceScreenAudio && y.Media.ScreenAudio
}

// sounding counts those besides x who are heard.
func (r *Room) sounding(x *seat) (n int) {
	for _, y := range r.seats {
		if y != x && y.State == signal.SeatPresent && !y.encodes() && (y.Media.Microphone || y.Media.ScreenAudio) {
			n++
		}
	}
	return n
}

// fault decides whether x, which does not hear y, or y is the reason: who is not known to reach the hub, then who came
// last to a room that did without them, then y if it has not moved itself.
func (r *Room) fault(x, y *seat) *seat {
	xs, ys := x.Hub == signal.ReachYes, y.Hub == signal.ReachYes
	switch {
	case xs != ys && ys:
		return x
	case xs != ys:
		return y
	case x.fresh != y.fresh && x.fresh:
		return x
	case x.fresh != y.fresh:
		return y
	case x.fresh && x.Order > y.Order:
		return x
	case x.fresh, y.moved != r.course.Epoch:
		return y
	}
	return x
}

// unable returns somebody inside who does not reach the hub, nil when nobody is known not to.
func (r *Room) unable() *seat {
	for _, x := range r.seats {
		if !x.isWaiting() && !x.off && x.Hub == signal.ReachNo {
			return x
		}
	}
	return nil
}

// obstacle says why the hub cannot carry s and those inside together; empty when it can, or is not needed.
func (r *Room) obstacle(s *session) (signal.Code, string) {
	n := r.counted()
	switch p := r.course.Policy; {
	case s != nil && s.Door != "":
		return r.unfit(&s.Visitor)
	case !r.cfg.Hub, p == signal.PolicyDirect, p == signal.PolicyAuto && n < directSeats:
		return "", ""
	case s != nil && s.reach == signal.ReachNo:
		return signal.CodeNoHub, ownReach
	}
	if r.course.Kind == signal.TopologyDirect || n <= directSeats {
		if x := r.unable(); x != nil {
			return signal.CodeNoHub, unreachable(x.Name, x.HubWhy)
		}
	}
	return "", ""
}

// barred reports whether there is an obstacle.
func (r *Room) barred(s *session) bool {
	code, _ := r.obstacle(s)
	return code != ""
}

// space makes room for one more, if need be by taking the seat of whoever has been away for longest, or says why not.
// s is the session that is to sit, nil when that is over.
func (r *Room) space(now time.Time, s *session) (signal.Code, string) {
	if code, words := r.obstacle(s); code != "" {
		return code, words
	}
	if !r.yield(now, r.limit()) {
		return signal.CodeFull, "every seat in this room is taken; try again when somebody has left"
	}
	return "", ""
}

// hasSpace is space without the reason.
func (r *Room) hasSpace(now time.Time, s *session) bool {
	code, _ := r.space(now, s)
	return code == ""
}

// setTopology obeys a host.
func (r *Room) setTopology(s *session, m *signal.SetTopology) {
	all, _ := r.taken()
	switch x := r.unable(); {
	case !r.cfg.Hub && m.Policy != signal.PolicyHub:
		return // as it is
	case !r.cfg.Hub:
		r.refuse(s, m.N, signal.CodeNoHub, "this server has no hub; calls are between two")
		return
	case m.Policy == signal.PolicyDirect && all > directSeats:
		r.refuse(s, m.N, signal.CodeOrder, "a direct call is for two, and more have seats here")
		return
	case m.Policy == signal.PolicyDirect && r.feeds():
		r.refuse(s, m.N, signal.CodeOrder, "an encoder or a player is here, which need the server; end it, or lock the room against players, first")
		return
	case m.Policy == signal.PolicyHub && r.course.Kind == signal.TopologyDirect && x != nil:
		r.refuse(s, m.N, signal.CodeNoHub, unreachable(x.Name, x.HubWhy))
		return
	case m.Policy == r.course.Policy:
		return
	}
	r.course.Policy, r.course.stay, r.changed = m.Policy, false, true
}
