// Package bwe finds out how much a path carries while it is being used: the send side of congestion control for one
// transport of the media plane, and what the receiving side has to say for it.
//
//   - Estimator takes what was sent and what the receiver says about it (transport-wide feedback,
//     draft-holmer-rmcat-transport-wide-cc-extensions-01), and says how much may be sent and when to probe for more.
//   - Pacer spreads packets by that rate; sound passes it.
//   - Arrivals is the receiver's record from which feedback is made.
//
// The ideas are those of Google congestion control (draft-ietf-rmcat-gcc-02): groups of packets, the trend of their
// delay, a threshold that adapts, increase by factor far from a limit and by steps near it, probes. Four things differ,
// because users complain about pictures that are paused for a congestion that is none:
//
//   - The queue is measured too (queue.go), not only its trend. A trend without a queue is jitter, and a queue that stays
//     although less is sent is not ours: somebody else's, or a longer route.
//   - Loss is put to trial (loss.go). Less is sent for a moment; if as much is lost as before, the path just loses packets.
//   - A path that suddenly carries a small part of what it did is left to sound until its queue has room again.
//   - A full path is drained on purpose, for as long as its queue lasts, and then used at nearly what it carried.
//
// **Each value has exactly one owner, which passes the time; times never go back. Nothing is kept of the slices that are
// passed in. Sent, Feedback, Tick and Probe do not allocate.** An Estimator takes about 19 kB, most of it the record of
// the last 2048 packets, Arrivals 9 kB.
package bwe

import "time"

// Kind is what a packet carries.
type Kind uint8

// The kinds, most urgent first.
const (
	Audio Kind = iota
	Retransmission
	Video
	Padding
)

// Arrival is what the receiver says of one packet.
type Arrival struct {
	// Number is the packet's transport-wide number.
	Number uint16
	// Arrived is false for a packet that was missing when the report was made. It may still come.
	Arrived bool
	// At is when it arrived by the receiver's clock, from any origin, modulo Wrap.
	At time.Duration
}

// Wrap is when an arrival's clock begins again: 24 bits of 64 ms.
const Wrap = (1 << 24) * 64 * time.Millisecond

// Config bounds an estimator. The zero value is usable.
type Config struct {
	// Start is what is sent before anything is known, in bit/s. 0 means 300 kbit/s.
	Start int
	// Floor is the least that Target ever says, in bit/s: sound and the smallest picture. 0 means 60 kbit/s.
	Floor int
	// Ceiling is the most that Target ever says, in bit/s. 0 means 20 Mbit/s.
	Ceiling int
}

// WithDefaults returns c with every zero replaced, and with Floor ≤ Start ≤ Ceiling.
func (c Config) WithDefaults() Config {
	if c.Start <= 0 {
		c.Start = 300_000
	}
	if c.Floor <= 0 {
		c.Floor = 60_000
	}
	if c.Ceiling <= 0 {
		c.Ceiling = 20_000_000
	}
	c.Ceiling = max(c.Ceiling, c.Floor)
	c.Start = min(max(c.Start, c.Floor), c.Ceiling)
	return c
}

// Stats is what an estimator believes, for records and for people.
type Stats struct {
	// Target is what may be sent now, Rate what the path is believed to carry, Acknowledged what arrives; in bit/s.
	Target, Rate, Acknowledged int
	// Queue is how long packets wait on the path, Foreign the part of it that is not ours.
	Queue, Foreign time.Duration
	// RTT is the smoothed round trip, the wait for feedback included.
	RTT time.Duration
	// Loss is the share of packets lost lately, OwnLoss the share that the path loses however little is sent.
	Loss, OwnLoss float64
	// Decreases, Probes and Successes count since the beginning.
	Decreases, Probes, Successes uint64
	// Draining is true while less is sent than the path carries, so that its queue empties.
	Draining bool
}

// Estimator finds the capacity of the way to one receiver.
type Estimator struct {
	cfg   Config
	epoch time.Time

	sent  history
	clock unwrapper
	acked meter
	out   meter // what was sent, by our clock
	trend trend
	queue queue
	loss  loss
	probe probe
	rate  rate

	rtt       int64 // smoothed, µs
	heard     int64 // when the last feedback came, µs
	waiting   int64 // since when something is sent without feedback
	silence   float64
	silenced  int64
	everHeard bool
	reported  int64 // the highest number that feedback spoke of
	remb      float64
	judged    int64 // when a receiver report was last obeyed
	demand    int
	newest    int64 // when the newest packet of this feedback was sent
}

