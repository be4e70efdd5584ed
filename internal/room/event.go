package room

import "github.com/parley-rtc/parley/internal/signal"

// Event is something that happened in a room and that concerns others than its sessions: who keeps its record, who
// saves its conversation.
type Event struct {
	Kind EventKind
	// Seat is the seat that it is about; Session in it is the one that holds it then.
	Seat signal.Seat
	// Topology is what the room has from now on, with EventTopology; Seat is then whoever a switch failed for, if it did.
	Topology signal.Topology
	// Reason is why a seat is gone, with EventLeft.
	Reason signal.LeftReason
	// Chat is what is to be saved, with EventSaid; it must not be changed.
	Chat *signal.Chat
	// Session is one that nobody waits for any more, with EventLost, or that the hub may forget, with EventOffHub.
	Session string
}

// EventKind tells events apart.
type EventKind uint8

// Kinds of events.
const (
	EventBegan    EventKind = iota // the room began to exist
	EventEnded                     // nobody has a seat in it any more
	EventJoined                    // somebody sat down for the first time
	EventAway                      // a seat's client lost its connection
	EventBack                      // it, or another of the same person, is there again
	EventLeft                      // a seat is gone
	EventSaid                      // a message that the room's history keeps
	EventPurge                     // the room's history is to be forgotten
	EventHeld                      // a session sits on a seat in the room now
	EventLost                      // a session of before a restart, which has not returned, lost its seat
	EventRole                      // a seat's role changed
	EventTopology                  // a switch of topology began or ended
	EventOffHub                    // a session that had spoken to the hub has no seat any more
)

// Events returns what happened since the last call, in order. Drain it together with Effects, and before them.
func (r *Room) Events() []Event {
	e := r.events
	r.events = nil
	return e
}

func (r *Room) note(kind EventKind, x *seat) {
	r.events = append(r.events, Event{Kind: kind, Seat: x.Seat})
}

// lose notes that the seat's session is not its own any more. A session that is there hears of it by other ways.
func (r *Room) lose(x *seat) {
	if x.Session != "" && r.find(x.Session) == nil {
		r.events = append(r.events, Event{Kind: EventLost, Session: x.Session})
	}
}
