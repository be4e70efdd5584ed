package room

import "github.com/parley-rtc/parley/internal/signal"

// An encoder is a program that publishes and does nothing else: somebody runs it, but nobody sits there. It takes a seat, so
// that people see it and a host can silence or remove it, and leaves it when its transport ends: there is no grace, and
// nothing of it survives a restart. Its media come through the hub, so that a room with one needs the hub however few
// people are in it. It is no party to a switch: nobody waits for its report, and a switch does not fail because of it.

// weight is what an encoder, or all players together, count for the topology: more than a direct call is for.
const weight = directSeats + 1

// encodes reports whether an encoder holds the seat.
func (x *seat) encodes() bool { return x.Door != "" }

// shown is the seat as others are told of it. There is no session to link with behind an encoder.
func (x *seat) shown() signal.Seat {
	y := x.Seat
	if x.encodes() {
		y.Session = ""
	}
	return y
}

// trusted reports whether a session comes in by a secret of the room.
func (v *Visitor) trusted() bool { return v.Host || v.Pass }

// peopled reports whether anybody but encoders has a seat in the room.
func (r *Room) peopled() bool {
	for _, x := range r.seats {
		if !x.isWaiting() && !x.encodes() {
			return true
		}
	}
	return false
}

// feeds reports whether something is in the room that only the hub can serve.
func (r *Room) feeds() bool {
	for _, x := range r.seats {
		if !x.isWaiting() && x.encodes() {
			return true
		}
	}
	return len(r.players) > 0
}

// unfit says why the room cannot have an encoder or a player at all, whoever sends it; empty when it can.
func (r *Room) unfit(v *Visitor) (signal.Code, string) {
	policy := r.course.Policy
	if !r.exists && !v.trusted() {
		policy = r.cfg.Topology // as begin has it
	}
	switch {
	case r.seals(v):
		return signal.CodeEncrypted, keyless
	case !r.cfg.Hub:
		return signal.CodeNoHub, "this server forwards no media, which encoders and players need"
	case policy == signal.PolicyDirect:
		return signal.CodeNoHub, "the media of this room go from one to the other only, and not through the server; a host has to change that first"
	case r.exists && (r.course.Kind == signal.TopologyDirect || r.counted() <= directSeats):
		if x := r.unable(); x != nil {
			return signal.CodeNoHub, unreachable(x.Name, x.HubWhy)
		}
	}
	return "", ""
}
