package room

import (
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// What one seat may send of reactions.
const (
	reactionBurst = 5
	reactionEvery = time.Second
)

// conference obeys a message of somebody inside that is not for hosts only.
func (r *Room) conference(now time.Time, s *session, m signal.Message) {
	if !s.inside() {
		r.refuse(s, m.Head().N, signal.CodeOrder, "join first")
		return
	}
	switch m := m.(type) {
	case *signal.Hand:
		r.hand(s, m)
	case *signal.Reaction:
		r.reaction(now, s, m)
	case *signal.Speak:
		r.speak(s, m)
	}
}

// hand raises one's own hand, or lowers it or, for hosts, somebody's. The order is the room's to give, so everybody is
// told, whoever raised it too.
func (r *Room) hand(s *session, m *signal.Hand) {
	x := s.seat
	if m.Seat != "" && m.Seat != x.ID {
		switch x = r.findSeat(m.Seat); {
		case !s.hosting():
			r.refuse(s, m.N, signal.CodeForbidden, "only a host may lower the hand of somebody else")
			return
		case x == nil || x.isWaiting():
			r.refuse(s, m.N, signal.CodeNoPeer, "nobody in the room has that seat")
			return
		case m.Up:
			r.refuse(s, m.N, signal.CodeForbidden, "people raise their hands themselves")
			return
		}
	}
	if m.Up == (x.Hand > 0) {
		return
	}
	x.Hand = 0
	if m.Up {
		r.hands++
		x.Hand = r.hands
	}
	r.announce(x, nil)
}

// reaction passes a sign on to everybody inside.
func (r *Room) reaction(now time.Time, s *session, m *signal.Reaction) {
	x := s.seat
	if x.reacted.Before(now) {
		x.reacted = now
	}
	next := x.reacted.Add(reactionEvery)
	if next.Sub(now) > reactionBurst*reactionEvery {
		r.refuse(s, m.N, signal.CodeBusy, "too many reactions; wait a moment")
		return
	}
	x.reacted = next
	for _, t := range r.sessions {
		if t.inside() {
			r.send(t, &signal.Reaction{Kind: m.Kind, From: x.ID})
		}
	}
}

// speak obeys an invited listener, or a speaker who wants to listen only.
func (r *Room) speak(s *session, m *signal.Speak) {
	x := s.seat
	switch {
	case x.Role == signal.RoleHost && !m.On:
		r.refuse(s, m.N, signal.CodeOrder, "hand the room over first")
	case x.Role != signal.RoleListener && !m.On:
		r.become(x, signal.RoleListener)
	case x.Role != signal.RoleListener:
	case !m.On && x.Invited:
		x.Invited = false
		r.announce(x, nil)
	case m.On && !x.Invited:
		r.refuse(s, m.N, signal.CodeForbidden, "you listen here; raise your hand, and a host may invite you to speak")
	case m.On:
		x.Hand = 0
		r.become(x, signal.RoleSpeaker)
	}
}

// become changes a seat's role and tells everybody. A listener sends nothing.
func (r *Room) become(x *seat, role signal.Role) {
	x.Role, x.Invited = role, false
	x.setMedia(x.Media)
	r.note(EventRole, x)
	r.announce(x, nil)
}

// setMedia notes what the seat sends, which is nothing from a listener.
func (x *seat) setMedia(m signal.MediaState) {
	if x.Role == signal.RoleListener {
		m = signal.MediaState{}
	}
	x.Media = m
}

// setRole obeys a host. Somebody stays host, as long as they can help it.
func (r *Room) setRole(s *session, m *signal.SetRole) {
	x := r.findSeat(m.Seat)
	switch {
	case x == nil || x.isWaiting():
		r.refuse(s, m.N, signal.CodeNoPeer, "nobody in the room has that seat")
	case x.Role == m.Role:
	case x.encodes() && m.Role == signal.RoleHost:
		r.refuse(s, m.N, signal.CodeOrder, "an encoder cannot be a host")
	case x.Role == signal.RoleHost && r.hosts() == 1:
		r.refuse(s, m.N, signal.CodeOrder, "make somebody else a host first")
	case x.Role == signal.RoleListener && m.Role == signal.RoleSpeaker:
		r.refuse(s, m.N, signal.CodeOrder, "invite them; they say themselves whether they speak")
	default:
		r.become(x, m.Role)
	}
}

func (r *Room) hosts() (n int) {
	for _, x := range r.seats {
		if !x.isWaiting() && x.Role == signal.RoleHost {
			n++
		}
	}
	return n
}

func (r *Room) invite(s *session, m *signal.Invite) {
	x := r.findSeat(m.Seat)
	switch {
	case x == nil || x.isWaiting():
		r.refuse(s, m.N, signal.CodeNoPeer, "nobody in the room has that seat")
	case x.Role != signal.RoleListener:
		r.refuse(s, m.N, signal.CodeOrder, "they may speak already")
	case x.Invited != m.On:
		x.Invited = m.On
		r.announce(x, nil)
	}
}

// muteAll turns a source off of everybody who is not a host.
func (r *Room) muteAll(s *session, m *signal.MuteAll) {
	for _, x := range r.seats {
		if !x.isWaiting() && x.Role != signal.RoleHost {
			r.silence(s, x, m.Source)
		}
	}
}

// toHub hands a link message to the shell, for the hub. Tracks of a listener are not taken.
func (r *Room) toHub(s *session, m signal.Relayed) {
	_, answer := m.(*signal.Answer)
	switch {
	case !r.cfg.Hub || !s.inside():
		r.refuse(s, m.Head().N, signal.CodeNoPeer, "there is no hub here, or none that you may reach now; join first")
		return
	case answer:
		r.refuse(s, m.Head().N, signal.CodeOrder, "the hub makes no offers; make one yourself")
		return
	}
	listens := s.seat.Role == signal.RoleListener
	if o, ok := m.(*signal.Offer); ok && listens {
		o.Tracks = nil
	}
	s.hub = true
	r.effects = append(r.effects, Effect{Session: s.ID, Hub: &ToHub{Message: m, Seat: s.seat.ID, Listens: listens}})
}

// offHub says that a session that had spoken to the hub has no seat any more.
func (r *Room) offHub(s *session) {
	if s.hub {
		s.hub = false
		r.events = append(r.events, Event{Kind: EventOffHub, Session: s.ID})
	}
}
