// Package pace decides how many bytes of a file may be on the way at once, by the delay that they cause and not by what
// gets lost: a queue that grows means that the path is full, while a packet that is lost now and then (a radio) means
// nothing. So a transfer fills a long lossy path, and gives way to calls, and to everything else that does not queue.
//
// The idea is LEDBAT's (RFC 6817): the smallest round trip that was seen is the path's own, what is above it is queue,
// and the window is steered so that the queue is worth Target. The steps are larger than there, in proportion to the
// window, since one packet each round trip takes minutes on a fast path; and once in a while the window is made small for
// a moment, so that a queue of our own does not pass for the path (as in LEDBAT++, draft-irtf-iccrg-ledbat-plus-plus).
//
// Time is an argument. The transport below retransmits; its own window must be larger than this one.
package pace

import (
	"slices"
	"time"
)

const (
	// Target is how much queue a transfer makes on its path: enough to keep it full, little for a call beside it.
	Target = 25 * time.Millisecond
	// Tick is how often Limit is to be asked while bytes are on the way.
	Tick = 4 * time.Millisecond
	// Max is the largest window. The transport's has to be larger.
	Max = 2 << 20

	smallest = 9600
	first    = 32 << 10
	packet   = 1200
	// gain is how much of the window one round trip may change; on long paths less, so that it does not swing.
	gain = 0.25
	// relearn is how often the window shrinks to see the path without our queue, and memory how long a round trip is
	// believed to be the path's own. A path that became longer is believed after memory.
	relearn = 10 * time.Second
	memory  = 30 * time.Second
	maxMark = 4096
	// haste is how much faster than the window needs bytes are written, so that the window is used up.
	haste = 1.25
	// near is the round trip of paths within a town.
	near = 8 * time.Millisecond
	// swell is how much queue a round trip of growing may make before it is seen.
	swell = 60 * time.Millisecond
	stuck = 700 * time.Millisecond
	// waste is how many bytes on the wire one that was written may cost: headers take a tenth of each packet, so that a tenth
	// may be lost for whatever reason.
	waste = 1.22
	// glance is the shortest round once the path is known. A queue on the path delays everything for longer than that;
	// a computer that is busy lets something through in time now and then, and must not pass for a queue.
	glance = 200 * time.Millisecond
)

// Window is the window of one transport. It is not safe for concurrent use.
type Window struct {
	size    float64          // that the path should be given
	flow    float64          // that it is given: it grows towards size with what arrives, so that nothing comes in a burst
	startup bool             // the path's capacity is not known yet: grow until there is a queue
	recent  [8]time.Duration // the last round trips, while startup
	samples int
	wrote   uint64
	tokens  float64       // bytes that may be written at once
	asked   time.Time     // when tokens were last counted
	easy    int           // rounds without a queue
	slack   time.Duration // how much later than usual a transport is called stuck
	watched time.Time     // when Stuck last looked
	passed  uint64        // what was acknowledged then
	marks   []mark        // what was written and not acknowledged yet
	acked   uint64
	round   round
	lows    [6]low // smallest round trips of the last pieces of memory
	drained time.Time
	resume  float64 // the size after draining; 0 when not
	settled int     // rounds since draining began
}

type mark struct {
	end uint64
	at  time.Time
}

// round is what is seen within one round trip.
type round struct {
	began  time.Time
	end    uint64 // over when that much is acknowledged
	from   uint64 // acknowledged at its beginning
	least  time.Duration
	filled bool   // the window was used up
	spent  uint64 // by the transport at its beginning
}

// low is the smallest round trip since a moment.
type low struct {
	since time.Time
	trip  time.Duration
}

// New makes the window of a new transport.
func New() *Window { return &Window{size: Max, flow: first, startup: true} }

// Wrote notes that total bytes were written so far.
func (w *Window) Wrote(now time.Time, total uint64) {
	w.tokens -= float64(total - w.wrote)
	w.wrote = total
	if w.round.began.IsZero() {
		w.round, w.drained = round{began: now, end: total}, now
	}
	if len(w.marks) < maxMark {
		w.marks = append(w.marks, mark{total, now})
	}
}

// Limit takes note of what was acknowledged and returns how many bytes one more message may have; 0 is none now. spent
// tells how many bytes the transport sent in all, what it sent again included; it is asked once a round. Nil is unknown.
func (w *Window) Limit(now time.Time, wrote, acked uint64, spent func() uint64) int {
	w.learn(now, wrote, acked, spent)
	piece := min(65536, max(packet, int(w.flow/8)))
	if base := w.base(now); base > 2*Tick { // spread over the round trip: what comes in a burst waits in a queue
		rate := haste * w.flow / base.Seconds()
		w.tokens = min(w.tokens+rate*now.Sub(w.asked).Seconds(), max(3*rate*Tick.Seconds(), packet))
		piece = max(packet, min(piece, int(rate*Tick.Seconds())))
		if w.asked = now; w.tokens < float64(piece) {
			return 0
		}
	}
	if room := int(w.flow) - int(wrote-acked); room < piece && wrote > acked {
		w.round.filled = true
		return 0
	}
	return piece
}

// Size is the window in bytes.
func (w *Window) Size() int { return int(w.flow) }

