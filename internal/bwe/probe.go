package bwe

import "time"

// Cluster is a run of packets to be sent at a certain rate, to see whether they arrive at it.
type Cluster struct {
	// Rate is how fast the packets are to leave, in bit/s: those that are due anyway, then copies of sent ones or padding.
	Rate int
	// Bytes and Packets are how much makes the cluster complete.
	Bytes, Packets int
}

const (
	probeTime    = 25 * milli
	probePackets = 6
	// Fast probes have packets enough in less time.
	fastProbe, fastProbeTime = 2_000_000, 15 * milli
	// offerTime is how long a cluster may take to be sent.
	offerTime = 400 * milli
	// firstStep and nextStep are the factors over the known rate of a first probe and of one after a success.
	firstStep, startStep, nextStep = 2.0, 3.0, 3.0
	// patience grows from leastPatience to mostPatience between probes that find nothing.
	leastPatience, mostPatience = second, 3 * second
	mostDoubt                   = 16
)

// run is a cluster that is being sent or awaited.
type run struct {
	id                  uint8
	rate                float64
	done                bool
	since               int64
	bytes, packets      int // to send
	sent, sentBytes     int
	firstSent, lastSent int64
	lastSize            int
	lastNumber          int64
	came, cameBytes     int
	firstCame, lastCame int64
	firstCameSize       int
}

// probe decides when to look for more than is used, and measures what came of it.
type probe struct {
	run      run
	ids      uint8
	active   bool
	next     int64 // when another may begin
	patience int64
	doubt    int64   // grows with successes that were none
	vain     int     // probes in a row that said nothing
	stretch  int64   // grows when jitter makes measurements useless
	chain    float64 // factor of the next
	raised   int64   // when a probe last raised the rate
	hurried  int64
	from     float64 // the rate before it
	to       float64
	quiet    [2]int64 // sent between these, a packet saw a queue that the probe made

	count, successes uint64
}

func (p *probe) reset() {
	*p = probe{patience: leastPatience, doubt: 1, stretch: 1, chain: startStep}
}

// hurry allows a probe now, because more is wanted; not often, and not where probes have been wrong.
func (p *probe) hurry(t int64) {
	if p.doubt == 1 && t-p.hurried > 2*second {
		p.hurried, p.next = t, min(p.next, t)
	}
}

// Probe says that a cluster is to be sent, at once. Each is offered only once; what is sent from then on belongs to it
// until it is complete.
func (e *Estimator) Probe(now time.Time) (Cluster, bool) {
	t, p := e.micros(now), &e.probe
	if p.active || !e.plan(t) {
		return Cluster{}, false
	}
	p.active = true
	p.count++
	return Cluster{Rate: int(p.run.rate), Bytes: p.run.bytes, Packets: p.run.packets}, true
}

// plan prepares a probe and returns true when one is due.
func (e *Estimator) plan(t int64) bool {
	p, r := &e.probe, &e.rate
	if t < p.next || r.draining() || e.loss.trying || e.silence < 1 {
		return false
	}
	if e.everHeard && t-e.heard > 500*milli || !e.everHeard && p.count > 0 {
		return false
	}
	if e.queue.own() > much/2 || t-r.cutAt < 500*milli && r.cutAt > 0 {
		return false
	}
	most := e.wanted()
	if e.remb > 0 {
		most = min(most, e.remb)
	}
	if r.value > 0.95*most {
		return false
	}
	want := min(p.chain*r.value, most)
	p.ids = p.ids%255 + 1
	p.run = run{id: p.ids, rate: want, packets: probePackets, since: t}
	length := probeTime * p.stretch
	if want > fastProbe {
		length = fastProbeTime * p.stretch
	}
	p.run.bytes = int(want / 8 * float64(length) / float64(second))
	return true
}

// tag notes a packet that leaves, and returns the cluster it belongs to, 0 for none.
func (p *probe) tag(t, number int64, size int) uint8 {
	c := &p.run
	if !p.active || c.done {
		return 0
	}
	if c.sent == 0 {
		c.firstSent = t
		p.quiet[0] = t
	}
	c.sent++
	c.sentBytes += size
	c.lastSent, c.lastSize, c.lastNumber = t, size, number
	p.quiet[1] = t + 2*(t-c.firstSent) + 10*milli
	c.done = c.sent >= c.packets && c.sentBytes >= c.bytes || c.sent > ring/2
	return c.id
}

// disturbs reports whether a packet sent then may have waited behind the probe's.
func (p *probe) disturbs(sent int64) bool { return sent >= p.quiet[0] && sent <= p.quiet[1] }