// New returns an estimator for a path of which nothing is known. now is the beginning of its time.
func New(now time.Time, cfg Config) *Estimator {
	e := &Estimator{cfg: cfg.WithDefaults(), epoch: now, silence: 1, waiting: -1}
	e.rate.value = float64(e.cfg.Start)
	e.sent.reset()
	e.trend.reset()
	e.queue.reset()
	e.probe.reset()
	e.loss.reset()
	e.reported = -1
	return e
}

// micros is the time since the beginning in µs. It starts at a second, so that 0 can mean never.
func (e *Estimator) micros(now time.Time) int64 {
	return int64(now.Sub(e.epoch)/time.Microsecond) + second
}

const (
	second = int64(1_000_000)
	milli  = int64(1_000)
)

// Sent notes a packet that leaves now under a transport-wide number, size bytes long with all headers down to UDP's.
func (e *Estimator) Sent(now time.Time, number uint16, size int, kind Kind) {
	t := e.micros(now)
	size = min(max(size, 0), 1<<16-1)
	n := e.sent.add(t, number, size)
	if n < 0 {
		return
	}
	if kind != Padding {
		e.out.add(t, size)
	}
	if e.waiting < 0 {
		e.waiting = t
	}
	if id := e.probe.tag(t, n, size); id != 0 {
		e.sent.at(n).cluster = id
	}
}

// Demand says how much would be sent if the path carried everything, in bit/s: probes look for no more than that. 0, as in
// the beginning, means as much as there is.
func (e *Estimator) Demand(now time.Time, bitsPerSecond int) {
	if bitsPerSecond > e.demand && e.demand != 0 {
		e.probe.hurry(e.micros(now))
	}
	e.demand = max(bitsPerSecond, 0)
}

// wanted is the most that is worth knowing of the path.
func (e *Estimator) wanted() float64 {
	most := float64(e.cfg.Ceiling)
	if e.demand > 0 {
		most = min(most, 1.1*float64(e.demand))
	}
	return most
}

// Feedback takes what a receiver says in one message: the packets in the order of their numbers.
func (e *Estimator) Feedback(now time.Time, arrivals []Arrival) {
	t := e.micros(now)
	newest, known := int64(-1), false
	for i := range arrivals {
		a := &arrivals[i]
		n := e.sent.unwrap(a.Number)
		p := e.sent.find(n)
		if p == nil {
			continue
		}
		age := int64(uint32(t) - p.sent)
		if age > 20*second {
			continue
		}
		if !known {
			known = true
			if e.reported >= 0 && n > e.reported+1 { // a message was lost: what arrived meanwhile is not known
				e.acked.interrupt()
			}
		}
		e.reported = max(e.reported, n)
		if p.state == arrived || p.state == repeated {
			continue
		}
		if n <= e.sent.settled { // else settle counts it
			e.loss.recount(t-age, p.state, a.Arrived)
		}
		if !a.Arrived {
			p.state = lost
			continue
		}
		p.state = arrived
		e.arrive(t-age, e.clock.unwrap(a.At), p)
		newest = max(newest, t-age)
	}
	if !known {
		return
	}
	e.everHeard = true
	e.heard, e.waiting, e.silence = t, -1, 1
	if newest >= 0 {
		e.newest = newest
		if e.rtt == 0 {
			e.rtt = t - newest
		}
		e.rtt += (t - newest - e.rtt) / 8
	}
	e.settle(t)
	e.suspect(t)
	e.queue.report(t)
	e.judge(t)
}

// Repeated notes that a packet leaves once more as it was, under the same number, because its receiver misses it: it counts as lost.
// When the number arrives after all it is the repetition, whose delay says nothing of the path at the time it was sent first.
func (e *Estimator) Repeated(now time.Time, number uint16) {
	n := e.sent.unwrap(number)
	p := e.sent.find(n)
	if p == nil || p.state == arrived || p.state == repeated {
		return
	}
	if t := e.micros(now); n <= e.sent.settled {
		e.loss.recount(t-int64(uint32(t)-p.sent), p.state, false)
	}
	p.state = repeated
}

// arrive takes one packet that was sent at sent and arrived at by the receiver's clock.
func (e *Estimator) arrive(sent, at int64, p *packet) {
	e.acked.add(at, int(p.size))
	e.queue.add(at - sent)
	if p.cluster != 0 {
		e.probe.arrive(p.cluster, at, int(p.size))
	}
	if !e.probe.disturbs(sent) {
		e.trend.add(sent, at, int(p.size))
	}
}

