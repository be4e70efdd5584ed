package bwe

const (
	// keep is how much of what arrives over a full path is used: nearly all, since its queue is drained apart.
	keep = 0.95
	// climb is the growth per second far from any known limit, creep the share of a packet per round trip near one.
	climb = 0.15
	creep = 9600.0
	// little is a queue that says nothing, and much one that is too long without any trend.
	little = 10 * milli
	much   = 80 * milli
	// drainTime is the queue for which draining would halve the rate; leastDrain and mostDrain bound it.
	drainTime             = 500 * milli
	leastDrain, mostDrain = 0.5, 0.85
	// policedTime is how long the rate at which loss began is kept to.
	policedTime = 20 * second
	// proof is how much a queue must have been due to shrink before it is asked whether it did.
	proof = 60 * milli
	// longestDrain is when a queue is asked even though the sender hardly sends less.
	longestDrain = 3 * second
	// A round trip beyond endless is no conversation: the rate falls each second, whoever makes the queue.
	endless, endlessKeep = 3 * second, 0.8
	// longestChoke is for how long nothing but sound may be sent: a shorter stop than people take for a broken picture.
	longestChoke = 400 * milli
)

// rate is what the path is believed to carry, and how it came to be.
type rate struct {
	value    float64
	drain    float64 // share of the value that is sent while a queue is drained, else 1
	capacity float64 // what arrived when the path was full, smoothed; 0 unknown
	judged   int64

	policed   int64 // when a trial last proved that the loss was ours, 0 never
	cutAt     int64
	before    float64 // the value before the path was full
	queue     int64   // where draining is measured from
	queueAt   int64   // when the packet was sent that saw it; 0 when none has yet
	long      int     // reports in a row with much queue
	decreases uint64

	choked  int64   // since when the path is choked, 0 when it is not
	emptyAt int64   // when its queue will be short, if nothing but sound is sent
	sent    float64 // how much was sent until then
}

func (r *rate) draining() bool { return r.drain > 0 && r.drain < 1 }

// judge draws the conclusions of a feedback.
func (e *Estimator) judge(t int64) {
	r := &e.rate
	if r.drain == 0 {
		r.drain = 1
	}
	passed := min(t-r.judged, 200*milli)
	r.judged = t
	e.judgeLoss(t)
	if found, full, ok := e.probe.result(t, e.reported); ok && !e.loss.trying {
		e.probed(t, found, full)
	}
	q := e.queue.own()
	if q > much {
		r.long++
	} else {
		r.long = 0
	}
	if e.rtt > endless && t-r.cutAt > second {
		r.value, r.cutAt = endlessKeep*r.value, t
	}
	e.judgeChoke(t)
	over := e.trend.usage == rising && q > little || r.long > 1 && !r.draining() || e.queue.steep()
	switch {
	case over && t-r.cutAt > 150*milli:
		e.decrease(t)
	case r.draining():
		e.drain(t)
	case e.trend.usage == steady && q < e.unhurt() && !e.loss.hold && !e.loss.trying:
		e.increase(passed)
	}
	r.value = e.clamp(r.value)
}

// judgeChoke finds out whether the path carries so much less than is sent that its queue is about to be full: then what finds no
// room is lost, sound as well as pictures. While only sound is sent the queue passes, and what arrives of before is what the path
// carries.
func (e *Estimator) judgeChoke(t int64) {
	r, own := &e.rate, e.queue.newest()
	switch {
	case r.choked == 0 && e.queue.steep():
		r.choked, r.emptyAt, r.sent = t, t+longestChoke, e.out.rate(300*milli)
		return
	case r.choked == 0:
		return
	case own < much/2:
		r.choked = 0
		return
	case e.newest > r.choked:
		r.emptyAt = e.newest + own - much
		return
	}
	carried := e.acked.rate(150 * milli)
	if carried <= 0 {
		return
	}
	// It went on growing until nothing but sound was sent.
	grew := max(r.sent/carried-1, 0) * float64(r.choked-e.newest)
	r.emptyAt = r.choked + own + int64(min(grew, float64(longestChoke))) - much
	if keep*carried < r.value {
		r.value = keep * carried
		r.learn(carried)
	}
}

