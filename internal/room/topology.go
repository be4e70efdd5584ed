package room

import (
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// A switch of topology is make-before-break. It begins when Next is set: everybody makes the links of Next beside those
// of Kind and reports. It ends with Next in place of Kind, or with Kind as before. Beginning and end each are a new
// epoch, so that whoever hears of both in any order keeps the later one, and no report counts for another switch.

// Times of a switch.
const (
	// SwitchTime is how long a client may take to report on a switch, from when it can have heard of it; one that is known to
	// reach the hub may take SlowTime more, until what others send has come: devices that are short of time encode late.
	SwitchTime = 10 * time.Second
	SlowTime   = 10 * time.Second
	// CalmTime is for how long only two have to be here before a room goes back to the direct path.
	CalmTime = 10 * time.Second
	// ReachTime is how long a client may take to say whether it reaches the hub; one that has not does not know of hubs.
	ReachTime = 12 * time.Second
)

// course is which way the media take. Its Topology is what clients are told.
type course struct {
	signal.Topology
	stay    bool        // the way back to direct failed: not again before other people are here
	calm    time.Time   // when the room may go back to direct; zero when it does not want to, or may
	calmed  bool        // it may
	missing signal.Seat // for whom the switch under way has failed
	wake    time.Time   // when steer has something to do; zero is never
}

func newCourse(policy signal.TopologyPolicy) course {
	return course{Topology: signal.Topology{Kind: signal.TopologyDirect, Policy: policy}}
}

// resume goes on after a restart. Without a hub every room is direct.
func (c *course) resume(t signal.Topology, hub bool) {
	if t.Kind == "" {
		return // of a version without topology
	}
	c.Topology = t
	if !hub && (t.Kind != signal.TopologyDirect || t.Next != "") {
		c.Kind, c.Next, c.Epoch = signal.TopologyDirect, "", t.Epoch+1
	}
}

// limit is how many fit in.
func (r *Room) limit() int {
	if !r.cfg.Hub || r.course.Policy == signal.PolicyDirect {
		return min(r.cfg.Seats, directSeats)
	}
	return r.cfg.Seats
}

// directSeats is how many a direct call is for.
const directSeats = 2

// wants says which topology the room should have.
func (r *Room) wants() signal.TopologyKind {
	c := &r.course
	switch {
	case c.Policy == signal.PolicyHub, c.Policy == signal.PolicyAuto && r.counted() > directSeats, c.stay && c.Kind == signal.TopologyHub:
		return signal.TopologyHub
	}
	return signal.TopologyDirect
}

// counted is how many count for the topology: who is here, and whose network was lost a moment ago. What only the hub can
// serve counts for more than two.
func (r *Room) counted() (n int) {
	for _, x := range r.seats {
		switch {
		case x.isWaiting() || x.off:
		case x.encodes():
			n += weight
		default:
			n++
		}
	}
	if len(r.players) > 0 {
		n += weight
	}
	return n
}

// muster finds out who does not count any more. Who comes back, arrives.
func (r *Room) muster(now time.Time) {
	for _, x := range r.seats {
		if !x.off && x.yields(now) {
			x.off, r.touched = true, true
		}
	}
}

// steer brings the topology closer to what the room should have. It ends every command.
func (r *Room) steer(now time.Time) {
	if !r.cfg.Hub || !r.exists {
		return
	}
	r.muster(now)
	for r.exists && r.step(now) {
	}
	for _, x := range r.seats {
		x.fresh = x.fresh && r.course.Next == signal.TopologyHub
	}
	for _, p := range r.players {
		p.fresh = p.fresh && r.course.Next == signal.TopologyHub
	}
	r.schedule(now)
}

// step does one thing, or returns false.
func (r *Room) step(now time.Time) bool {
	c := &r.course
	want := r.wants()
	_, present := r.taken()
	n := r.counted()
	if want == c.Kind || c.Next != "" {
		c.calm, c.calmed = time.Time{}, false
	}
	switch {
	case c.Next != "" && want != c.Next && !r.parted():
		r.turn(c.Kind) // what it was for is over, and the old path is as it was
	case c.Next != "":
		return r.judge(now)
	case want == c.Kind:
		return false
	case n < directSeats:
		r.turn(want) // nobody hears it
	case want == signal.TopologyHub && r.unable() != nil:
		return r.expel(now, r.unable())
	case want == signal.TopologyDirect && !r.isCalm(now, n == present):
		return false
	default:
		r.depart(now, want)
	}
	return true
}

// parted reports whether somebody is here who has no part in the old path of a switch: then only the new one serves
// everybody, however many are left.
func (r *Room) parted() bool {
	return slices.ContainsFunc(r.seats, func(x *seat) bool { return x.fresh && !x.off }) || slices.ContainsFunc(r.players, newcomers)
}

// isCalm reports whether two have been alone for long enough, and are both here.
func (r *Room) isCalm(now time.Time, here bool) bool {
	c := &r.course
	switch {
	case c.calmed:
	case c.Policy == signal.PolicyDirect:
		c.calmed = true
	case c.calm.IsZero():
		c.calm = now.Add(CalmTime)
	case !now.Before(c.calm):
		c.calm, c.calmed = time.Time{}, true
	}
	return c.calmed && here
}

// depart begins a switch to next.
func (r *Room) depart(now time.Time, next signal.TopologyKind) {
	r.course.Next = next
	r.course.Epoch++
	r.changed = true
	r.events = append(r.events, Event{Kind: EventTopology, Topology: r.course.Topology})
	for _, x := range r.seats {
		x.moved, x.due = 0, now.Add(SwitchTime)
	}
}

// turn ends a switch, with that kind.
func (r *Room) turn(kind signal.TopologyKind) {
	c := &r.course
	e := Event{Kind: EventTopology, Seat: c.missing}
	c.Kind, c.Next, c.missing = kind, "", signal.Seat{}
	c.Epoch++
	e.Topology = c.Topology
	r.events = append(r.events, e)
	c.calm, c.calmed = time.Time{}, false
	r.changed = true
	for _, x := range r.seats {
		x.fresh, x.moved = false, 0
	}
	for _, p := range r.players {
		p.fresh = false
	}
}

// judge ends the switch if everybody who is here has moved, or if somebody has not in time. Whoever lost the network is
// waited for a while: their media may flow all the same, and the old path must not end under them.
func (r *Room) judge(now time.Time) bool {
	waits := false
	for _, x := range r.seats {
		switch {
		case !r.awaits(x):
		case x.State == signal.SeatPresent && !now.Before(x.deadline()):
			r.fail(now, x)
			return true
		default:
			waits = true
		}
	}
	if !waits {
		r.turn(r.course.Next)
	}
	return !waits
}

// deadline is when the report of a seat has to be there.
func (x *seat) deadline() time.Time {
	if x.Hub == signal.ReachYes {
		return x.due.Add(SlowTime)
	}
	return x.due
}

// awaits reports whether the switch waits for a report of that seat.
func (r *Room) awaits(x *seat) bool {
	return !x.isWaiting() && !x.off && !x.encodes() && x.moved != r.course.Epoch
}

// fail ends the switch, or what x has to do with it: x has not moved. On the way to the hub whoever came last goes, and
// hears why; whoever talked before goes on as before.
func (r *Room) fail(now time.Time, x *seat) {
	r.course.missing = x.Seat
	if r.course.Next == signal.TopologyDirect {
		r.course.stay = true
		r.turn(signal.TopologyHub)
		return
	}
	if x.Hub != signal.ReachNo {
		r.setReach(x, signal.ReachNo, signal.ReachSilent)
	}
	fresh := x.fresh && r.counted() > directSeats
	r.expel(now, x)
	if !fresh {
		r.turn(signal.TopologyDirect)
	}
}

// expel sends x away, who does not reach the hub, or for x those who came later to a call of two. Two who are left need
// no hub. It reports whether there was anybody to send.
func (r *Room) expel(now time.Time, x *seat) (sent bool) {
	if r.counted() <= directSeats {
		return false
	}
	if x.fresh {
		r.turnAway(now, x, x)
		return true
	}
	for _, y := range slices.Backward(slices.Clone(r.seats)) {
		if y.fresh {
			r.turnAway(now, y, x)
			sent = true
		}
	}
	words := unreachable(x.Name, x.HubWhy)
	return r.dismiss(newcomers, signal.Bye{Reason: signal.ByeExpired, Words: words}) || sent
}

// turnAway takes a seat away that cannot be served, because of the one for whom there is no way to the hub.
func (r *Room) turnAway(now time.Time, x, because *seat) {
	t := r.find(x.Session)
	words := unreachable(because.Name, because.HubWhy)
	if x == because {
		words = ownReach
		if t != nil {
			t.reach, t.why = signal.ReachNo, x.HubWhy
		}
	}
	r.vacate(x, signal.LeftNoHub)
	if t != nil {
		r.refuse(t, x.re, signal.CodeNoHub, words)
	}
	r.finish(now)
}

const ownReach = "your network does not let you reach this server's media port, which calls of three and more need; " +
	"open it for UDP, or at least for TCP, or try another network"

// unreachable says why there cannot be three, because of somebody inside.
func unreachable(name string, why signal.ReachWhy) string {
	switch why {
	case signal.ReachUnsupported:
		return name + " is here with a program that knows calls of two only; ask them to update it"
	case signal.ReachSilent:
		return "media through the server did not get to " + name + "; they should try another network, or you later"
	}
	return "the network of " + name + " does not reach this server's media port, which calls of three and more need; " +
		"they should open it for UDP, or at least for TCP"
}

// schedule finds the next time at which steer has something to do.
func (r *Room) schedule(now time.Time) {
	c := &r.course
	c.wake = time.Time{}
	if !r.cfg.Hub {
		return
	}
	at := func(t time.Time) {
		if !t.IsZero() && t.After(now) && (c.wake.IsZero() || t.Before(c.wake)) {
			c.wake = t
		}
	}
	at(c.calm)
	for _, x := range r.seats {
		if x.State == signal.SeatPresent && x.Hub == "" {
			at(x.probeBy)
		}
		switch {
		case x.State == signal.SeatAway && !x.off:
			at(x.since.Add(patience))
		case c.Next != "" && r.awaits(x):
			at(x.deadline())
		}
	}
}
