package room

import (
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// view is what one session is told of the room, people aside.
type view struct {
	exists, locked, waiting, early bool
	encrypted                      bool
	may                            signal.May
	why                            signal.Code
	role                           signal.Role
	history                        signal.History
	topology                       signal.Topology // zero where it is not told
	watching                       int
}

func (r *Room) view(s *session) view {
	v := view{
		exists: r.exists, locked: r.exists && r.locked, waiting: r.exists && r.waiting, early: r.mayEarly(s), role: r.role(s),
	}
	v.may, v.why = r.door(s)
	v.encrypted = r.seals(&s.Visitor)
	if r.keeps() && r.exists {
		v.history = r.history
	}
	if r.cfg.Hub && r.exists && r.maySee(s) {
		v.topology = r.course.Topology
	}
	if s.inside() {
		v.watching = len(r.players)
	}
	return v
}

// state returns the room as s sees it, people included if they are to be told.
func (r *Room) state(s *session) signal.RoomState {
	state := r.bare(r.view(s))
	if r.maySee(s) {
		for _, x := range r.seats {
			if r.tells(s, x) {
				state.Seats = append(state.Seats, x.shown())
			}
		}
	}
	return state
}

func (r *Room) bare(v view) signal.RoomState {
	state := signal.RoomState{
		Name: r.cfg.Name, Exists: v.exists, May: v.may, Role: v.role, Locked: v.locked,
		WaitingRoom: v.waiting, Early: v.early, Why: v.why, Encrypted: v.encrypted, History: v.history, Watching: v.watching,
	}
	if v.topology.Kind != "" {
		state.Topology = &v.topology
	}
	return state
}

// may says what a join by s would do now, without a seat token.
func (r *Room) may(s *session) signal.May {
	may, _ := r.door(s)
	return may
}

// door says what a join by s would do now, without a seat token, and why not when it would not.
func (r *Room) door(s *session) (signal.May, signal.Code) {
	all, _ := r.taken()
	switch {
	case s.inside():
		return signal.MayJoin, ""
	case r.isRemoved(s):
		return signal.MayNot, signal.CodeRemoved
	case !r.exists && (s.Open || s.trusted()):
		return signal.MayCreate, ""
	case !r.exists:
		return signal.MayNot, signal.CodeNoRoom
	case r.locked && !s.trusted():
		return signal.MayNot, signal.CodeLocked
	case r.waiting && !s.trusted():
		return signal.MayKnock, ""
	case r.barred(s):
		return signal.MayNot, signal.CodeNoHub
	case all >= r.limit() && !slices.ContainsFunc(r.seats, func(x *seat) bool { return x.yielding }):
		return signal.MayNot, signal.CodeFull
	}
	return signal.MayJoin, ""
}

// role says what s is, or would be on joining.
func (r *Room) role(s *session) signal.Role {
	switch {
	case s.inside():
		return s.seat.Role
	case s.Door != "":
		return signal.RoleSpeaker
	case s.Host, s.Open && !r.peopled():
		return signal.RoleHost
	}
	return signal.RoleSpeaker
}

// maySee says whether s is told who is inside: those who sit there, and those in front of a door that is open to them.
func (r *Room) maySee(s *session) bool {
	return s.inside() || r.exists && !r.isRemoved(s) && (s.Host || !r.locked && !r.waiting)
}

// tells says whether s, which may see the people, is told of x: waiting people are for hosts inside only.
func (r *Room) tells(s *session, x *seat) bool { return !x.isWaiting() || s.hosting() }

// mayRelay says whether s may hold relay credentials: it has a place, or a door that is not shut to it.
func (r *Room) mayRelay(s *session) bool {
	switch {
	case s.seat != nil:
		return true
	case r.isRemoved(s):
		return false
	case r.exists:
		return s.trusted() || !r.locked
	}
	return s.trusted() || s.Open
}

// mayEarly says whether s may have links before it joins: it could enter at once, exactly one person is there, and few
// others try the same.
func (r *Room) mayEarly(s *session) bool {
	if s.seat != nil || s.Door != "" || !r.exists || r.course.Kind != signal.TopologyDirect || r.locked || r.waiting || r.may(s) != signal.MayJoin {
		return false
	}
	if _, present := r.taken(); present != 1 {
		return false
	}
	return len(s.early) > 0 || r.earlyFor(s)
}

// settle steers the topology and tells every session what changed for it. It ends every command.
func (r *Room) settle(now time.Time) {
	r.steer(now)
	for _, x := range r.seats {
		if yields := x.yields(now); yields != x.yielding {
			x.yielding, r.changed = yields, true
		}
	}
	if !r.changed {
		return
	}
	r.changed, r.touched = false, true
	for _, s := range r.sessions {
		if len(s.early) > 0 && !r.mayEarly(s) {
			r.dropEarly(s)
		}
	}
	for _, s := range r.sessions {
		if v := r.view(s); v != s.told {
			s.told = v
			r.send(s, &signal.Room{Room: r.bare(v)})
		}
		sees := r.maySee(s)
		if sees && !s.sees {
			for _, x := range r.seats {
				if r.tells(s, x) {
					r.send(s, &signal.SeatChange{Seat: x.shown()})
				}
			}
		}
		s.sees = sees
		if relay := r.mayRelay(s); relay != s.relay {
			s.relay = relay
			r.effects = append(r.effects, Effect{Session: s.ID, Relay: &relay})
		}
	}
}

// announce tells everybody who may know, except one, of a seat's new state.
func (r *Room) announce(x *seat, except *session) {
	r.changed = true
	for _, s := range r.sessions {
		if s != except && s.sees && r.maySee(s) && r.tells(s, x) {
			r.send(s, &signal.SeatChange{Seat: x.shown()})
		}
	}
	if !x.isWaiting() {
		r.tellPlayers(func() signal.Message { return &signal.SeatChange{Seat: x.shown()} })
	}
}
