package trace

import (
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Kinds of events of this server's relay.
const (
	RelayAllocated signal.ReportKind = "relay-allocated" // the person's client got a relayed address
	RelayPermitted signal.ReportKind = "relay-permitted" // something can be relayed by it: it has its first peer
	RelayRefused   signal.ReportKind = "relay-refused"   // it got no relayed address, or must not reach a peer; Cause says why
	RelayEnded     signal.ReportKind = "relay-ended"     // the relayed address is gone
)

// maxRelay is how many events of the relay one lane keeps: a call over the relay has six, one that moves about some dozens.
const maxRelay = 100

// Relay is what this server's relay knows of one relayed address of a person's.
type Relay struct {
	// Transport is how the client reaches the relay.
	Transport signal.Transport `json:"transport"`
	// Port is the relayed address's port, which tells a person's relayed addresses apart; 0 where there is none.
	Port uint16 `json:"port,omitempty"`
	// Code is the error code of RFC 8656 §19, with RelayRefused.
	Code int `json:"code,omitempty"`
	// Up and Down are the bytes that were relayed from the person and to them, with RelayEnded.
	Up   uint64 `json:"up,omitempty"`
	Down uint64 `json:"down,omitempty"`
	// Permitted counts the addresses that could be reached by it, Refused those that could not, as often as they were asked
	// for, with RelayEnded.
	Permitted int `json:"permitted,omitempty"`
	Refused   int `json:"refused,omitempty"`
}

// relaying reports whether the event is the relay's.
func (e *Event) relaying() bool {
	switch e.Kind {
	case RelayAllocated, RelayPermitted, RelayRefused, RelayEnded:
		return true
	}
	return false
}

// Relay says what the relay did at at for who sits on a seat, or did later: a relayed address may be older than the seat,
// and outlive it and the call. cause says why it refused.
func (c *Call) Relay(at time.Time, seat string, kind signal.ReportKind, relay Relay, cause string) {
	l := c.lanes[seat]
	if l == nil {
		return
	}
	e := Event{Got: max(c.last, millis(at)), Relay: &relay}
	e.Kind, e.Cause = kind, cause
	e.At = max(c.head.Began, millis(at))
	if ended := c.head.Ended; ended != 0 { // the record does not grow beyond the call
		e.At, e.Got = min(e.At, ended), min(e.Got, ended)
	}
	l.add(e)
	c.dirty = true
}