// Stuck reports whether so little of what is on the way arrived, for so long, that the transport must think most of it
// lost. After a silence on the path, or on a busy computer, it sends that again two packets each round trip, which takes
// up to minutes: a new transport is faster.
func (w *Window) Stuck(now time.Time, wrote uint64) bool {
	after := stuck + w.slack + 8*w.base(now)
	if now.Sub(w.watched) <= after {
		return false
	}
	crawls := !w.watched.IsZero() && now.Sub(w.watched) < 2*after && wrote-w.acked > 16*packet &&
		w.acked-w.passed < uint64(w.flow)/2
	w.watched, w.passed = now, w.acked
	return crawls
}

// Again makes the window of a transport that replaces this one's on the same path: what is known of the path is kept.
func (w *Window) Again() *Window {
	next := New()
	next.flow = max(first, min(w.flow, w.size)/2)
	next.slack = min(w.slack+stuck, 10*stuck) // where transports are stuck often, it is not they
	return next
}

// learn measures with what was acknowledged.
func (w *Window) learn(now time.Time, wrote, acked uint64, spent func() uint64) {
	n := 0
	for n < len(w.marks) && w.marks[n].end <= acked {
		trip := now.Sub(w.marks[n].at)
		w.recent[w.samples%len(w.recent)] = trip
		w.samples++
		if w.round.least == 0 || trip < w.round.least {
			w.round.least = max(trip, time.Microsecond)
		}
		n++
	}
	w.marks = w.marks[:copy(w.marks, w.marks[n:])]
	w.grow(now, acked-w.acked)
	w.acked = acked
	if w.round.least == 0 || acked < w.round.end || !w.startup && now.Sub(w.round.began) < glance {
		return
	}
	w.remember(now, w.round.least)
	r := round{began: now, end: wrote, from: acked}
	if spent != nil {
		r.spent = spent()
	}
	w.steer(now, w.wasted(r))
	w.round = r
}

// wasted compares the round that ends with the next one's beginning, and reports whether so much was sent again that the path drops what does not fit instead of queueing it.
func (w *Window) wasted(next round) bool {
	fresh := next.end - w.round.end // what was written in this round, and sent at once
	if w.base(next.began) < near {  // there a busy computer makes the transport believe in losses
		return false
	}
	return w.round.spent > 0 && fresh > 20*packet && float64(next.spent-w.round.spent) > waste*float64(fresh)
}

// grow lets the window follow what arrives. In startup it ends where a queue begins: what came a round trip ago fits.
func (w *Window) grow(now time.Time, arrived uint64) {
	base := w.base(now)
	growth := 0.5
	if base > 0 {
		growth = min(0.5, max(0.15, float64(swell)/float64(base)))
	}
	w.flow = min(w.size, w.flow+growth*float64(arrived))
	if w.startup && w.samples >= len(w.recent) && base > 0 && slices.Min(w.recent[:])-base > Target/2 {
		w.startup = false
		w.size = max(w.flow/(1+growth), smallest)
		w.flow = w.size
	}
}

// remember keeps the smallest round trips of the last memory.
func (w *Window) remember(now time.Time, trip time.Duration) {
	if w.lows[0].trip == 0 || now.Sub(w.lows[0].since) >= memory/time.Duration(len(w.lows)) {
		copy(w.lows[1:], w.lows[:])
		w.lows[0] = low{now, trip}
		return
	}
	w.lows[0].trip = min(w.lows[0].trip, trip)
}

// base is the path's own round trip.
func (w *Window) base(now time.Time) time.Duration {
	least := w.lows[0].trip
	for _, l := range w.lows[1:] {
		if l.trip > 0 && now.Sub(l.since) < memory+memory/time.Duration(len(w.lows)) {
			least = min(least, l.trip)
		}
	}
	return least
}

// steer sets the window at the end of a round.
func (w *Window) steer(now time.Time, wasted bool) {
	base, r := w.base(now), w.round
	queue := r.least - base
	took := max(now.Sub(r.began), time.Microsecond)
	// What the path delivers is what fits into it without a queue.
	fits := float64(w.acked-r.from) * float64(base) / float64(took)
	switch {
	case w.resume > 0:
		if w.settled++; w.settled >= 2 {
			w.size, w.resume, w.drained = w.resume, 0, now
		}
		return
	case wasted:
		w.startup = false
		w.size = min(w.size, w.flow) * (1 - gain)
	case w.startup:
		return
	default:
		off := max(-2, float64(Target-queue)/float64(Target))
		if w.easy++; off < 0.75 {
			w.easy = 0
		}
		// The longer there is no queue to speak of, the larger the steps.
		step := min(gain, (0.5+0.25*float64(w.easy))*float64(Target)/float64(base+max(queue, 0)))
		if off < 0 || r.filled {
			w.size += w.size*step*off + packet*max(off, 0)
		}
	}
	if !w.startup && now.Sub(w.drained) > relearn {
		w.resume, w.settled = w.size, 0
		w.size = min(w.size, max(0.75*fits, w.size/2)) // a round in which the transport waited tells nothing
	}
	// A path that carries a packet in base carries at least this in twice the target: so little is never a long queue, and
	// keeps a transfer on a near path alive when the computer is busy.
	floor := max(smallest, min(128<<10, packet*float64(2*Target)/float64(max(base, time.Microsecond))))
	w.size = min(max(w.size, floor), Max)
	w.flow = min(w.flow, w.size)
}
