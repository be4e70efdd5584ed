package parley

import (
	"context"
	"maps"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/seam"
)

// The words of a room's topology.
type (
	// TopologyKind is a way that a room's media take: direct or hub.
	TopologyKind = signal.TopologyKind
	// TopologyPolicy is what a host decided about it: auto, direct or hub.
	TopologyPolicy = signal.TopologyPolicy
)

// The ways and policies.
const (
	TopologyDirect = signal.TopologyDirect // from one to the other
	TopologyHub    = signal.TopologyHub    // through the server's media plane
	PolicyAuto     = signal.PolicyAuto     // direct for two, hub for more
	PolicyDirect   = signal.PolicyDirect   // never the hub, so two people at most
	PolicyHub      = signal.PolicyHub      // the hub for two as well
)

// Topology is which way a room's media take, and which they are about to take.
type Topology struct {
	// Kind carries media now. It is empty where the server has no hub: then it is direct, and two people at most.
	Kind TopologyKind
	// Next is the way that is being moved to, empty when none is.
	Next TopologyKind
	// Epoch grows with every change of Kind or Next.
	Epoch uint64
	// Policy is what the host decided.
	Policy TopologyPolicy
}

// Topology returns which way the room's media take.
func (r *Room) Topology(ctx context.Context) (t Topology, err error) {
	err = r.do(ctx, func(s *state) error {
		t = s.topology()
		return nil
	})
	return t, err
}

// SetTopology decides which way the room's media may take. Hosts only. It is refused with "no-hub" when the hub is
// wanted and somebody does not reach it, and with "order" when more than two people are to be direct.
func (r *Room) SetTopology(ctx context.Context, policy TopologyPolicy) error {
	return r.ask(ctx, &signal.SetTopology{Policy: policy})
}

func (s *state) topology() Topology {
	if t := s.room.Topology; t != nil {
		return Topology{Kind: t.Kind, Next: t.Next, Epoch: t.Epoch, Policy: t.Policy}
	}
	return Topology{}
}

// usesHub reports whether a link with the hub is wanted.
func (s *state) usesHub() bool {
	t := s.room.Topology
	return t != nil && (t.Kind == signal.TopologyHub || t.Next == signal.TopologyHub)
}

// onHub reports whether media take the hub.
func (s *state) onHub() bool {
	return s.room.Topology != nil && s.room.Topology.Kind == signal.TopologyHub
}

// usesDirect reports whether links with the others are wanted.
func (s *state) usesDirect() bool {
	return !s.onHub() || s.room.Topology.Next == signal.TopologyDirect
}

// byHub reports whether what a session sends may come by the hub.
func (s *state) byHub(session string) bool {
	return s.me != "" && s.usesHub() && s.holder(session) != nil
}

// replaceRoom takes a new state of the room. Whatever order things are heard in, the topology with the greatest epoch
// holds.
func (s *state) replaceRoom(room signal.RoomState) {
	old := s.room.Topology
	s.room = room
	s.room.Seats = nil
	if new := room.Topology; old != nil && new != nil && new.Epoch < old.Epoch {
		s.room.Topology = old
	}
}

// arrange makes the links that the topology wants and lets the others go. late is true when we are the one who came last,
// who makes the links.
func (s *state) arrange(late bool) {
	if now := s.topology(); now != s.shape {
		s.shape = now
		s.emit(TopologyChanged{Topology: now})
	}
	s.follow()
	if s.me == "" {
		return
	}
	if !s.usesDirect() {
		for peer := range maps.Clone(s.links) {
			s.drop(peer, true)
		}
	} else if s.topology().Next != signal.TopologyHub { // otherwise whoever has no link by now came as the third, or later
		for _, p := range s.list() {
			seat := s.people[p.ID]
			if p.Me || seat.State == signal.SeatWaiting || seat.Session == "" || s.links[seat.Session] != nil {
				continue
			}
			if again := s.remakes[seat.Session]; (late || s.makes(seat.Session)) && !s.now.Before(again.at) {
				s.make(seat.Session)
			}
		}
	}
	for _, l := range maps.Clone(s.links) {
		if s.holder(l.peer) == nil {
			s.drop(l.peer, true)
		} else {
			s.admit(l)
		}
	}
	s.keepHub()
	s.lookHub()
	s.stir = true
}

const (
	// remakeAfter is how long after its end a link that is wanted is made again; it doubles each time, up to lastRemake.
	remakeAfter = 2 * time.Second
	lastRemake  = time.Minute
	// steadyFor is how long a link lives that makes its ends before it forgotten.
	steadyFor = 30 * time.Second
)

// remake is when to make a link again that ended although it was wanted.
type remake struct {
	at    time.Time
	count int
}

// lost plans to make a link again that ended although both sides are there.
func (s *state) lost(l *link) {
	if s.me == "" || s.holder(l.peer) == nil || !s.usesDirect() || s.now.Before(s.shunned[l.peer]) {
		return
	}
	r := s.remakes[l.peer]
	if s.now.Sub(l.began) > steadyFor {
		r.count = 0
	}
	r.at = s.now.Add(min(lastRemake, remakeAfter<<min(r.count, 10)))
	r.count++
	s.remakes[l.peer] = r
}

// remakeDue is when a link is to be made again.
func (s *state) remakeDue() (at time.Time) {
	for peer, r := range s.remakes {
		if s.links[peer] == nil && (at.IsZero() || r.at.Before(at)) {
			at = r.at
		}
	}
	return at
}

