package room

import (
	"net/netip"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Snapshot is what a room needs to go on after a restart of the server. It goes through JSON unchanged.
type Snapshot struct {
	// Exists, Began and Ended are whether and since when there is somebody in the room, and when it was last empty.
	Exists bool      `json:"exists,omitempty"`
	Began  time.Time `json:"began,omitzero"`
	Ended  time.Time `json:"ended,omitzero"`
	// Locked, Waiting and History are the room's policy; an empty History is the default.
	Locked  bool `json:"locked,omitempty"`
	Waiting bool `json:"waiting,omitempty"`
	// Encrypted is whether the room's clients encrypt.
	Encrypted bool           `json:"encrypted,omitempty"`
	History   signal.History `json:"history,omitempty"`
	// Words is what those who wait are told.
	Words string `json:"words,omitempty"`
	// Topology is which way the media take, in the middle of a switch too.
	Topology signal.Topology `json:"topology,omitzero"`
	// Order is the newest seat's, and Hands how many hands were raised.
	Order uint64 `json:"order,omitempty"`
	Hands uint64 `json:"hands,omitempty"`
	// Seats are those in the room and in its waiting room, in order.
	Seats []SeatSnapshot `json:"seats,omitempty"`
	// Removed are the people who are kept out.
	Removed []Removal `json:"removed,omitempty"`
}

// SeatSnapshot is one seat of a Snapshot.
type SeatSnapshot struct {
	signal.Seat
	// Generation is that of its tokens.
	Generation uint32 `json:"generation,omitempty"`
	// Address is where its person comes from.
	Address netip.Prefix `json:"address"`
	// Fresh is true when it goes if there is no way to the hub.
	Fresh bool `json:"fresh,omitempty"`
	// Off is true when it does not count for the topology.
	Off bool `json:"off,omitempty"`
}

// Removal keeps a removed person out for a while.
type Removal struct {
	// Seat and Session keep out whoever shows a token of the one or was the other.
	Seat    string `json:"seat,omitempty"`
	Session string `json:"session,omitempty"`
	// Address keeps out whoever comes from there; invalid where people inside come from there too.
	Address netip.Prefix `json:"address"`
	// Until is when it ends.
	Until time.Time `json:"until"`
}

// Snapshot returns the room as it is now.
func (r *Room) Snapshot() Snapshot {
	s := Snapshot{
		Exists: r.exists && r.peopled(), Began: r.began, Ended: r.ended, Locked: r.locked, Waiting: r.waiting, Order: r.order, Removed: r.removed,
		Words: r.words, Topology: r.course.Topology, Hands: r.hands, Encrypted: r.encrypted,
	}
	if r.history != r.cfg.History {
		s.History = r.history
	}
	for _, x := range r.seats {
		if x.encodes() {
			continue // its transport ends with the server
		}
		y := x.Seat
		if y.State != signal.SeatWaiting {
			y.State = signal.SeatAway // as it will be when this is read again; coming and going changes nothing
		}
		s.Seats = append(s.Seats, SeatSnapshot{Seat: y, Generation: x.generation, Address: x.address, Fresh: x.fresh, Off: x.off})
	}
	return s
}

// Revive returns the room of a snapshot. Everybody in it is away, from now on, until their sessions Return.
func Revive(cfg Config, tokens Tokens, now time.Time, s Snapshot) *Room {
	r := New(cfg, tokens)
	r.exists, r.began, r.ended, r.locked, r.waiting, r.order, r.removed = s.Exists, s.Began, s.Ended, s.Locked, s.Waiting, s.Order, s.Removed
	if s.History != "" && r.cfg.Saves {
		r.history = s.History
	}
	r.words, r.hands, r.encrypted = s.Words, s.Hands, s.Encrypted
	r.course.resume(s.Topology, r.cfg.Hub)
	for _, x := range s.Seats {
		y := &seat{Seat: x.Seat, since: now, generation: x.Generation, address: x.Address, fresh: x.Fresh, off: x.Off, closed: x.Off}
		if !y.isWaiting() {
			y.State = signal.SeatAway
		}
		r.seats = append(r.seats, y)
		r.order = max(r.order, x.Order)
	}
	r.forgive(now)
	if all, _ := r.taken(); all == 0 {
		r.exists, r.seats = false, nil
	}
	r.schedule(now)
	r.changed = false
	return r
}

// Began returns when the room began to exist.
func (r *Room) Began() time.Time { return r.began }

// Seats returns all seats, those in the waiting room too, by order.
func (r *Room) Seats() []signal.Seat {
	list := make([]signal.Seat, 0, len(r.seats))
	for _, x := range r.seats {
		list = append(list, x.Seat)
	}
	return list
}

// Return is what a session of before a restart can prove.
type Return struct {
	// Seat, Name and Role are what it was when its token was made; Seat may be empty.
	Seat, Name string
	Role       signal.Role
	// Rebuild allows a seat that the room has forgotten to be made again, from this or from a seat token.
	Rebuild bool
}

// Return lets a session in that was there before a restart, and onto its seat if it has one. It may join once more, to
// say who it is. The answer is Attach's.
func (r *Room) Return(now time.Time, v Visitor, was Return) (state signal.RoomState, relay bool, fault *signal.Error) {
	r.presume(now)
	x := r.seatOf(v.ID)
	if x == nil {
		if _, _, fault := r.Attach(now, v); fault != nil {
			return signal.RoomState{}, false, fault
		}
	} else {
		r.sessions = append(r.sessions, &session{Visitor: v})
	}
	s := r.find(v.ID)
	s.returned, s.rebuild = true, ""
	if was.Rebuild {
		s.rebuild = was.Role
	}
	switch {
	case x != nil:
		r.sitBack(s, x)
		r.arrive(now, x)
	case was.Seat != "" && was.Rebuild && r.findSeat(was.Seat) == nil && !r.kept(was.Seat, s) && (!r.exists || r.hasSpace(now, s)):
		r.build(now, s, &seat{Seat: signal.Seat{ID: was.Seat, Name: was.Name, Role: was.Role}})
	}
	s.told, s.sees, s.relay = r.view(s), r.maySee(s), r.mayRelay(s)
	state, relay = r.state(s), s.relay
	if s.seat != nil {
		r.announce(s.seat, s)
	}
	r.settle(now)
	return state, relay, nil
}

// State returns the room as a session sees it.
func (r *Room) State(id string) signal.RoomState { return r.state(r.find(id)) }

// seatOf returns the seat of a session that has not returned yet.
func (r *Room) seatOf(session string) *seat {
	for _, x := range r.seats {
		if x.Session == session && r.find(session) == nil {
			return x
		}
	}
	return nil
}

// kept reports whether the person of that seat is kept out.
func (r *Room) kept(seat string, s *session) bool {
	for _, x := range r.removed {
		if x.Seat == seat {
			s.Was = seat
			return true
		}
	}
	return r.isRemoved(s)
}

// sitBack puts a session onto its own seat.
func (r *Room) sitBack(s *session, x *seat) {
	s.seat = x
	x.since, x.closed = time.Time{}, false
	if s.Host {
		x.Role = signal.RoleHost
	}
	if x.State == signal.SeatAway {
		x.State = signal.SeatPresent
		r.note(EventBack, x)
		r.note(EventHeld, x)
	}
}

// build makes a seat again that was lost with the room's memory.
func (r *Room) build(now time.Time, s *session, x *seat) {
	if s.Host {
		x.Role = signal.RoleHost
	}
	if x.Role == signal.RoleHost && !s.Host && r.hosted() {
		x.Role = signal.RoleSpeaker
	}
	x.State, x.Session, x.address = signal.SeatPresent, s.ID, s.Address
	if !r.exists {
		r.exists, r.changed, r.began, r.rebuilt = true, true, now, true
		r.events = append(r.events, Event{Kind: EventBegan})
	}
	r.place(now, s, x)
	r.enter(now, x)
	r.note(EventJoined, x)
	r.note(EventHeld, x)
}

// hosted reports whether somebody in the room is a host.
func (r *Room) hosted() bool {
	for _, x := range r.seats {
		if !x.isWaiting() && x.Role == signal.RoleHost {
			return true
		}
	}
	return false
}

// joinAgain obeys the join of a session that has returned: it says who it is now. False means that it has to join as
// anybody does.
func (r *Room) joinAgain(now time.Time, s *session, j Join) bool {
	if !s.returned {
		return false
	}
	if r.rebuilt && j.Identity != "" && !r.encrypted {
		r.encrypted, r.changed = true, true // the first who comes back with an identity says what the room was
	}
	if code, words := r.unsealed(s, j.Identity); code != "" {
		r.refuse(s, j.N, code, words)
		return true
	}
	s.returned = false
	x := s.seat
	if x == nil {
		if s.rebuild == "" || j.Claim == nil || r.findSeat(j.Claim.Seat) != nil || r.kept(j.Claim.Seat, s) || r.exists && !r.hasSpace(now, s) {
			return false
		}
		x = &seat{Seat: signal.Seat{ID: j.Claim.Seat, Role: s.rebuild}, generation: j.Claim.Generation}
		x.Name = j.Name
		r.build(now, s, x)
	}
	if j.Claim != nil && j.Claim.Seat == x.ID {
		x.generation = max(x.generation, j.Claim.Generation)
	}
	x.Name, x.re, x.Identity = j.Name, j.N, j.Identity
	x.setMedia(j.Media)
	if x.isWaiting() {
		r.tellWaiting(s, x)
	} else {
		r.sitDown(now, s, x, j.N)
	}
	return true
}
