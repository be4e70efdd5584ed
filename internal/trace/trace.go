// Package trace makes the record of a call that a person can read: one timeline out of what the server saw and what the
// clients reported, and a verdict that says what went wrong, when, and on whose side.
//
// A [Call] collects; it is sans-IO, and **exactly one goroutine owns it**. It is bounded whatever the clients send, and a
// client that sends nonsense spoils its own lane only. [Call.Changes] are the parts that have to be stored so that the
// call survives the process; [Restore] puts them together again. [Call.Record] is what people read: the same events give
// the same record, whenever it is made.
//
// Clients' clocks are wrong. The times they tell are moved by an offset that is estimated from when their reports
// arrive; see clock.go.
package trace

import (
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Bounds of one call.
const (
	// MaxLanes is how many people a call keeps; those who come later are only counted.
	MaxLanes = 64
	// MaxEvents is how many reported events one person's lane keeps. Quality makes room first, the oldest of it before the
	// rest.
	MaxEvents = 2000
	// maxOwn is how many events of the server's own one lane keeps: somebody whose network comes and goes all day.
	maxOwn = 500
	// maxLaneSize is how many bytes a lane's reported events take, about.
	maxLaneSize = 512 << 10
	// maxCandidates is how many candidates of one gathering are kept.
	maxCandidates = 24
	// maxRestarts is how many restarts of the server one call keeps.
	maxRestarts = 100
)

// Kinds of events that the server itself sees. All others are the clients', see [signal.ReportKind].
const (
	Joined signal.ReportKind = "joined" // took a seat
	Away   signal.ReportKind = "away"   // lost the connection to the server
	Back   signal.ReportKind = "back"   // came back to the seat
	Left   signal.ReportKind = "left"   // the seat is gone; Cause is left, removed or expired
	// Switching and Switched are the room's: they are in the lane of whoever is there for longest. Switch says from where to where;
	// of an end, Cause is done or failed, Seat whom it failed for, and MS how long it took.
	Switching signal.ReportKind = "switching"
	SwitchEnd signal.ReportKind = "switch-end"
)

// Event is one thing that happened to one person, as it is kept.
type Event struct {
	// N numbers the events of a lane, in the order in which the server heard of them.
	N int `json:"n"`
	// Got is when the server heard of it, in milliseconds since 1970.
	Got int64 `json:"got"`
	// ReportEvent is what happened. In a Call, At is by the clock of who tells it; in a Record, by the server's. Seat is
	// the other person that it concerns.
	signal.ReportEvent
	// Relay is what the relay did, with its kinds.
	Relay *Relay `json:"relay,omitempty"`
}

// own reports whether the server itself saw it.
func (e *Event) own() bool {
	switch e.Kind {
	case Joined, Away, Back, Left, Switching, SwitchEnd:
		return true
	}
	return e.relaying()
}

// size is about how many bytes the event takes where it is stored.
func (e *Event) size() int {
	const base, candidate = 120, 80
	n := base + len(e.Seat) + len(e.Link) + len(e.Cause) + candidate*len(e.Candidates)
	if e.Pair != nil {
		n += 2 * candidate
	}
	if e.Path != nil {
		n += candidate + len(e.Path.Server)
	}
	return n
}

// Person is who takes a seat.
type Person struct {
	// Seat is the seat's identifier in the room.
	Seat string `json:"seat"`
	// Name is what they call themselves.
	Name string `json:"name"`
	// Role is what they are in the room.
	Role signal.Role `json:"role,omitempty"`
	// Client and Version name the program, which is the door that they came by.
	Client  string `json:"client,omitempty"`
	Version string `json:"version,omitempty"`
	// Address is where they come from, as far as the policy lets it be told.
	Address string `json:"address,omitempty"`
}

// millis is t on the wire.
func millis(t time.Time) int64 { return t.UnixMilli() }
