package trace

import (
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Call is one life of a room, as it is being recorded: from its first seat to its last. See the package comment for who
// may call it.
type Call struct {
	head   head
	policy Policy
	lanes  map[string]*lane // by seat
	last   int64            // the newest time of the server's; it never goes back within a call
	dirty  bool             // the head has to be stored
}

// head is what is stored of a call beside its events.
type head struct {
	ID       string  `json:"id"`
	Room     string  `json:"room"`
	Began    int64   `json:"began"`
	Ended    int64   `json:"ended,omitempty"`
	Restarts []int64 `json:"restarts,omitempty"`
	// Uncounted is how many people came after MaxLanes.
	Uncounted int `json:"uncounted,omitempty"`
	// Course is the switch of topology that is under way.
	Course *course `json:"course,omitempty"`
	Lanes  []*lane `json:"lanes"`
	// Verdict is there once the call has ended, for lists.
	Verdict *Verdict `json:"verdict,omitempty"`
}

// New returns the call that begins in room at began. id is unguessable.
func New(id, room string, began time.Time, policy Policy) *Call {
	return &Call{
		head:   head{ID: id, Room: room, Began: millis(began)},
		policy: policy, lanes: map[string]*lane{}, last: millis(began), dirty: true,
	}
}

// tick is at, or the newest time of the call when the server's clock was set back since.
func (c *Call) tick(at time.Time) int64 {
	c.last = max(c.last, millis(at))
	return c.last
}

// ID returns the call's identifier.
func (c *Call) ID() string { return c.head.ID }

// Ended reports whether the call is over.
func (c *Call) Ended() bool { return c.head.Ended != 0 }

// Join says that somebody took a seat.
func (c *Call) Join(at time.Time, p Person) {
	switch {
	case c.Ended():
		return
	case c.lanes[p.Seat] != nil:
		c.Back(at, p.Seat)
		return
	}
	if len(c.head.Lanes) >= MaxLanes {
		c.head.Uncounted++
		c.dirty = true
		return
	}
	p.Address = c.policy.Address(p.Address)
	l := &lane{Person: p, Joined: c.tick(at)}
	c.lanes[p.Seat] = l
	c.head.Lanes = append(c.head.Lanes, l)
	c.tell(at, p.Seat, signal.ReportEvent{Kind: Joined})
}

// Away says that a seat's client lost its connection to the server.
func (c *Call) Away(at time.Time, seat string) { c.tell(at, seat, signal.ReportEvent{Kind: Away}) }

// Back says that it is there again.
func (c *Call) Back(at time.Time, seat string) { c.tell(at, seat, signal.ReportEvent{Kind: Back}) }

// Leave says that a seat is gone.
func (c *Call) Leave(at time.Time, seat string, why signal.LeftReason) {
	c.tell(at, seat, signal.ReportEvent{Kind: Left, Cause: string(why)})
	if l := c.lanes[seat]; l != nil && !l.gone {
		l.Left, l.gone = c.tick(at), true
	}
}

// course is a switch of topology: what was, what is to be, and since when it is under way.
type course struct {
	From  signal.TopologyKind `json:"from"`
	To    signal.TopologyKind `json:"to"`
	Epoch uint64              `json:"epoch"`
	At    int64               `json:"at"`
}

// Topology says that a switch of topology began, with t.Next, or ended; missing is the seat that it failed for, if it did.
func (c *Call) Topology(at time.Time, t signal.Topology, missing string) {
	seat := ""
	for _, l := range c.head.Lanes {
		if !l.gone {
			seat = l.Seat
			break
		}
	}
	if t.Next != "" {
		c.head.Course = &course{From: t.Kind, To: t.Next, Epoch: t.Epoch, At: c.tick(at)}
		c.tell(at, seat, signal.ReportEvent{Kind: Switching, Switch: c.head.Course.event()})
		return
	}
	was := c.head.Course
	if c.head.Course, c.dirty = nil, true; was == nil {
		return // the room began with it, or it was said before
	}
	e := signal.ReportEvent{Kind: SwitchEnd, Switch: was.event(), MS: c.tick(at) - was.At, Cause: "done"}
	if t.Kind != was.To {
		e.Cause, e.Seat = "failed", missing
		if missing == "" {
			e.Cause = "called-off"
		}
	}
	c.tell(at, seat, e)
}

func (w *course) event() *signal.ReportSwitch {
	return &signal.ReportSwitch{From: w.From, To: w.To, Epoch: w.Epoch}
}

// tell adds what the server itself saw.
func (c *Call) tell(at time.Time, seat string, e signal.ReportEvent) {
	l := c.lanes[seat]
	if l == nil || l.gone {
		return
	}
	e.At = c.tick(at)
	l.add(Event{Got: e.At, ReportEvent: e})
	c.dirty = true
}

// Restart says that the server restarted and the call goes on at at; everybody is away until Back says otherwise.
func (c *Call) Restart(at time.Time, people []Person) {
	c.head.Ended, c.head.Verdict, c.dirty = 0, nil, true
	if len(c.head.Restarts) < maxRestarts {
		c.head.Restarts = append(c.head.Restarts, c.tick(at))
	}
	still := map[string]bool{}
	for _, p := range people {
		still[p.Seat] = true
		if l := c.lanes[p.Seat]; l == nil {
			c.Join(at, p)
		} else {
			l.Left, l.gone = 0, false // the end was a guess
		}
		c.Away(at, p.Seat)
	}
	for _, l := range c.head.Lanes {
		if !l.gone && !still[l.Seat] {
			c.Leave(at, l.Seat, signal.LeftExpired)
		}
	}
}

// Report takes what the client on a seat saw. It arrived at got.
func (c *Call) Report(got time.Time, seat string, events []signal.ReportEvent) {
	l := c.lanes[seat]
	if l == nil || l.gone || len(events) == 0 {
		return
	}
	now, newest := c.tick(got), events[0].At
	for _, e := range events {
		newest = max(newest, e.At)
	}
	var changed bool
	if l.Clocks, changed = learn(l.Clocks, newest, now); changed {
		c.dirty = true
	}
	parts, omitted := len(l.parts), l.Omitted
	for _, e := range events {
		if _, known := kinds[e.Kind]; known {
			l.add(Event{Got: now, ReportEvent: c.policy.keep(e)})
		}
	}
	if parts != len(l.parts) || omitted != l.Omitted {
		c.dirty = true
	}
}

// kinds are those that clients may report.
var kinds = map[signal.ReportKind]struct{}{
	signal.ReportGathered: {}, signal.ReportPairTried: {}, signal.ReportICEConnected: {}, signal.ReportDTLSConnected: {},
	signal.ReportFirstPacket: {}, signal.ReportFirstFrame: {}, signal.ReportPathChanged: {}, signal.ReportStalled: {},
	signal.ReportRestart: {}, signal.ReportReplaced: {}, signal.ReportRecovered: {}, signal.ReportQuality: {},
	signal.ReportVideoPaused: {}, signal.ReportVideoResumed: {}, signal.ReportDevice: {}, signal.ReportSignallingLost: {},
	signal.ReportSignallingBack: {}, signal.ReportTransfer: {}, signal.ReportSwitched: {}, signal.ReportNote: {},
}

// End says that nobody has a seat any more. The verdict is fixed then.
func (c *Call) End(at time.Time) {
	for _, l := range c.head.Lanes {
		if !l.gone {
			c.Leave(at, l.Seat, signal.LeftLeft)
		}
	}
	c.head.Ended, c.dirty = c.tick(at), true
	verdict := c.Record(at).Verdict
	c.head.Verdict = &verdict
}

// LastHeard is the newest time at which the server heard of the call: when one ended that nobody told the end of.
func (c *Call) LastHeard() time.Time { return time.UnixMilli(c.last) }