// soundOnly reports whether the path is choked and pictures are to wait. They do so once, however long it stays choked.
func (r *rate) soundOnly(t int64) bool {
	return r.choked != 0 && t < min(r.emptyAt, r.choked+longestChoke)
}

// unhurt is the queue, in µs, up to which more is tried: slow paths queue by single packets.
func (e *Estimator) unhurt() int64 {
	return min(max(2*little, int64(1.5*8*1100*float64(second)/e.rate.value)), much*3/4)
}

// limited reports whether much less is sent than may be: then what arrives says little about the path.
func (e *Estimator) limited() bool {
	return e.out.rate(300*milli) < 0.7*e.rate.value
}

// decrease goes down to what the path carries, and begins to drain it.
func (e *Estimator) decrease(t int64) {
	r := &e.rate
	carried := e.acked.rate(200 * milli)
	if carried <= 0 {
		carried = r.value * 0.8
	}
	if !r.draining() {
		r.before = r.value
		r.decreases++
	}
	next := keep * carried
	if e.limited() {
		next = max(next, 0.7*r.value)
	} else {
		r.learn(carried)
	}
	if next < r.value {
		e.fell(t, r.value, next)
		r.value = next
		e.loss.before = min(e.loss.before, next) // what a trial would restore
	}
	r.cutAt, r.queueAt = t, 0
	r.drain = drainFor(e.queue.own())
}

func drainFor(queue int64) float64 {
	return min(max(1-float64(queue)/float64(drainTime), leastDrain), mostDrain)
}

// learn takes what a full path carried.
func (r *rate) learn(carried float64) {
	if r.capacity == 0 || carried > 1.3*r.capacity || carried < 0.7*r.capacity {
		r.capacity = carried
		return
	}
	r.capacity += 0.3 * (carried - r.capacity)
}

// drain sends less until the queue is gone, or until it has proved not to be ours.
func (e *Estimator) drain(t int64) {
	r, q := &e.rate, e.queue.own()
	if q < little+little/2 {
		r.drain = 1
		return
	}
	if q > 2*little { // while there is a queue, what arrives is what the path carries: the cut may have been too deep
		carried := e.acked.rate(150 * milli)
		r.value = max(r.value, min(keep*carried, r.before))
	}
	if e.newest <= r.cutAt {
		return // nothing has come yet that was sent since
	}
	if r.queueAt == 0 {
		r.queue, r.queueAt = q, e.newest
		return
	}
	sent, came := e.out.rate(300*milli), e.acked.rate(300*milli)
	due := int64(max(1-keep*sent/r.value, 0) * float64(e.newest-r.queueAt))
	if due > proof || e.newest-r.cutAt > longestDrain {
		shrunk := r.queue - q
		if shrunk < -little { // it still grows: less is carried than was thought
			e.decrease(t)
			return
		}
		if shrunk < min(due, r.queue)/4 && came > 0.85*sent {
			e.queue.disown()
			r.drain, r.long = 1, 0
			r.value = max(r.value, keep*min(r.before, 1.5*r.value))
			return
		}
		r.queue, r.queueAt = q, e.newest
	}
	r.drain = drainFor(q)
}

// increase goes up, for the time that has passed.
func (e *Estimator) increase(passed int64) {
	r := &e.rate
	carried := e.acked.rate(300 * milli)
	if r.value > 1.5*carried+10_000 {
		return // nobody has tried that much: a probe has to
	}
	if r.capacity > 0 && r.value > 1.15*r.capacity {
		r.capacity, r.policed = 0, 0
	}
	perSecond := climb * r.value
	if r.capacity > 0 && r.value > 0.9*r.capacity {
		perSecond = creep * float64(second) / float64(e.rtt+100*milli)
		perSecond = min(max(perSecond, 4000), 0.04*r.value)
	}
	next := r.value + perSecond*float64(passed)/float64(second)
	if r.policed > 0 && r.judged-r.policed < policedTime { // loss began here: only a probe leads on
		next = min(next, max(r.capacity, r.value))
	}
	r.value = next
}