// arrive notes a packet of a cluster that arrived.
func (p *probe) arrive(id uint8, at int64, size int) {
	c := &p.run
	if !p.active || c.id != id {
		return
	}
	if c.came == 0 || at < c.firstCame {
		c.firstCame, c.firstCameSize = at, size
	}
	if c.came == 0 || at > c.lastCame {
		c.lastCame = at
	}
	c.came++
	c.cameBytes += size
}

// expire gives up a probe that nobody sent, or of which nothing was heard.
func (p *probe) expire(t, rtt int64) {
	c := &p.run
	if !p.active {
		return
	}
	if !c.done && t-c.since > offerTime || c.done && t-c.lastSent > second+2*rtt {
		p.active = false
		p.wait(t)
	}
}

// wait puts the next probe off.
func (p *probe) wait(t int64) {
	p.chain, p.vain = firstStep, 0
	p.next = t + p.patience*p.doubt
	p.patience = min(p.patience*3/2, mostPatience)
}

// repeat has a probe that said nothing repeated by a longer one, three times at most.
func (p *probe) repeat(t int64) {
	p.stretch = min(p.stretch*2, 4)
	if p.vain++; p.vain > 3 {
		p.wait(t)
		return
	}
	p.next = t + 100*milli
}

// result returns the rate at which a cluster came, and whether the path was full by it, once all that will come of it has.
func (p *probe) result(t, reported int64) (found float64, full, ok bool) {
	c := &p.run
	if !p.active || !c.done || reported < c.lastNumber {
		return 0, false, false
	}
	p.active = false
	if c.came < 4 || c.came*10 < c.sent*7 {
		p.wait(t)
		return 0, false, false
	}
	took, tookThere := max(c.lastSent-c.firstSent, 1), max(c.lastCame-c.firstCame, 1)
	if took < milli || 100*(tookThere+milli) < 85*took {
		p.repeat(t) // they came in a burst: that says nothing
		return 0, false, false
	}
	// What left last is no part of the time in which the others left; there, what came first is none. The path carried what
	// came in between, so found is never more than it can, even when packets of many sizes make it less.
	came := rateOf(c.cameBytes-c.firstCameSize, tookThere) * float64(c.sent) / float64(c.came) // the lost were carried, too
	if full = 9*tookThere > 10*took+9*milli; full {
		return came, true, true
	}
	return min(came, rateOf(c.sentBytes-c.lastSize, took)), false, true
}

func rateOf(bytes int, took int64) float64 {
	return float64(bytes*8) * float64(second) / float64(took)
}

// probed takes the result of a probe.
func (e *Estimator) probed(t int64, found float64, full bool) {
	p, r := &e.probe, &e.rate
	came := found
	if full {
		found *= keep
	}
	found = min(found, e.wanted())
	if found <= r.value*1.02 {
		if !full { // too short or uneven to say anything
			p.repeat(t)
			return
		}
		p.wait(t)
		switch {
		case e.queue.own() <= little:
		case found < 0.9*r.value:
			e.decrease(t)
		case !r.draining(): // what the probe left is not to stay
			r.before, r.cutAt, r.queueAt = r.value, t, 0
			r.drain = mostDrain
		}
		return
	}
	p.successes++
	p.vain, p.stretch = 0, 1
	if p.raised > 0 && t-p.raised > 5*second {
		p.doubt = max(p.doubt/2, 1)
	}
	if !p.fresh(t) { // else it is a chain, and all of it is right or wrong
		p.from = r.value
	}
	p.raised, p.to = t, found
	r.value = found
	p.patience = leastPatience
	if full {
		r.learn(came)
		p.wait(t)
		return
	}
	r.capacity = 0
	p.chain, p.next = nextStep, t
}

// fresh reports whether a probe has just raised the rate, so that loss has to be looked at soon.
func (p *probe) fresh(t int64) bool { return p.raised > 0 && t-p.raised < second }

// fell learns from a decrease: soon after a probe it was the probe that was wrong, and a big one is worth looking after.
func (e *Estimator) fell(t int64, before, after float64) {
	p := &e.probe
	p.chain = firstStep
	switch {
	case p.raised > 0 && t-p.raised < 2*second && after < 0.8*p.to && after < 1.2*p.from && after > 0.7*p.from:
		p.doubt = min(p.doubt*2, mostDoubt)
		p.raised = 0
		p.next = t + p.patience*p.doubt
	case after < 0.7*before:
		p.patience = leastPatience
		p.next = t + p.patience
	}
}