// REMB takes a receiver's own estimate, of old clients (draft-alvestrand-rmcat-remb-03). It bounds the target until the
// next one; a bound of 0 is ignored.
func (e *Estimator) REMB(now time.Time, bitsPerSecond uint64) {
	if bitsPerSecond == 0 {
		return
	}
	e.remb = min(float64(bitsPerSecond), 1e12)
	if t := e.micros(now); !e.everHeard || t-e.heard > 5*second {
		e.rate.value = e.clamp(e.remb)
	}
}

// ReceiverReport takes the share of lost packets (0 to 1) and the round trip of a receiver report (RFC 3550 §6.4). They
// count only while there is no transport-wide feedback.
func (e *Estimator) ReceiverReport(now time.Time, loss float64, rtt time.Duration) {
	t := e.micros(now)
	if e.everHeard && t-e.heard < 5*second {
		return
	}
	if rtt > 0 && rtt < time.Minute {
		e.rtt = int64(rtt / time.Microsecond)
	}
	since := min(t-e.judged, second)
	if since < 200*milli || !(loss >= 0 && loss <= 1) {
		return
	}
	e.judged, e.waiting, e.silence = t, -1, 1
	e.loss.lately = loss
	switch {
	case loss > 0.1:
		e.rate.value *= 1 - 0.5*loss
	case loss < 0.02:
		e.rate.value *= 1 + 0.08*float64(since)/float64(second)
	}
	if e.remb > 0 {
		e.rate.value = min(e.rate.value, e.remb)
	}
	e.rate.value = e.clamp(e.rate.value)
}

// Tick lets time pass. Call it every 10 to 100 ms.
func (e *Estimator) Tick(now time.Time) {
	t := e.micros(now)
	e.probe.expire(t, e.rtt)
	if e.waiting < 0 {
		return
	}
	if t-e.sent.at0 > 500*milli { // what was sent last may have been lost, and no more is to be heard
		return
	}
	// Sending, and nothing heard: the way back may be lost, or both. Less and less, but the memory of the rate stays.
	patience := second + e.rtt
	if !e.everHeard {
		patience = 12 * second // reports of old clients are rare
	}
	if t-e.waiting > patience && t-e.silenced > 500*milli {
		e.silenced = t
		e.silence *= 0.7
	}
}

// Target says how much may be sent now, in bit/s, with all headers down to UDP's.
func (e *Estimator) Target() int {
	v := float64(e.Estimate())
	if e.rate.draining() {
		v = min(v, e.rate.value*e.rate.drain)
	}
	if e.loss.suspected {
		v = min(v, e.probe.from)
	}
	return int(e.clamp(v))
}

// Estimate says what the path is believed to carry, in bit/s: Target without the moments in which less is sent so that a
// queue empties. Choose by it what to send for seconds, such as layers; pace by Target.
func (e *Estimator) Estimate() int {
	v := e.rate.value * e.silence
	if e.remb > 0 {
		v = min(v, e.remb)
	}
	return int(e.clamp(v))
}

// Choked reports whether nothing but sound is to be sent now: the path has come to carry a small part of what it did, and its
// queue is about to be full or is. It is so for less than half a second, however the path fares.
func (e *Estimator) Choked(now time.Time) bool { return e.rate.soundOnly(e.micros(now)) }

// clamp keeps v within the configured bounds; what is not a number is the floor.
func (e *Estimator) clamp(v float64) float64 {
	if !(v > float64(e.cfg.Floor)) {
		return float64(e.cfg.Floor)
	}
	return min(v, float64(e.cfg.Ceiling))
}

// Stats says what the estimator believes.
func (e *Estimator) Stats() Stats {
	return Stats{
		Target: e.Target(), Rate: int(e.rate.value), Acknowledged: int(e.acked.rate(300 * milli)),
		Queue: micros(e.queue.now), Foreign: micros(e.queue.foreign), RTT: micros(e.rtt),
		Loss: e.loss.lately, OwnLoss: e.loss.own,
		Decreases: e.rate.decreases, Probes: e.probe.count, Successes: e.probe.successes,
		Draining: e.rate.draining(),
	}
}

func micros(v int64) time.Duration { return time.Duration(v) * time.Microsecond }