// remakeLost makes the links again whose time has come.
func (s *state) remakeLost() {
	for peer, r := range s.remakes {
		switch {
		case s.holder(peer) == nil || s.me == "" || !s.usesDirect():
			delete(s.remakes, peer)
		case s.links[peer] == nil && !s.now.Before(r.at):
			if !s.makes(peer) {
				r.at = s.now.Add(lastRemake) // it is on the other side
				s.remakes[peer] = r
				continue
			}
			s.make(peer)
		}
	}
}

// move is a switch that is under way: the links of both kinds are there, and everything comes twice.
type move struct {
	epoch uint64
	from  TopologyKind
	to    TopologyKind
	began time.Time
	up    time.Time // since when the links of the new way are there
	look  time.Time // when to look next whether everything has come
	said  bool      // moved was said
}

// moved is a switch that has just ended, and is measured still.
type moved struct {
	*move
	done bool
	at   time.Time // when to tell of it
	took time.Duration
}

const (
	// moveLook is how often is looked whether everything has come by the new way, upAfter when it is told that the way is not
	// up, missingAfter for how long what has not come is waited for then.
	moveLook     = 20 * time.Millisecond
	upAfter      = 8500 * time.Millisecond
	missingAfter = 10 * time.Second
	// measureFor is for how long after a switch the pauses in what is heard count as its own.
	measureFor = time.Second
)

// follow begins and ends switches as the topology says.
func (s *state) follow() {
	t := s.topology()
	if m := s.move; m != nil && (t.Epoch != m.epoch || t.Next != m.to) {
		s.move = nil
		s.after = &moved{move: m, done: t.Kind == m.to, at: s.now.Add(measureFor), took: s.now.Sub(m.began)}
		for _, all := range s.tracks {
			for _, x := range all {
				x.prefer(wayOf(t.Kind))
			}
		}
	}
	if t.Next != "" && s.move == nil && s.me != "" {
		s.measured()
		s.move = &move{epoch: t.Epoch, from: t.Kind, to: t.Next, began: s.now, look: s.now}
		for _, all := range s.tracks {
			for _, x := range all {
				x.listen()
			}
		}
	}
}

func wayOf(kind TopologyKind) int {
	if kind == signal.TopologyHub {
		return seam.Hub
	}
	return seam.Direct
}

// moveDue is when tendMove has something to do.
func (s *state) moveDue() (at time.Time) {
	if s.move != nil && !s.move.said {
		at = s.move.look
	}
	if s.after != nil && (at.IsZero() || s.after.at.Before(at)) {
		at = s.after.at
	}
	return at
}

// tendMove says that everything has come by the new way, or what has not.
func (s *state) tendMove() {
	if s.after != nil && !s.now.Before(s.after.at) {
		s.measured()
	}
	m := s.move
	if m == nil || m.said || s.now.Before(m.look) || s.me == "" {
		return
	}
	m.look = s.now.Add(moveLook)
	missing := s.missingOn(m)
	ready := s.wayIsUp(m.to)
	if ready && m.up.IsZero() {
		m.up = s.now
	}
	since, patience := m.up, missingAfter
	if m.up.IsZero() {
		since, patience = m.began, upAfter
	}
	whole := ready && len(missing) == 0
	late := len(missing) > 0 && s.now.Sub(since) >= patience
	if !whole && !late {
		return
	}
	m.said = true
	s.options.Log.Info("moved", "room", s.address.room, "to", m.to, "epoch", m.epoch, "missing", len(missing), "after", s.now.Sub(m.began))
	_ = s.send(&signal.Moved{Epoch: m.epoch, Missing: missing}) // an overflow has ended the room
}

// wayIsUp reports whether the links of a kind are there.
func (s *state) wayIsUp(kind TopologyKind) bool {
	if kind == signal.TopologyHub {
		return s.hub.main != nil && s.hub.main.up
	}
	for _, seat := range s.people {
		if l := s.links[seat.Session]; seat.ID != s.me && seat.State == signal.SeatPresent && (l == nil || l.bond.active == nil || !l.bond.active.up) {
			return false
		}
	}
	return true
}

// missingOn lists what those present say that they send, we show, and that has not come by the new way.
func (s *state) missingOn(m *move) (list []signal.Missing) {
	shown := make(map[Want]bool)
	for _, w := range s.wantsNow() {
		shown[Want{Seat: w.Seat, Source: w.Source}] = true
	}
	for _, p := range s.list() {
		seat := s.people[p.ID]
		if p.Me || seat.State != signal.SeatPresent || p.Encryption == EncryptionStranger {
			continue
		}
		for _, source := range Sources() {
			picture := source == Camera || source == Screen
			if !*flag(&seat.Media, source) || picture && !shown[Want{Seat: p.ID, Source: source}] {
				continue
			}
			t := s.tracks[seat.Session][source]
			if (t == nil || !t.came(wayOf(m.to), m.began)) && len(list) < signal.MaxMissing {
				list = append(list, signal.Missing{Seat: p.ID, Source: source})
			}
		}
	}
	return list
}

// measured tells how a switch sounded.
func (s *state) measured() {
	a := s.after
	if a == nil {
		return
	}
	s.after = nil
	e := Switched{Kind: a.to, Done: a.done, Took: a.took}
	for _, all := range s.tracks {
		for source, t := range all {
			if source != Microphone && source != ScreenAudio {
				continue
			}
			gap := t.gap()
			e.Gap = max(e.Gap, gap.Pause)
			e.Lost += gap.Lost
		}
	}
	s.emit(e)
	if a.done {
		s.reportSwitch(a, e.Gap)
	}
}
