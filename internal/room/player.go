package room

import (
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// A player watches and does nothing else. It has no seat and no name: everybody inside is told how many there are. The lock
// keeps players out as it does people, and sends those away who came without a secret of the room, for nobody could remove
// them by name. In a waiting room nobody could tell who they are, so there they need a secret.

// player is somebody who watches.
type player struct {
	Visitor
	fresh bool // came to a direct call, and goes if there is no way to the hub for those in it
}

// Watch lets a player in. It is told of the seats from then on, by SeatChange and Left, until Gone, or End among the effects.
func (r *Room) Watch(now time.Time, v Visitor) (seats []signal.Seat, fault *signal.Error) {
	r.forgive(now)
	r.presume(now)
	if code, words := r.unwatchable(&v); code != "" {
		return nil, &signal.Error{Code: code, Words: words}
	}
	r.players = append(r.players, &player{Visitor: v, fresh: r.course.Kind == signal.TopologyDirect})
	r.changed = true
	for _, x := range r.seats {
		if !x.isWaiting() {
			seats = append(seats, x.shown())
		}
	}
	r.settle(now)
	return seats, nil
}

// unwatchable says why v may not watch.
func (r *Room) unwatchable(v *Visitor) (signal.Code, string) {
	switch {
	case !r.exists:
		return signal.CodeNoRoom, "nobody is in this room now; try again when somebody is"
	case r.isRemoved(&session{Visitor: *v}):
		return signal.CodeRemoved, "a host removed somebody from your address; you cannot come back for now"
	case r.locked && !v.trusted():
		return signal.CodeLocked, "the host locked this room; ask them to unlock it, or for a token"
	case r.waiting && !v.trusted():
		return signal.CodeLocked, "this room has a waiting room, in which a player cannot wait; ask its host for a token"
	case len(r.players) >= r.cfg.Players:
		return signal.CodeFull, "as many are watching this room as may; try again later"
	}
	return r.unfit(v)
}

// unwatch forgets a player.
func (r *Room) unwatch(now time.Time, id string) {
	n := len(r.players)
	r.players = slices.DeleteFunc(r.players, func(p *player) bool { return p.ID == id })
	if len(r.players) != n {
		r.changed = true
		r.settle(now)
	}
}

// dismiss sends those players away that match.
func (r *Room) dismiss(match func(*player) bool, bye signal.Bye) (some bool) {
	r.players = slices.DeleteFunc(r.players, func(p *player) bool {
		if !match(p) {
			return false
		}
		r.effects = append(r.effects, Effect{Session: p.ID, End: &bye})
		some, r.changed = true, true
		return true
	})
	return some
}

func everybody(*player) bool   { return true }
func newcomers(p *player) bool { return p.fresh }
func strangers(p *player) bool { return !p.trusted() }
func (r *Room) tellPlayers(make func() signal.Message) {
	for _, p := range r.players {
		r.effects = append(r.effects, Effect{Session: p.ID, Message: make()})
	}
}

// Players returns how many watch.
func (r *Room) Players() int { return len(r.players) }
