package trace

import (
	"cmp"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Record is a call as people read it. All times are in milliseconds since 1970 by the server's clock.
type Record struct {
	ID   string `json:"id"`
	Room string `json:"room"`
	// Began and Ended bound the call; Ended is absent while it goes on, and At is when the record was made.
	Began int64 `json:"began"`
	Ended int64 `json:"ended,omitempty"`
	At    int64 `json:"at"`
	// Verdict says how it went.
	Verdict Verdict `json:"verdict"`
	// People are those who took part, in the order in which they came.
	People []Lane `json:"people"`
	// Events are everything that happened, in order of time.
	Events []Entry `json:"events"`
	// Restarts are when the server restarted.
	Restarts []int64 `json:"restarts,omitempty"`
	// Omitted counts events that were left out, Uncounted people who came after the first 64.
	Omitted   int `json:"omitted,omitempty"`
	Uncounted int `json:"uncounted,omitempty"`

	mine map[string][]*Entry // by whose lane they are in
}

// Lane is one person's part of a call.
type Lane struct {
	Person
	// From and To bound their stay; To is absent while it goes on.
	From int64 `json:"from"`
	To   int64 `json:"to,omitempty"`
	// Clock is how many milliseconds their clock was behind the server's at last; absent while unknown.
	Clock *int64 `json:"clock,omitempty"`
	// Path and Quality are how they were connected, and how well it went, over time, without gaps from From to To (or to
	// the record's At).
	Path    []PathSpan    `json:"path"`
	Quality []QualitySpan `json:"quality"`
	// Links are how the connections with the others came about.
	Links []Link `json:"links"`
}

// Entry is one event of a record.
type Entry struct {
	// ID tells the entries of one record apart.
	ID int `json:"id"`
	// Who is the seat whose lane it is in, Server whether the server itself saw it.
	Who    string `json:"who"`
	Server bool   `json:"server,omitempty"`
	Event
}

// Record makes the record of the call as it is at now.
func (c *Call) Record(now time.Time) Record {
	r := Record{
		ID: c.head.ID, Room: c.head.Room, Began: c.head.Began, Ended: c.head.Ended, At: millis(now),
		Restarts: c.head.Restarts, Uncounted: c.head.Uncounted, People: []Lane{}, Events: []Entry{},
		mine: map[string][]*Entry{},
	}
	if r.Ended != 0 {
		r.At = r.Ended
	}
	order := map[string]int{}
	for i, l := range c.head.Lanes {
		order[l.Seat] = i
		r.Omitted += l.Omitted
		for _, e := range l.events() {
			if !e.own() {
				e.At = correct(l.Clocks, e.At, e.Got, r.Began)
			}
			r.Events = append(r.Events, Entry{Who: l.Seat, Server: e.own(), Event: e})
		}
	}
	slices.SortFunc(r.Events, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(order[a.Who], order[b.Who]), cmp.Compare(a.N, b.N))
	})
	for i := range r.Events {
		e := &r.Events[i]
		e.ID = i + 1
		r.At = max(r.At, e.At)
		r.mine[e.Who] = append(r.mine[e.Who], e)
	}
	for _, l := range c.head.Lanes {
		r.People = append(r.People, r.lane(l))
	}
	r.Verdict = r.judge()
	return r
}

// lane gathers what the events say about one person.
func (r *Record) lane(l *lane) Lane {
	out := Lane{Person: l.Person, From: l.Joined, To: l.Left, Links: []Link{}}
	if n := len(l.Clocks); n > 0 {
		offset := l.Clocks[n-1].Offset // which goes on being learned
		out.Clock = &offset
	}
	until := cmp.Or(out.To, r.Ended, r.At)
	out.Path = r.pathSpans(l.Seat, out.From, until)
	out.Quality = r.qualitySpans(l.Seat, out.From, until)
	out.Links = r.links(l.Seat)
	return out
}

// person returns the lane of a seat, nil for one that a client made up.
func (r *Record) person(seat string) *Lane {
	for i := range r.People {
		if r.People[i].Seat == seat {
			return &r.People[i]
		}
	}
	return nil
}

// reports says whether the client on a seat tells what it sees at all.
func (r *Record) reports(seat string) bool {
	for _, e := range r.mine[seat] {
		if !e.Server {
			return true
		}
	}
	return false
}

// until is when the person's stay ended, or the call, or the record was made.
func (r *Record) until(l *Lane) int64 { return cmp.Or(l.To, r.Ended, r.At) }

// together is the time that two people spent in the call at once.
func (r *Record) together(a, b *Lane) (from, to int64) {
	return max(a.From, b.From), min(r.until(a), r.until(b))
}

// State says how a person is connected.
type State string

// States of a PathSpan. The paths of signal are among them, and connected ones are the worst of all the person's links.
const (
	StateAlone      State = "alone"   // nobody else is there
	StateUnknown    State = "unknown" // their client does not say
	StateConnecting       = State(signal.PathConnecting)
	StateDirect           = State(signal.PathDirect)
	StateRelayed          = State(signal.PathRelayed)
	StateHub              = State(signal.PathHub)
	StateLost             = State(signal.PathLost)
)
